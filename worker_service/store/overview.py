"""What a namespace holds and does now, in numbers: the source of /metrics and of the dashboard.

Nothing here grows with the number of jobs. A reading is several round trips, each of one pipeline: a job that
moves meanwhile may be counted twice, or not at all.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import redis

from ..jobs.states import FINAL, State
from .canary import AT, SINCE, canary_age_ms
from .connection import translated
from .job_record import text_of
from .keys import Keys
from .oldest import ready_since
from .workers import Worker, Workers

FINAL_STATES = tuple(state for state in State if state in FINAL)
MOST_QUEUES = 200
MOST_WORKERS = 200
MOST_RUNNING = 10_000
"""Jobs that are looked at to tell their queues; those beyond are counted for none."""


@dataclass(frozen=True, slots=True)
class QueueOverview:
    """One queue.

    Attributes:
        queued: jobs that may be claimed.
        delayed: jobs that wait for their instant, scheduled or retrying.
        oldest_ms: how long the oldest job that may be claimed, or is due, has been waiting; None without one.
        pause: None when it is not paused.
        running: jobs that worker processes hold.
        max_depth: how many jobs may wait in it before further ones from outside are refused; None: any number.
    """

    name: str
    queued: int
    delayed: int
    oldest_ms: int | None
    pause: "Pause | None" = None
    max_depth: int | None = None
    running: int = 0

    @property
    def wanted_threads(self) -> int:
        """With so many nothing would wait in it; a paused one wants none for what waits."""
        return self.running + (0 if self.pause else self.queued)


@dataclass(frozen=True, slots=True)
class Pause:
    """Why jobs of a queue are not started, since when, until when (None: until it is resumed), and who wanted that."""

    reason: str
    paused_at_ms: int
    until_ms: int | None
    by: str


@dataclass(frozen=True, slots=True)
class Overview:
    """A namespace at one instant.

    Attributes:
        at_ms: the instant, on the server's clock.
        queues: the first `MOST_QUEUES` by name.
        workers: the `MOST_WORKERS` with the newest leases.
        more_queues, more_workers: how many are left out of these lists.
        open_workers: worker processes with a lease, all of them.
        running: jobs that worker processes hold, all of them.
        kept: jobs in each final state that are not yet pruned.
        longest_ms: actor -> for how long the job of it has been held that is held for the longest time.
        canary_age_ms: for how long no canary came through; None when none is expected.
    """

    at_ms: int
    queues: list[QueueOverview]
    more_queues: int
    workers: list[Worker]
    more_workers: int
    open_workers: int
    running: int
    kept: dict[State, int]
    longest_ms: dict[str, int] = field(default_factory=dict)
    canary_age_ms: int | None = None

    @property
    def queued(self) -> int:
        """Jobs that may be claimed, in the queues that are told."""
        return sum(queue.queued for queue in self.queues)

    @property
    def delayed(self) -> int:
        """Jobs that wait for their instant, in the queues that are told."""
        return sum(queue.delayed for queue in self.queues)

    @property
    def oldest_ms(self) -> int:
        """How long the oldest job of all has been waiting that may be claimed, or is due; 0 without one."""
        return max((queue.oldest_ms or 0 for queue in self.queues), default=0)

    @property
    def wanted_threads(self) -> int:
        """With so many nothing would wait: jobs that run or could, but for those of paused queues."""
        return self.running + sum(queue.queued for queue in self.queues if not queue.pause)

    @property
    def stalled_workers(self) -> list[Worker]:
        """Worker processes that have a lease and get nowhere."""
        return [
            each
            for each in self.workers
            if each.stalled_at_ms is not None and each.lease_ends_at_ms > self.at_ms
        ]


class _Held(NamedTuple):
    """What worker processes hold: how many jobs of each queue, and since when the oldest of each actor."""

    in_queue: Counter[str]
    since: dict[str, int]


class Overviews:
    """Readings of one namespace.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self._keys = Keys(namespace)

    def read(self, *, now_ms: int | None = None) -> Overview:
        """All of it but the jobs themselves.

        Args:
            now_ms: replaces the server's clock, for tests.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            with self._client.pipeline(transaction=False) as pipe:
                pipe.time()
                pipe.hkeys(self._keys.queues)
                pipe.hmget(self._keys.meta, SINCE, AT)
                pipe.zrevrange(self._keys.sessions, 0, -1, withscores=True)
                for state in FINAL_STATES:
                    pipe.zcard(self._keys.final(state))
                (seconds, micros), names, canary, leases, *kept = pipe.execute()
            if now_ms is None:
                now_ms = seconds * 1000 + micros // 1000
            queues = sorted(name.decode() for name in names)
            sessions = {session.decode(): int(lease_end) for session, lease_end in leases}
            workers, running = self._workers(sessions)
            held = self._held(sessions)
            return Overview(
                at_ms=now_ms,
                queues=self._queues(queues[:MOST_QUEUES], held.in_queue, now_ms),
                more_queues=max(0, len(queues) - MOST_QUEUES),
                workers=workers,
                more_workers=len(sessions) - len(workers),
                open_workers=sum(lease_end > now_ms for lease_end in sessions.values()),
                running=running,
                kept=dict(zip(FINAL_STATES, kept, strict=True)),
                longest_ms={actor: max(0, now_ms - at_ms) for actor, at_ms in held.since.items()},
                canary_age_ms=canary_age_ms(now_ms, *canary),
            )

    def queue(self, name: str) -> QueueOverview:
        """One queue, whether it ever had a job or not.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            seconds, micros = self._client.time()
            open_: list[bytes] = self._client.zrange(self._keys.sessions, 0, -1)  # type: ignore[assignment]
            held = self._held(session.decode() for session in open_)
            (found,) = self._queues([name], held.in_queue, seconds * 1000 + micros // 1000)
        return found

    def totals(self, actors: Iterable[str]) -> dict[str, dict[str, int]]:
        """Actor -> its counters that never decrease, in one round trip; see lua/lib/count.lua for their names.

        Raises:
            StoreUnavailable: Redis is away.
        """
        names = list(actors)
        with translated(), self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(self._keys.total(name))
            found = [text_of(fields) for fields in pipe.execute()]
        return {
            name: {field: int(value) for field, value in fields.items()}
            for name, fields in zip(names, found, strict=True)
        }

    def _held(self, sessions: Iterable[str]) -> "_Held":
        found = _Held(Counter(), {})
        with self._client.pipeline(transaction=False) as pipe:
            for session in sessions:
                pipe.hkeys(self._keys.running(session))
            held = pipe.execute(raise_on_error=False)  # of keys of another type, which nobody of ours made
            ids = itertools.chain.from_iterable(ids for ids in held if isinstance(ids, list))
            for id in itertools.islice(ids, MOST_RUNNING):
                pipe.hmget(self._keys.job(id.decode()), "queue", "actor", "started_at")
            for row in pipe.execute(raise_on_error=False):
                if isinstance(row, list) and None not in row and row[2].isdigit():
                    queue, actor, at_ms = row[0].decode(), row[1].decode(), int(row[2])
                    found.in_queue[queue] += 1
                    found.since[actor] = min(at_ms, found.since.get(actor, at_ms))
        return found

    def _queues(self, names: list[str], running_in: Mapping[str, int], now_ms: int) -> list[QueueOverview]:
        with self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.zcard(self._keys.ready(name))
                pipe.zcard(self._keys.due(name))
                pipe.zrangebyscore(self._keys.due(name), "-inf", now_ms, start=0, num=1, withscores=True)
            replies = pipe.execute()
        pauses, limits = self._pauses(names, now_ms), self._limits(names)
        counts = dict(zip(names, zip(replies[::3], replies[1::3], replies[2::3], strict=True), strict=True))
        since = ready_since(
            self._client, self._keys, [name for name, (queued, _, _) in counts.items() if queued]
        )
        found = []
        for name, (queued, delayed, overdue) in counts.items():
            instants = [int(at) for _, at in overdue]
            if name in since:
                instants.append(since[name])
            oldest_ms = max(0, now_ms - min(instants)) if instants else None
            found.append(
                QueueOverview(
                    name,
                    queued,
                    delayed,
                    oldest_ms,
                    pauses.get(name),
                    limits.get(name),
                    running_in.get(name, 0),
                )
            )
        return found

    def _pauses(self, names: list[str], now_ms: int) -> dict[str, Pause]:
        if not names:
            return {}
        found: list[bytes | None] = self._client.hmget(self._keys.paused, names)  # type: ignore[assignment]
        pauses = {name: read_pause(words.decode()) for name, words in zip(names, found, strict=True) if words}
        return {
            name: pause for name, pause in pauses.items() if pause.until_ms is None or pause.until_ms > now_ms
        }

    def _limits(self, names: list[str]) -> dict[str, int]:
        if not names:
            return {}
        found: list[bytes | None] = self._client.hmget(self._keys.limits, names)  # type: ignore[assignment]
        return {name: int(most) for name, most in zip(names, found, strict=True) if most and most.isdigit()}

    def _workers(self, leases: dict[str, int]) -> tuple[list[Worker], int]:
        """The first ones with what they are, and how many jobs all of them hold."""
        first = dict(itertools.islice(leases.items(), MOST_WORKERS))
        workers = Workers(self._client, self._keys).read(first)
        with self._client.pipeline(transaction=False) as pipe:
            for session in itertools.islice(leases, MOST_WORKERS, None):
                pipe.hlen(self._keys.running(session))
            rest = pipe.execute()
        return workers, sum(worker.running for worker in workers) + sum(rest)

    def threads(self) -> int:
        """Threads of all worker processes that have a lease and take jobs.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            seconds, micros = self._client.time()
            live: list[bytes] = self._client.zrangebyscore(
                self._keys.sessions, f"({seconds * 1000 + micros // 1000}", "+inf"
            )  # type: ignore[assignment]
            with self._client.pipeline(transaction=False) as pipe:
                for session in live:
                    pipe.hmget(self._keys.session(session.decode()), "threads", "quiet_at", "stop_at")
                found = pipe.execute()
        return sum(
            int(threads)
            for threads, quiet, stop in found
            if threads is not None and threads.isdigit() and quiet is None and stop is None
        )


def read_pause(words: str) -> Pause:
    """A pause from what lua/pause.lua has written."""
    until, _, text = words.partition(" ")
    about = json.loads(text)
    return Pause(about["reason"], about["paused_at_ms"], int(until) if until else None, about.get("by", ""))
