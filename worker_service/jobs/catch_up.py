"""Which ticks are fired now, when some have come since the last one was.

A tick is late when it came more than a grace ago: no scheduler ran, or it was held up. Ticks that are not late are
all fired, always. What becomes of late ones is the schedule's policy.
"""

from collections.abc import Iterator
from datetime import tzinfo
from itertools import islice
from typing import Literal

from .ticks import LAST_TICK_MS, Every, Trigger, next_tick

MOST_COUNTED = 10_000
"""Ticks of a cron that are counted one by one, for some 20 µs each."""

MOST_TICKS = 1000
"""At once; of more the newest are fired."""

Policy = Literal["skip", "latest", "all"]
"""Of the late ticks none is fired; or the newest, unless one that is not late came after it; or all."""


def ticks_to_fire(
    trigger: Trigger,
    zone: tzinfo,
    *,
    last_ms: int,
    now_ms: int,
    grace_ms: int,
    policy: Policy,
    window_ms: int,
) -> list[int]:
    """The ticks to fire now, oldest first, at most `MOST_TICKS`.

    Args:
        trigger, zone: of the schedule, as for `next_tick`.
        last_ms: the tick fired last, or the instant from which the schedule counts; nothing up to it is fired.
        now_ms: UTC ms; nothing after it is fired.
        grace_ms: a tick is late when it is older.
        policy: for late ticks.
        window_ms: late ticks that are older are not fired, whatever the policy.
    """
    in_time = _since(trigger, zone, max(last_ms, now_ms - grace_ms - 1), now_ms, MOST_TICKS)
    most_late = {"skip": 0, "latest": 0 if in_time else 1, "all": MOST_TICKS - len(in_time)}[policy]
    late = _since(trigger, zone, max(last_ms, now_ms - window_ms - 1), now_ms - grace_ms - 1, most_late)
    return late + in_time


def count_ticks(trigger: Trigger, zone: tzinfo, after_ms: int, until_ms: int) -> tuple[int, bool]:
    """How many ticks are later than ``after_ms`` and not later than ``until_ms``, and whether there may be more.

    Those of an interval are counted by arithmetic, those of a cron one by one, at most `MOST_COUNTED`.
    """
    match trigger.when:
        case Every(every_ms):
            first = max(after_ms, -1, -1 if trigger.start_ms is None else trigger.start_ms - 1)
            last = min(until_ms, LAST_TICK_MS if trigger.end_ms is None else trigger.end_ms)
            return max(0, last // every_ms - first // every_ms), False
        case _:
            count, tick = 0, next_tick(trigger, after_ms, zone)
            while tick is not None and tick <= until_ms:
                if count == MOST_COUNTED:
                    return count, True
                count, tick = count + 1, next_tick(trigger, tick, zone)
            return count, False


def newest_first(trigger: Trigger, zone: tzinfo, after_ms: int, until_ms: int) -> Iterator[int]:
    """The ticks later than ``after_ms`` and not later than ``until_ms``, from the newest back.

    As many as are taken are looked for, by halving the time between: the newest of a million costs some twenty
    calls of `next_tick`.
    """
    first = next_tick(trigger, after_ms, zone)
    if first is None or first > until_ms:
        return
    if first < until_ms:
        middle = (first + until_ms) // 2
        yield from newest_first(trigger, zone, middle, until_ms)
        yield from newest_first(trigger, zone, first, middle)
    yield first


def _since(trigger: Trigger, zone: tzinfo, after_ms: int, until_ms: int, most: int) -> list[int]:
    return list(islice(newest_first(trigger, zone, after_ms, until_ms), most))[::-1]
