"""Reads from the store what the report of a day tells."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from .jobs.errors import PermanentError
from .store import Rates, Schedules, Store, Tick
from .store.failures import Failure, Failures
from .store.histogram import mean_ms, quantile_ms
from .store.rates import DAY_MS, HOUR_MS, Span
from .tasks.report.day import Counted, Day, Failed, Punctuality, Spread

HOURS = 24
MOST_SCHEDULES = 1_000
KEPT_TICKS = 500
"""Of a schedule, as in lua/lib/schedule.lua; sometimes some more."""
_MOST_TICKS = 2_000
"""All of them, and the jobs that people asked for."""
_LONGEST_WHY = 300


def day_before(instant: datetime) -> date:
    """The day (UTC) that was over then."""
    return date.fromordinal(instant.astimezone(UTC).date().toordinal() - 1)


def read_day(store: Store, day: date, *, now_ms: int | None = None) -> Day:
    """What is kept of a day.

    Args:
        day: in UTC.
        now_ms: replaces the server's clock, for tests.

    Raises:
        PermanentError: the day has not begun, or is so long ago that its counters are gone: a report would be wrong.
        StoreUnavailable: Redis is away.
    """
    schedules = Schedules(store.client, store.namespace)
    now_ms = schedules.now_ms() if now_ms is None else now_ms
    first_ms = int(datetime.combine(day, time(), UTC).timestamp()) * 1000
    end_ms = first_ms + DAY_MS
    if first_ms > now_ms:
        raise PermanentError(f"{day} has not begun (in UTC)")
    if first_ms < now_ms - Span.HOUR.kept_ms:
        raise PermanentError(
            f"of {day} not all is known any more: counters are kept for {Span.HOUR.kept_ms // DAY_MS} days"
        )
    rates = Rates(store.client, store.keys)
    rates.roll_up(now_ms=now_ms)
    hours = {
        actor: [point.counts for point in points]
        for actor, points in rates.of_hours(first_ms // HOUR_MS, HOURS).items()
    }
    failures = Failures(store.client, store.namespace).read(since_ms=first_ms, before_ms=end_ms)
    names = sorted(schedules.names())
    ticks = [
        _punctuality(name, schedules.history(name, _MOST_TICKS), first_ms, end_ms)
        for name in names[:MOST_SCHEDULES]
    ]
    return Day(
        date=day,
        until_ms=now_ms if now_ms < end_ms else None,
        total=_counted("all", (counts for each in hours.values() for counts in each)),
        hours=[_counted(f"{hour:02}:00", (each[hour] for each in hours.values())) for hour in range(HOURS)],
        actors=[_counted(actor, each) for actor, each in hours.items() if any(each)],
        failures=[_failed(each) for each in failures.failures],
        has_more_failures=failures.truncated,
        schedules=[each for each in ticks if each.fired or each.skipped or each.missed],
        has_more_schedules=len(names) > MOST_SCHEDULES,
    )


def _counted(name: str, counts: Iterable[dict[str, int]]) -> Counted:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return Counted(name, dict(total), _spread(total, "wait"), _spread(total, "run"))


def _spread(counts: dict[str, int], name: str) -> Spread:
    return Spread(mean_ms(counts, name), quantile_ms(counts, name, 0.5), quantile_ms(counts, name, 0.95))


def _failed(group: Failure) -> Failed:
    """The first line of its error, or the word for its reason."""
    error = group.error or {}
    message = (str(error.get("message") or "").splitlines() or [""])[0][:_LONGEST_WHY]
    why = ": ".join(filter(None, (str(error.get("type") or ""), message)))
    return Failed(group.actor, why or group.reason, group.count, group.first_ms, group.last_ms)


def _punctuality(name: str, history: list[Tick], first_ms: int, end_ms: int) -> Punctuality:
    """Of the ticks whose time was on that day, whenever they were dealt with."""
    found = Punctuality(name)
    ticks = [tick for tick in history if tick.cause == "tick"]
    for tick in ticks:
        if not first_ms <= tick.tick_ms < end_ms:
            continue
        if tick.outcome == "missed":
            found.missed += tick.count
        elif tick.outcome == "skipped":
            found.skipped += 1
        else:
            found.late_ms.append(max(0, tick.at_ms - tick.tick_ms))
    oldest = min((tick.tick_ms for tick in ticks), default=end_ms)
    if first_ms < oldest < end_ms and len(ticks) >= KEPT_TICKS:
        found.since_ms = oldest
    return found
