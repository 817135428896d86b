"""Crons that Hypothesis makes up, with what they mean; time zones, and the instants at which their clocks change."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

ZONES = (
    "Europe/Paris",
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Apia",  # left out a day
    "America/St_Johns",  # changed a minute after midnight, until 2011
    "America/Sao_Paulo",  # left out midnight, until 2018
    "Antarctica/Troll",  # two hours
    "UTC",
)
FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1973, 2100))
DAY = 86_400

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = {name: number for number, name in enumerate(_MONTHS, 1)}
WEEKDAYS = {name: number for number, name in enumerate(_WEEKDAYS)}


@dataclass(frozen=True)
class Part:
    """A field's text and the values it stands for."""

    text: str
    values: frozenset[int] = field(repr=False)

    @property
    def starred(self) -> bool:
        return self.text.startswith("*")


@dataclass(frozen=True)
class Spec:
    """A cron's five fields."""

    minute: Part
    hour: Part
    day: Part
    month: Part
    weekday: Part

    @property
    def text(self) -> str:
        return " ".join(part.text for part in (self.minute, self.hour, self.day, self.month, self.weekday))

    @property
    def by_real_time(self) -> bool:
        return self.minute.starred or self.hour.starred

    @property
    def last_time(self) -> time:
        return time(max(self.hour.values), max(self.minute.values))

    @property
    def both_days(self) -> bool:
        return self.day.starred or self.weekday.starred

    @property
    def is_possible(self) -> bool:
        """Whether its day of month comes in one of its months, in a leap year, if it has to."""
        longest = max(monthrange(2000, month)[1] for month in self.month.values)
        return not self.both_days or min(self.day.values) <= longest

    def matches_day(self, local: datetime) -> bool:
        of_month = local.day in self.day.values
        of_week = bool({local.isoweekday(), local.isoweekday() % 7} & self.weekday.values)
        of_either = (of_month and of_week) if self.both_days else (of_month or of_week)
        return local.month in self.month.values and of_either

    def matches(self, local: datetime) -> bool:
        return (
            local.minute in self.minute.values and local.hour in self.hour.values and self.matches_day(local)
        )


def star(least: int, most: int) -> Part:
    return Part("*", frozenset(range(least, most + 1)))


def parts(least: int, most: int, names: dict[str, int] | None = None) -> st.SearchStrategy[Part]:
    def spelled(value: int) -> st.SearchStrategy[str]:
        known = [name for name, number in (names or {}).items() if number == value]
        ways = [str(value), f"{value:02}", *known, *(name.title() for name in known)]
        return st.sampled_from(ways)

    @st.composite
    def items(draw: st.DrawFn) -> Part:
        first = draw(st.integers(least, most))
        last = draw(st.integers(first + 1, most) | st.none()) if first < most else None
        if last is None:
            return Part(draw(spelled(first)), frozenset({first}))
        step = draw(st.none() | st.integers(1, most + 5))
        text = f"{draw(spelled(first))}-{draw(spelled(last))}" + (f"/{step}" if step else "")
        return Part(text, frozenset(range(first, last + 1, step or 1)))

    def joined(several: list[Part]) -> Part:
        return Part(
            ",".join(each.text for each in several), frozenset().union(*(each.values for each in several))
        )

    steps = st.integers(1, most + 5).map(
        lambda step: Part(f"*/{step}", frozenset(range(least, most + 1, step)))
    )
    lists = st.lists(items(), min_size=1, max_size=4).map(joined)
    return st.just(star(least, most)) | lists | steps


def specs(*, often: bool = False) -> st.SearchStrategy[Spec]:
    """Crons of any kind; or, ``often``, mostly such as run on most days."""
    early = st.integers(0, 4).map(lambda hour: Part(str(hour), frozenset({hour})))  # when clocks are changed

    def mostly(part: Part, others: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
        return st.one_of(*[st.just(part)] * 4, others) if often else others

    return st.builds(
        Spec,
        minute=parts(0, 59),
        hour=parts(0, 23) | early,
        day=mostly(star(1, 31), parts(1, 31)),
        month=mostly(star(1, 12), parts(1, 12, MONTHS)),
        weekday=mostly(star(0, 7), parts(0, 7, WEEKDAYS)),
    ).filter(lambda spec: spec.is_possible)


@cache
def changes(name: str) -> list[int]:
    """The instants at which a zone's clocks change, in seconds since 1970."""
    zone = ZoneInfo(name)

    def offset(at: int) -> timedelta | None:
        return datetime.fromtimestamp(at, zone).utcoffset()

    found = []
    for start in range(FIRST, LAST, DAY):
        if offset(start) != offset(start + DAY):
            low, high = start, start + DAY
            while high - low > 60:
                middle = (low + high) // 120 * 60
                low, high = (middle, high) if offset(middle) == offset(start) else (low, middle)
            found.append(high)
    return found


@cache
def moments(name: str) -> st.SearchStrategy[int]:
    """Instants in seconds, most of them within two days of a change of the zone's clocks."""
    anywhere = st.integers(FIRST, LAST)
    if not changes(name):
        return anywhere
    near = st.builds(
        lambda change, distance: change + distance,
        st.sampled_from(changes(name)),
        st.integers(-7_300, 7_300) | st.integers(-2 * DAY, 2 * DAY) | st.sampled_from([-1, 0, 1]),
    )
    return st.one_of(near, near, near, anywhere)
