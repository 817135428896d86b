"""A cron text as a sentence."""

from ..jobs.cron import Cron, parse_cron
from ..jobs.errors import InvalidCron

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MOST_TIMES = 6
"""That are named one by one."""


def cron_words(text: str) -> str:
    """When it runs, such as ``at 09:00 on Monday to Friday``; the text itself if it is none."""
    try:
        cron = parse_cron(text)
    except InvalidCron:
        return text
    return " ".join(part for part in (_time(cron), _day(cron), _month(cron)) if part)


def _time(cron: Cron) -> str:
    every_hour = len(cron.hours) == 24
    hours = "" if every_hour else f" in the hours {_list(list(map(str, cron.hours)), cron.hours)}"
    if len(cron.minutes) == 60:
        return f"every minute{hours}"
    step = _step(cron.minutes, 60)
    if step:
        return f"every {step} minutes{hours}"
    if every_hour:
        return f"every hour at minute {_list(list(map(str, cron.minutes)), cron.minutes)}"
    if len(cron.hours) * len(cron.minutes) <= MOST_TIMES:
        times = [f"{hour:02}:{minute:02}" for hour in cron.hours for minute in cron.minutes]
        return f"at {_join(times)}"
    return f"at minute {_list(list(map(str, cron.minutes)), cron.minutes)}{hours}"


def _day(cron: Cron) -> str:
    days = (
        "" if len(cron.days) == 31 else f"on day {_list(list(map(str, cron.days)), cron.days)} of the month"
    )
    names = [_WEEKDAYS[day] for day in cron.weekdays]
    weekdays = "" if len(cron.weekdays) == 7 else f"on {_list(names, cron.weekdays)}"
    if days and weekdays:
        return f"{days} {'or' if cron.either_day else 'if that is'} {weekdays}"
    return days or weekdays or ("" if _is_often(cron) else "every day")


def _is_often(cron: Cron) -> bool:
    return len(cron.hours) == 24 or len(cron.minutes) == 60


def _month(cron: Cron) -> str:
    if len(cron.months) == 12:
        return ""
    return f"in {_list([_MONTHS[month - 1] for month in cron.months], cron.months)}"


def _list(names: list[str], values: tuple[int, ...]) -> str:
    """Names of ascending values; three or more in a row as a range."""
    if len(values) > 2 and values[-1] - values[0] == len(values) - 1:
        return f"{names[0]} to {names[-1]}"
    return _join(names)


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _step(values: tuple[int, ...], whole: int) -> int | None:
    """The distance of values that part a whole evenly, from 0 on."""
    if len(values) < 2 or values[0] != 0:
        return None
    step = values[1]
    return step if whole % step == 0 and values == tuple(range(0, whole, step)) else None
