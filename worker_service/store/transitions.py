"""Every change of the store: one method per verb, each one run of the script of the same name."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import redis

from ..jobs.backoff import CRASH_WAITS_MS
from ..jobs.steps import STEPS_LIMIT
from .claim_order import ClaimOrder
from .connection import translated
from .durability import Level, await_level
from .keys import Keys
from .line import Line, Lines
from .records import Claim, NewJob, Outcome, Rescued, SessionLost, Spent, Submitted
from .schema import SCHEMA, refuse_newer
from .scripts import Scripts
from .submissions import SliceEnded, answer, arguments, submit_each

"""Version of the stored records; raise it when an older reader would misread them."""

RESCUE_LIMIT = EXPIRE_LIMIT = PRUNE_LIMIT = CLOSE_LIMIT = SLICE = 500
"""Jobs in one run of a script: a bound on how long the server is held."""


class Store:
    """The transitions of one namespace.

    Every method may be repeated with the same arguments after `StoreUnavailable`: a lost reply never doubles
    or strands a job. ``now_ms`` replaces the server's clock, for tests.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self.client = client
        self.namespace = namespace
        self.keys = Keys(namespace)
        self._scripts = Scripts(client.execute_command, self.keys.prefix)
        self._line: Line | None = None

    def for_one_thread(self) -> "Store":
        """The same store over a connection of its own, faster; for one thread only."""
        return self._over(Line(self.client))

    def for_many_threads(self) -> "Store":
        """The same store over connections of its own, faster; for any number of threads."""
        return self._over(Lines(self.client))

    def _over(self, line: "Line | Lines") -> "Store":
        mine = Store(self.client, self.namespace)
        mine._scripts = Scripts(line.execute, self.keys.prefix)
        return mine

    def check_schema(self) -> None:
        """Refuse data of a newer version; called at every start.

        Raises:
            StoreTooNew: the data was written by a newer version.
        """
        with translated():
            self.client.hsetnx(self.keys.meta, "schema", str(SCHEMA))
            refuse_newer(self.client.hget(self.keys.meta, "schema"))

    @contextmanager
    def durable(self, level: Level) -> Iterator["Store"]:
        """The same store over one connection; when the block ends, what was written in it has reached ``level``.

        What an earlier call wrote has reached it then too, so a call that is repeated waits again.

        Raises:
            NotDurable: it was written, but has not reached the level in time.
            StoreUnavailable: the connection was lost; whether anything was written is unknown.
        """
        line = Line(self.client, tries=1)  # a second connection would not know what is to be waited for
        try:
            store = self._over(line)
            store._line = line
            yield store
            await_level(line, self.keys, level)
        finally:
            line.release()

    def submit(
        self, jobs: Sequence[NewJob], *, all_or_none: bool = False, now_ms: int | None = None
    ) -> list[Submitted]:
        """Create jobs, each with the idempotency record of its request.

        Args:
            all_or_none: create none when one of them is refused. No two may have an idempotency key or a lock in
                common.
        """
        values = arguments(jobs, all_or_none=all_or_none, now_ms=now_ms)
        return answer(self._scripts.run("submit", *values))

    def submit_each(self, slices: Iterable[Sequence[NewJob]]) -> Iterator[SliceEnded]:
        """Create jobs, one run of the script for each slice of them; while the server works on one, the next one is
        taken from ``slices``.

        Returns:
            What became of each slice, in order. Errors where Redis went away, and then for all slices behind: whether
            those jobs were created is unknown.

        Raises:
            StoreUnavailable: the connection was lost that `durable` has to wait for.
        """
        line, is_durable = self._line or Line(self.client), self._line is not None
        return submit_each(self._scripts, line, slices, self.submit, is_durable=is_durable)

    def open_session(
        self, session: str, lease_ms: int, about: Mapping[str, str], *, now_ms: int | None = None
    ) -> None:
        """Give a worker process the right to hold claims for ``lease_ms``."""
        pairs = [text for pair in about.items() for text in pair]
        self._scripts.run("open_session", _now(now_ms), session, lease_ms, *pairs)

    def extend(
        self,
        session: str,
        lease_ms: int,
        *,
        memory_bytes: int | None = None,
        stalled: tuple[int, str] | None = None,
        now_ms: int | None = None,
    ) -> None:
        """Move a lease forward.

        Args:
            memory_bytes: what the process holds, if that is known; for people.
            stalled: for how many ms it has not got on, and what it does not do; None when it does.

        Raises:
            SessionLost: it ran out and was rescued.
        """
        memory = "" if memory_bytes is None else memory_bytes
        stalled_ms, duty = stalled or ("", "")
        word = self._scripts.run("extend", _now(now_ms), session, lease_ms, memory, stalled_ms, duty)
        if word == b"session_lost":
            raise SessionLost(session)

    def claim(
        self,
        session: str,
        nonce: str,
        n: int,
        queues: Sequence[str],
        suspects: int = 1,
        ring: bool = False,
        *,
        now_ms: int | None = None,
    ) -> Claim:
        """Take up to ``n`` jobs from ``queues``; see `ClaimOrder`.

        Raises:
            SessionLost: the session is unknown.
        """
        order = ClaimOrder(session, nonce, n, queues, suspects, ring)
        return order.answer(self._scripts.run("claim", *order.arguments(now_ms)))

    def progress(self, id: str, token: str, progress: str, checkpoint: str = "") -> bool:
        """Note how far a running job is (JSON); False when the token is no longer good.

        Args:
            checkpoint: where another delivery of the job would go on (JSON); empty leaves it as it is.
        """
        return bool(self._scripts.run("progress", id, token, progress, checkpoint) == b"done")

    def log(self, id: str, token: str, line: str) -> bool:
        """Add a line to the log of a running job; False when the token is no longer good."""
        return bool(self._scripts.run("log", id, token, line) == b"done")

    def begin_step(
        self, id: str, token: str, step: str, *, over: bool = False, now_ms: int | None = None
    ) -> tuple[str, str]:
        """Note that a running job is about to do what must happen once.

        Args:
            step: its name.
            over: begin it also when an earlier delivery did without saying how that ended.

        Returns:
            A word and the step's result as JSON: ``begun``, ``done`` (alone with a result), ``unknown`` (an earlier
            delivery began it, and nobody knows), ``too_many`` or ``stale`` (the token is no longer good).
        """
        word, *result = self._scripts.run("begin_step", _now(now_ms), id, token, step, int(over), STEPS_LIMIT)
        return word.decode(), result[0].decode() if result else ""

    def end_step(
        self, id: str, token: str, step: str, outcome: str, result: str = "", *, now_ms: int | None = None
    ) -> bool:
        """Note how a step ended; False when the token is no longer good.

        Args:
            outcome: ``done`` or ``not_done``.
            result: JSON, of a step that is done.
        """
        word = self._scripts.run("end_step", _now(now_ms), id, token, step, outcome, result)
        return bool(word == b"ended")

    def settle_step(
        self, id: str, step: str, nonce: str, outcome: str, result: str = "", *, now_ms: int | None = None
    ) -> str:
        """Note how a step ended that was begun, as a person found out.

        Args:
            nonce: of the request; repeated with the same one the call changes nothing.
            outcome: ``done`` or ``not_done``.
            result: JSON, of a step that is done.

        Returns:
            ``settled``, ``running`` (the job may still say so itself), ``done`` (it has), ``no_step`` (nothing of this
            name is in its ledger) or ``unknown`` (there is no such job).
        """
        word: bytes = self._scripts.run("settle_step", _now(now_ms), id, step, nonce, outcome, result)
        return word.decode()

    def finish(self, outcomes: Sequence[Outcome], *, now_ms: int | None = None) -> list[str]:
        """Record how deliveries ended; one word each: ``done``, ``already``, ``stale`` or ``broken``."""
        values = [value for outcome in outcomes for value in outcome.arguments()]
        words = self._scripts.run("finish", _now(now_ms), len(outcomes), *values)
        return [word.decode() for word in words]

    def close_session(self, session: str, *, started: Iterable[str] = (), now_ms: int | None = None) -> None:
        """End a session; what it still holds goes back to its old place, uncharged.

        Args:
            started: ids of those jobs whose actors had started: they have met their deadline.
        """
        began = tuple(started)
        while self._scripts.run("close_session", _now(now_ms), session, CLOSE_LIMIT, *began) == b"more":
            pass

    def rescue(
        self,
        lease_ms: int,
        run_id: str,
        *,
        session: str = "",
        started: Iterable[str] | None = None,
        overdue: str = "",
        ended: str = "died",
        now_ms: int | None = None,
    ) -> Rescued:
        """Take back the jobs of processes that are gone.

        Args:
            run_id: of the server; when it changed, one lease is waited out first.
            session: one whose process is known to be dead; by default all whose lease ran out.
            started: ids of its jobs that had started, when known; the others are handed back uncharged.
            overdue: id of the one job for which the process was killed; only this one is charged.
            ended: how the named one did, as words behind "its worker process": "ended with exit code 7".
        """
        known = started is not None
        reply = self._scripts.run(
            "rescue",
            _now(now_ms),
            lease_ms,
            run_id,
            RESCUE_LIMIT,
            *CRASH_WAITS_MS,
            session,
            overdue,
            int(known),
            ended,
            *(started or ()),
        )
        return Rescued(reply[0] == b"holding", reply[1], reply[2], bool(reply[3]))

    def cancel(self, id: str, *, now_ms: int | None = None) -> str:
        """Stop a job: ``cancelled``, ``asked`` (its process is told), ``finished`` or ``unknown``."""
        word: bytes = self._scripts.run("cancel", _now(now_ms), id)
        return word.decode()

    def purge(self, queue: str, most: int, *, now_ms: int | None = None) -> int:
        """Cancel jobs that wait in a queue, at most ``most``; returns how many were."""
        cancelled, more = 0, 1
        while more and cancelled < most:
            number, more = self._scripts.run("purge", _now(now_ms), queue, min(SLICE, most - cancelled))
            cancelled += number
        return cancelled

    def run_now(self, id: str, *, now_ms: int | None = None) -> str:
        """Let a job run that waits for its time.

        Returns:
            ``queued``, ``locked`` (it waits for the end of another job that does its work), ``running``,
            ``finished``, ``damaged`` (its record cannot be used) or ``unknown``.
        """
        word: bytes = self._scripts.run("run_now", _now(now_ms), id)
        return word.decode()

    def tell_worker(self, session: str, word: Literal["quiet", "stop"], *, now_ms: int | None = None) -> bool:
        """Ask a worker process to take no more jobs, or to stop as by SIGTERM; False when there is no such process."""
        return bool(self._scripts.run("tell_worker", _now(now_ms), session, word) == b"told")

    def replay(
        self, ids: Sequence[str], nonce: str, *, until_ms: int | None = None, now_ms: int | None = None
    ) -> list[str]:
        """Put dead or cancelled jobs back, each with a new round of attempts and without its deadline.

        Args:
            nonce: of the request; a job that was put back under it is not put back again.
            until_ms: leave alone what ended after this instant, and what was run again with other arguments.

        Returns:
            One word per job: ``replayed``, ``active`` (it waits or runs), ``finished`` (it succeeded or expired),
            ``later`` or ``replaced`` (see above), ``locked`` (another job does its work), ``damaged`` (its record
            cannot be used) or ``unknown``.
        """
        return [
            word.decode()
            for some in _slices(ids)
            for word in self._scripts.run(
                "replay", _now(now_ms), nonce, "" if until_ms is None else until_ms, *some
            )
        ]

    def replay_as(self, id: str, job: NewJob, *, now_ms: int | None = None) -> tuple[str, str]:
        """Run a dead or cancelled job again as a new one.

        Args:
            id: of the old job, which stays as it is and names the new one.
            job: the new one, under an id of its own; not created when another job does its work, whatever its
                lock says.

        Returns:
            ``replayed``, ``active``, ``finished``, ``unknown``, ``has_steps`` (it has begun to do something once) or
            ``locked``; and the id of the other job when locked.
        """
        if job.lock is not None:
            job = replace(job, lock=replace(job.lock, on_conflict="reject"))
        word, *other = self._scripts.run("replay_as", _now(now_ms), id, *job.arguments())
        return word.decode(), other[0].decode() if other else ""

    def delete(
        self, ids: Sequence[str], *, until_ms: int | None = None, now_ms: int | None = None
    ) -> list[str]:
        """Remove finished jobs with all that belongs to them.

        Args:
            until_ms: leave alone what ended after this instant.

        Returns:
            One word per job: ``deleted``, ``active`` (it waits or runs), ``later`` or ``unknown``.
        """
        return [
            word.decode()
            for some in _slices(ids)
            for word in self._scripts.run("delete", _now(now_ms), "" if until_ms is None else until_ms, *some)
        ]

    def pause(
        self, queue: str, reason: str, at_ms: int, until_ms: int | None = None, *, by: str = ""
    ) -> None:
        """Start no more jobs of a queue, until an instant or until it is resumed; what runs goes on.

        Args:
            reason: for people.
            at_ms: now, for people.
            by: who asks for it, for people.
        """
        about = json.dumps({"reason": reason, "paused_at_ms": at_ms, "by": by}, separators=(",", ":"))
        self._scripts.run("pause", queue, "" if until_ms is None else until_ms, about)

    def resume(self, queue: str) -> None:
        """Start jobs of a queue again."""
        self._scripts.run("resume", queue)

    def limit(self, queue: str, max_depth: int | None) -> None:
        """Refuse jobs from outside while this many wait in a queue; None: never."""
        self._scripts.run("limit", queue, "" if max_depth is None else max_depth)

    def spend(self, who: str, much: int, most: int, window_ms: int) -> Spent:
        """Take from what somebody may ask for in a window: all of it, or nothing."""
        word, left, ends_in_ms = self._scripts.run("spend", who, much, most, window_ms)
        return Spent(word == b"spent", left, ends_in_ms)

    def expire(self, *, now_ms: int | None = None) -> tuple[int, bool]:
        """End jobs that nobody started before their deadline.

        Returns:
            How many expired, and whether more remain.
        """
        expired, more = self._scripts.run("expire", _now(now_ms), EXPIRE_LIMIT)
        return expired, bool(more)

    def prune(
        self, retention: Mapping[str, tuple[int, int]], *, now_ms: int | None = None
    ) -> tuple[int, bool]:
        """Remove finished jobs past their retention.

        Args:
            retention: final state -> (milliseconds, number of jobs) to keep.

        Returns:
            How many were removed, and whether more remain.
        """
        values = [value for state, keep in retention.items() for value in (state, *keep)]
        removed, more = self._scripts.run("prune", _now(now_ms), PRUNE_LIMIT, *values)
        return removed, bool(more)

    def create_group(self, id: str, size: int, keep_ms: int) -> None:
        """Prepare to count the members of a group; they join in finish."""
        key = self.keys.group(id)
        with translated(), self.client.pipeline() as pipe:
            pipe.hsetnx(key, "size", str(size))
            pipe.pexpire(key, keep_ms)
            pipe.execute()

    def ring(self, session: str) -> None:
        """Ring a session's bell: its listener looks again at what to wait for."""
        with translated():
            self.client.zadd(self.keys.bell(session), {"ring": 0})

    def server_run_id(self) -> str:
        """The server's run id, which changes when it restarts."""
        with translated():
            info: dict[str, Any] = self.client.info("server")
        return str(info["run_id"])


def _slices(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(ids), SLICE):
        yield ids[begin : begin + SLICE]


def _now(now_ms: int | None) -> str | int:
    return "" if now_ms is None else now_ms
