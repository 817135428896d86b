"""Builders for the boring fields of jobs and outcomes, and looks into what a namespace holds."""

import itertools
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from worker_service.store import (
    Claim,
    ClaimedJob,
    Hook,
    NewJob,
    Outcome,
    ScheduleRef,
    Schedules,
    Store,
    Submitted,
)

NOW = 1_800_000_000_000
"""The instant at which every test begins."""

LEASE = 15_000
RUN_ID = "run-1"

_numbers = itertools.count(1)


def a_message(id: str, *args: Any) -> bytes:
    """A Dramatiq message as JSON."""
    message = {
        "queue_name": "default",
        "actor_name": "work",
        "args": args,
        "kwargs": {},
        "options": {},
        "message_id": id,
        "message_timestamp": NOW,
    }
    return json.dumps(message, separators=(",", ":")).encode()


def a_job(id: str = "", **fields: Any) -> NewJob:
    """A job to create: of actor `work` on queue `default`, under an id of its own."""
    id = id or f"job-{next(_numbers)}"
    return NewJob(**{"id": id, "queue": "default", "actor": "work", "message": a_message(id), **fields})


def a_hook(*events: str) -> Hook:
    """Who is told of the ends of a job, by default of all."""
    message = b'{"queue_name":"hooks","actor_name":"tell","args":[],"kwargs":{"url":"http://here",'
    delivery = NewJob("", "hooks", "tell", message, max_attempts=7)
    return Hook(events or ("succeeded", "dead", "cancelled"), delivery)


def submitted(store: Store, id: str = "", *, now_ms: int = NOW, **fields: Any) -> str:
    """Submit a job; returns its id."""
    job = a_job(id, **fields)
    assert words(store.submit([job], now_ms=now_ms)) == ["created"]
    return job.id


def words(submitted: Iterable[Submitted]) -> list[str]:
    """What became of each job."""
    return [each.word for each in submitted]


def a_session(store: Store, session: str = "s1", *, lease_ms: int = LEASE, now_ms: int = NOW) -> str:
    """Open a session; returns its id."""
    store.open_session(session, lease_ms, {"host": "here", "pid": "1"}, now_ms=now_ms)
    return session


def claim(
    store: Store, n: int = 100, *, session: str = "s1", queues: Iterable[str] = ("default",), **fields: Any
) -> Claim:
    """Claim at NOW under a nonce of its own, unless ``fields`` say otherwise."""
    nonce = fields.pop("nonce", f"nonce-{next(_numbers)}")
    fields.setdefault("now_ms", NOW)
    return store.claim(session, nonce, n, list(queues), **fields)


def claimed(
    store: Store, id: str = "", *, session: str = "s1", now_ms: int = NOW, **fields: Any
) -> ClaimedJob:
    """Submit one job and claim it, in a session that is opened for it."""
    id = submitted(store, id, now_ms=now_ms, **fields)
    a_session(store, session, now_ms=now_ms)
    jobs = claim(store, session=session, now_ms=now_ms).jobs
    assert [job.id for job in jobs] == [id]
    return jobs[0]


def outcome(job: ClaimedJob, verb: str, **fields: Any) -> Outcome:
    """How a claimed job ended."""
    return Outcome(job.id, job.token, verb, **fields)


def finish(store: Store, job: ClaimedJob, verb: str, *, now_ms: int = NOW, **fields: Any) -> str:
    """Finish one job; returns the script's word for it."""
    (word,) = store.finish([outcome(job, verb, **fields)], now_ms=now_ms)
    return word


def crashed(store: Store, id: str = "", *, times: int = 1, **fields: Any) -> str:
    """A job that crashed its process ``times`` times and is due again at NOW; returns its id."""
    id = submitted(store, id, max_crashes=fields.pop("max_crashes", 9), now_ms=NOW - 1_000_000, **fields)
    for number in range(times):
        at = NOW - 1_000_000 + (number + 1) * 20_000
        session = a_session(store, f"crash-{id}-{number}", now_ms=at)
        assert [job.id for job in claim(store, session=session, now_ms=at).jobs] == [id]
        store.rescue(LEASE, RUN_ID, session=session, now_ms=at)
    return id


def schedules_of(store: Store) -> Schedules:
    """The schedules of the same namespace."""
    return Schedules(store.client, store.namespace)


def a_schedule(
    store: Store, name: str = "each", *, next_ms: int | None = NOW, max_runs: int | None = None
) -> ScheduleRef:
    """Put a schedule."""
    definition, uid = '{"actor":"work","every_ms":60000}', f"uid-{name}"
    put = schedules_of(store).put(name, definition, uid=uid, next_ms=next_ms, max_runs=max_runs, now_ms=NOW)
    assert put == ("created", 1)
    return ScheduleRef(name, uid, 1)


def fire(
    store: Store,
    schedule: ScheduleRef,
    tick: int,
    job: NewJob | None = None,
    *,
    now_ms: int = NOW,
    every: int = 60_000,
    **fields: Any,
) -> str:
    """Fire one tick; returns the script's word for it."""
    job = job or a_job(f"{schedule.name}-{tick}", run_at_ms=tick)
    fields.setdefault("next_ms", tick + every)
    return schedules_of(store).fire(schedule, tick, job, now_ms=now_ms, **fields)[0]


def fields_of(store: Store, id: str) -> dict[str, str]:
    """The record of a job."""
    return {name.decode(): value.decode() for name, value in store.client.hgetall(store.keys.job(id)).items()}  # type: ignore[union-attr]


def ids(store: Store, key: str) -> list[str]:
    """The members of a sorted set, in order."""
    return [id.decode() for id in store.client.zrange(key, 0, -1)]  # type: ignore[union-attr]


def running(store: Store, session: str = "s1") -> dict[str, str]:
    """The jobs a session holds, with their tokens."""
    found = store.client.hgetall(store.keys.running(session))
    return {id.decode(): token.decode() for id, token in found.items()}  # type: ignore[union-attr]


def is_marked(store: Store, queue: str = "default") -> bool:
    """Whether the wake mark of a queue is set."""
    return bool(store.client.exists(store.keys.wake(queue)))


def take_mark(store: Store, queue: str = "default") -> None:
    """What a listener does with a wake mark."""
    store.client.delete(store.keys.wake(queue))


def contents(store: Store) -> dict[str, Any]:
    """All that a namespace holds, to compare before and after."""
    found: dict[str, Any] = {}
    for key in sorted(store.client.scan_iter(match=store.keys.prefix + "*", count=1000)):
        kind = store.client.type(key)
        read = {
            b"hash": store.client.hgetall,
            b"zset": lambda key: store.client.zrange(key, 0, -1, withscores=True),
            b"list": lambda key: store.client.lrange(key, 0, -1),
            b"string": store.client.get,
            b"stream": lambda key: store.client.xrange(key, count=10_000),
        }[kind]  # type: ignore[index]
        found[key.decode()] = read(key)
    return found


@contextmanager
def out_of_memory(client: redis.Redis) -> Iterator[None]:
    """The server of this client refuses every write that takes memory, as it does at its maxmemory."""
    client.config_set("maxmemory", "100kb")  # less than an empty server uses
    try:
        yield
    finally:
        client.config_set("maxmemory", "0")
