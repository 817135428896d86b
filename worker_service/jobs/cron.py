"""Cron text: five fields, as Vixie's cron reads them (crontab(5) of Debian).

Three of its rules are easily got wrong:

- When day of month and day of week are both restricted, a day matches when either does. A field counts as
  unrestricted when it begins with ``*``, so ``*/2`` does too, and then both have to match. The manual page only says
  "aren't *"; the first character is what cron's source looks at, and what cronsim does.
- A schedule with ``*`` at the start of its minute or hour runs by real time; any other one at fixed times of
  the day. What that means when clocks are changed stands in ``ticks``.
- 0 and 7 are Sunday.

Where implementations part, the text is refused: cron reads ``5/15`` as ``5``, cronsim as ``5-59/15``.
"""

import calendar
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from ..names import did_you_mean
from .errors import InvalidCron

MOST_CHARACTERS = 500
"""Longer than any list of all values that leaves one out."""

LAST_YEAR = 9998
"""No schedule is looked for beyond; the next year is the last one that a datetime can hold."""

SHORTHANDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MINUTE = timedelta(minutes=1)

_ITEM = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,9}|[a-z]{3,9})(?:-(?P<last>[0-9]{1,9}|[a-z]{3,9}))?)(?:/(?P<step>[0-9]{1,9}))?"
)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    """of its values from ``least`` on"""


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """When a schedule runs, in local time. Made by `parse_cron`; equal when the same minutes match.

    Attributes:
        text: the five fields it was made from, in lower case; `parse_cron` makes the same value of it.
        minutes, hours, days, months, weekdays: the values that match, ascending; Sunday is 0.
        either_day: a day matches when its day of month or its day of week does; otherwise both have to.
        by_real_time: minute or hour begins with ``*``.
    """

    text: str = field(compare=False)
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either_day: bool
    by_real_time: bool

    def __str__(self) -> str:
        return self.text

    def first_from(self, local: datetime) -> datetime | None:
        """The first minute that matches, at or after a local time without a zone; None beyond `LAST_YEAR`."""
        if local.second or local.microsecond:
            local = local.replace(second=0, microsecond=0) + _MINUTE
        day = self._first_day(local.date())
        if day == local.date():
            at = self._first_time(local.time())
            if at is not None:
                return datetime.combine(day, at)
            day = self._first_day(day + timedelta(days=1))
        return None if day is None else datetime.combine(day, time(self.hours[0], self.minutes[0]))

    def _first_time(self, at: time) -> time | None:
        if at.hour in self.hours and at.minute <= self.minutes[-1]:
            return time(at.hour, self.minutes[bisect_left(self.minutes, at.minute)])
        later = bisect_left(self.hours, at.hour + 1)
        return time(self.hours[later], self.minutes[0]) if later < len(self.hours) else None

    def _first_day(self, at: date) -> date | None:
        """Month by month; some day matches within 40 years, when February 29 has to be one of seven weekdays."""
        for year in range(at.year, LAST_YEAR + 1):
            for month in self.months:
                if (year, month) < (at.year, at.month):
                    continue
                before, length = calendar.monthrange(
                    year, month
                )  # Monday is 0, so it is the day before, from 1
                start = at.day if (year, month) == (at.year, at.month) else 1
                for day in range(start, length + 1):
                    if self._matches(day, (before + day) % 7):
                        return date(year, month, day)
        return None

    def _matches(self, day: int, weekday: int) -> bool:
        if self.either_day:
            return day in self.days or weekday in self.weekdays
        return day in self.days and weekday in self.weekdays


def parse_cron(text: str) -> Cron:
    """Read cron text.

    Args:
        text: five fields (minute, hour, day of month, month, day of week), or a shorthand such as ``@daily``.

    Raises:
        InvalidCron: it is not of this form, or matches no day of any year.
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidCron(f"Cron text of {len(text):,} characters: {MOST_CHARACTERS} are the most.")
    if not text.isascii():
        raise InvalidCron(f"Cron {text!r}: write digits, names and signs of ASCII only.")
    words = _expand_shorthand(text).lower().split()
    if len(words) != len(_FIELDS):
        raise InvalidCron(
            f"Cron {text!r}: it has {len(words)} fields; five are needed: minute, hour, day of month, month, "
            "day of week."
        )
    minutes, hours, days, months, weekdays = map(_values, _FIELDS, words)
    starred = [word.startswith("*") for word in words]
    either_day = not (starred[2] or starred[4])
    longest = max(_LONGEST_MONTHS[month - 1] for month in months)
    if days[0] > longest and not either_day:
        raise InvalidCron(
            f"Day of month {words[2]!r}: none of the months {words[3]!r} has more than {longest} days.",
            field="day of month",
        )
    return Cron(
        " ".join(words),
        minutes,
        hours,
        days,
        months,
        tuple(sorted({day % 7 for day in weekdays})),
        either_day,
        by_real_time=starred[0] or starred[1],
    )


def from_periodiq(spec: Any) -> Cron:
    """What periodiq's ``cron()`` made, read by the rules of this module.

    Its text counts where it has one. A value put together from lists has none: there a list of all values
    is a ``*``, as in periodiq itself.

    Raises:
        InvalidCron: it is no such value, or cannot be kept.
    """
    try:
        if spec.parsed_from is not None:
            return parse_cron(spec.parsed_from)
        weekdays = [0 if day == 7 else day for day in spec.dow]
        lists = (spec.minute, spec.hour, spec.dom, spec.month, weekdays)
        return parse_cron(" ".join(map(_written, _FIELDS, lists)))
    except (AttributeError, TypeError):
        raise InvalidCron(f"A {type(spec).__name__} that was not made by periodiq's cron().") from None


def _written(field: _Field, values: Any) -> str:
    most = 6 if field.names == _WEEKDAYS else field.most
    if set(values) == set(range(field.least, most + 1)):
        return "*"
    return ",".join(str(value) for value in sorted(values))


def _expand_shorthand(text: str) -> str:
    word = text.strip().lower()
    if not word.startswith("@"):
        return text
    if word == "@reboot":
        raise InvalidCron("Cron '@reboot': a service of many processes has no moment at which it starts.")
    if word not in SHORTHANDS:
        raise InvalidCron(f"Cron {text!r}: no such shorthand.{did_you_mean(word, SHORTHANDS)}")
    return SHORTHANDS[word]


def _values(field: _Field, word: str) -> tuple[int, ...]:
    values: set[int] = set()
    for item in word.split(","):
        values.update(_item(field, item))
    return tuple(sorted(values))


def _item(field: _Field, item: str) -> range:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise _refused(field, item, _hint(item))
    step = int(match["step"] or 1)
    if step == 0:
        raise _refused(field, item, "a step of 0 never gets on.")
    if match["first"] is None:
        return range(field.least, field.most + 1, step)
    first = _value(field, item, match["first"])
    if match["last"] is None:
        if match["step"]:
            raise _refused(field, item, f"a step needs a range: write {first}-{field.most}/{step}.")
        return range(first, first + 1)
    last = _value(field, item, match["last"])
    if last < first:
        raise _refused(field, item, "the range runs backwards.")
    return range(first, last + 1, step)


def _value(field: _Field, item: str, text: str) -> int:
    if text in field.names:
        return field.least + field.names.index(text)
    if not text.isdigit():
        what = (
            f"{text!r} is no name here.{did_you_mean(text, field.names)}" if field.names else "write numbers."
        )
        raise _refused(field, item, what)
    value = int(text)
    if not field.least <= value <= field.most:
        raise _refused(field, item, f"write values from {field.least} to {field.most}.")
    return value


def _hint(item: str) -> str:
    if not item:
        return "a comma has nothing beside it."
    if re.fullmatch(r"[0-9]*l?w?|[0-9]*l|[0-9a-z]+#[0-9]+", item):
        return "L, W and # (last day, working day, nth weekday) are not supported."
    return "write *, a value, a range (1-5), a step (*/15, 1-9/2) or a list of these."


def _refused(field: _Field, item: str, why: str) -> InvalidCron:
    return InvalidCron(f"{field.name.capitalize()} {item!r}: {why}", field=field.name)
