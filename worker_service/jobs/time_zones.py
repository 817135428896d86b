"""Time zones by name, and what a zone's changes of offset do to its local times.

Instants are whole seconds since 1970 in UTC; local times are datetimes without a zone.
"""

import zoneinfo
from bisect import bisect_left
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache

from ..names import did_you_mean
from .errors import InvalidJob

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_time_zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone of a name such as ``Europe/Paris``; its letters' case counts, on every system.

    Raises:
        InvalidJob: there is no such zone on this machine.
    """
    known = zones()
    if name not in known:
        raise InvalidJob(
            f"No time zone {name[:80]!r}.{did_you_mean(name[:80], known)}", code="unknown_time_zone"
        )
    return zoneinfo.ZoneInfo(name)


@cache
def zones() -> frozenset[str]:
    """The names that are known on this machine.

    Reading the folder takes some 10 ms. What differs from machine to machine (``localtime``) is not in it."""
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def local_time(at: int, zone: tzinfo) -> datetime:
    """What clocks show at an instant."""
    return (_EPOCH + timedelta(seconds=at)).astimezone(zone).replace(tzinfo=None, fold=0)


def instants(local: datetime, zone: tzinfo) -> tuple[int, int]:
    """When a local time is: the same instant twice as a rule.

    While clocks are set back over it: the first and the second time they show it. When they are put forward over it,
    they never do; then the first one comes after the change, and the second one before it (PEP 495).
    """
    first = local.replace(tzinfo=zone, fold=0)
    return int(first.timestamp()), int(first.replace(fold=1).timestamp())


def change_between(before: int, after: int, zone: tzinfo) -> int:
    """The instant of the one change of offset that comes after ``before`` and not after ``after``."""
    offset = _offset(before, zone)
    return before + bisect_left(range(before, after + 1), True, key=lambda at: _offset(at, zone) != offset)


def _offset(at: int, zone: tzinfo) -> timedelta | None:
    return (_EPOCH + timedelta(seconds=at)).astimezone(zone).utcoffset()
