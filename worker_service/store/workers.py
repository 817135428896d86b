"""Worker processes: what each is and what it runs, as its session tells."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import redis

from .connection import translated
from .job_record import read_json, text_of
from .keys import Keys

Duty = Literal["claim", "start", "write"]
"""What a worker process owes."""

MOST_NAMES = 500
"""Queues, or actors, that a session tells of; where it names so many there may be more."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process. When its lease has ended, it was lost and its jobs are not yet rescued.

    Attributes:
        id: of its session.
        version: of this package.
        queues: those it takes jobs from.
        actors: those it knows.
        lease_ms: how long its lease lasts after each sign of life; None when that is lost.
        quiet_at_ms, stop_at_ms: when it was asked to take no more jobs, and to stop.
        stalled_at_ms: since when it has not got on although there is work; None when it does. Its keeper tells.
        stalled_in: what it does not do; see lua/extend.lua.
        running: how many jobs it holds.
        memory_bytes: what it held at its last sign of life, if that is known.
    """

    id: str
    host: str
    pid: str
    threads: str
    version: str
    queues: tuple[str, ...]
    actors: tuple[str, ...]
    opened_at_ms: int | None
    lease_ends_at_ms: int
    lease_ms: int | None
    quiet_at_ms: int | None
    stop_at_ms: int | None
    running: int
    memory_bytes: int | None = None
    stalled_at_ms: int | None = None
    stalled_in: Duty | None = None

    def serves(self, queue: str) -> bool:
        """Whether it takes jobs from a queue, as far as it tells."""
        return _may_name(self.queues, queue)

    def knows(self, actor: str) -> bool:
        """Whether it can run jobs of an actor, as far as it tells."""
        return _may_name(self.actors, actor)


def names_text(names: Sequence[str]) -> str:
    """Queues or actors as a session holds them: at most `MOST_NAMES`, as JSON."""
    return json.dumps(sorted(names)[:MOST_NAMES], separators=(",", ":"))


def read_worker(id: str, lease_ends_at_ms: int, running: int, fields: Mapping[str, str]) -> Worker:
    """A worker process from the hash of its session, which may be damaged or lost."""
    return Worker(
        id=id,
        host=fields.get("host", ""),
        pid=fields.get("pid", ""),
        threads=fields.get("threads", ""),
        version=fields.get("version", ""),
        queues=_names(fields.get("queues")),
        actors=_names(fields.get("actors")),
        opened_at_ms=_number(fields.get("opened_at")),
        lease_ends_at_ms=lease_ends_at_ms,
        lease_ms=_number(fields.get("lease_ms")),
        quiet_at_ms=_number(fields.get("quiet_at")),
        stop_at_ms=_number(fields.get("stop_at")),
        running=running,
        memory_bytes=_number(fields.get("memory")),
        stalled_at_ms=_number(fields.get("stalled_at")),
        stalled_in=_duty(fields.get("stalled_in")),
    )


class Workers:
    """The worker processes of one namespace.

    Args:
        client: see `connect`.
        keys: of the namespace.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def newest(self, most: int) -> tuple[int, list[Worker], int]:
        """Those with the newest leases, also of leases that have run out.

        Returns:
            The instant by the server's clock, at most ``most`` of them, and how many there are beyond these.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            with self._client.pipeline(transaction=False) as pipe:
                pipe.time()
                pipe.zcard(self._keys.sessions)
                pipe.zrevrange(self._keys.sessions, 0, most - 1, withscores=True)
                (seconds, micros), number, rows = pipe.execute()
            found = self.read({session.decode(): int(lease_end) for session, lease_end in rows})
        return seconds * 1000 + micros // 1000, found, max(0, number - len(found))

    def find(self, id: str) -> tuple[int, Worker, list[str]] | None:
        """One of them; None when there is none of this id.

        Returns:
            The instant by the server's clock, the process, and the ids of the jobs it holds.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            with self._client.pipeline(transaction=False) as pipe:
                pipe.time()
                pipe.zscore(self._keys.sessions, id)
                pipe.hkeys(self._keys.running(id))
                (seconds, micros), lease_end, held = pipe.execute(raise_on_error=False)
            if not isinstance(lease_end, float):
                return None
            (worker,) = self.read({id: int(lease_end)})
        jobs = sorted(job.decode() for job in held) if isinstance(held, list) else []
        return seconds * 1000 + micros // 1000, worker, jobs

    def running(self, id: str) -> dict[str, str]:
        """The jobs that one holds by the store, with the token of each delivery.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            return text_of(self._client.hgetall(self._keys.running(id)))

    def words(self, id: str) -> list[str]:
        """What one was asked to do; see lua/tell_worker.lua."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.hget(self._keys.session(id), "quiet_at")
            pipe.hget(self._keys.session(id), "stop_at")
            found = pipe.execute(raise_on_error=False)  # of a key of another type, which nobody of ours made
        return [word for word, at in zip(("quiet", "stop"), found, strict=True) if isinstance(at, bytes)]

    def live(self, most: int, *, now_ms: int | None = None) -> list[Worker]:
        """Those whose lease has not run out, the newest leases first, at most ``most``.

        Args:
            now_ms: replaces the server's clock, for tests.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            if now_ms is None:
                seconds, micros = self._client.time()
                now_ms = seconds * 1000 + micros // 1000
            rows: list[tuple[bytes, float]] = self._client.zrevrangebyscore(
                self._keys.sessions, "+inf", f"({now_ms}", start=0, num=most, withscores=True
            )  # type: ignore[assignment]
            return self.read({session.decode(): int(lease_end) for session, lease_end in rows})

    def on_host(self, host: str) -> list[Worker]:
        """Those of a host whose lease has not run out.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            seconds, micros = self._client.time()
            now_ms = seconds * 1000 + micros // 1000
            rows: list[tuple[bytes, float]] = self._client.zrangebyscore(
                self._keys.sessions, f"({now_ms}", "+inf", withscores=True
            )  # type: ignore[assignment]
            with self._client.pipeline(transaction=False) as pipe:
                for session, _ in rows:
                    pipe.hget(self._keys.session(session.decode()), "host")
                hosts = pipe.execute(raise_on_error=False)
            return self.read(
                {
                    session.decode(): int(lease_end)
                    for (session, lease_end), told in zip(rows, hosts, strict=True)
                    if told == host.encode()
                }
            )

    def read(self, leases: Mapping[str, int]) -> list[Worker]:
        """What these sessions tell, in two replies each.

        Args:
            leases: session -> end of its lease.
        """
        with self._client.pipeline(transaction=False) as pipe:
            for session in leases:
                pipe.hlen(self._keys.running(session))
                pipe.hgetall(self._keys.session(session))
            replies = pipe.execute(raise_on_error=False)  # of keys of another type, which nobody of ours made
        return [
            read_worker(
                session,
                lease_end,
                running if isinstance(running, int) else 0,
                text_of(fields) if isinstance(fields, dict) else {},
            )
            for (session, lease_end), running, fields in zip(
                leases.items(), replies[::2], replies[1::2], strict=True
            )
        ]


def _may_name(names: tuple[str, ...], wanted: str) -> bool:
    return wanted in names or len(names) >= MOST_NAMES


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _duty(text: str | None) -> Duty | None:
    return next((duty for duty in get_args(Duty) if duty == text), None)


def _names(text: str | None) -> tuple[str, ...]:
    found = read_json(text)
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()
