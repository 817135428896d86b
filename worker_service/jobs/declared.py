"""Schedules that code declares, in the terms of Python."""

from datetime import datetime, timedelta
from typing import Any

from .cron import from_periodiq
from .errors import InvalidSchedule
from .intervals import interval_ms
from .schedule import Definition


class Schedule:
    """One entry of ``SCHEDULES`` in an actor module: ``Schedule(generate_report, cron("0 2 * * *"), args={...})``.

    Args:
        actor: an actor, or the name of one.
        when: what periodiq's ``cron()`` made, cron text, a timedelta or milliseconds (an interval), or a datetime
            with a zone (once).
        options: fields of `Definition`; instants may be datetimes.

    Raises:
        InvalidSchedule: a field is wrong.
    """

    def __init__(self, actor: Any, when: Any, **options: Any) -> None:
        self.actor: str = actor if isinstance(actor, str) else getattr(actor, "actor_name", repr(actor))
        self._fields = {
            "actor": self.actor,
            **_when(when),
            **{name: _plain(value) for name, value in options.items()},
        }
        self.definition("UTC")

    def definition(self, time_zone: str) -> Definition:
        """What it means.

        Args:
            time_zone: where it names none.
        """
        return Definition.read({"timezone": time_zone, **self._fields})

    def __repr__(self) -> str:
        return f"Schedule({self._fields})"


def _when(when: Any) -> dict[str, Any]:
    if isinstance(when, str):
        return {"cron": when}
    if isinstance(when, timedelta) or type(when) is int:
        return {"every_ms": interval_ms(when)}
    if isinstance(when, datetime):
        return {"at": _plain(when)}
    return {"cron": str(from_periodiq(when))}


def _plain(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise InvalidSchedule(f"{value!r} has no zone: give it one, or write the instant as text")
    return value.isoformat(timespec="milliseconds")
