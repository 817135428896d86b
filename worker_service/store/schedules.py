"""Schedules in the store: their definitions, their ticks, and which scheduler process fires them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from ..jobs.schedule_names import is_name
from .connection import COMMAND_TIMEOUT, connect, translated
from .keys import Keys
from .line import Line
from .records import NewJob, Submitted
from .schedule_record import Damaged, ScheduleRef, StoredSchedule, Tick, read_schedule, read_tick
from .scripts import Scripts

BELL_SECONDS = 5.0
NONE = "0"
"""The edition of a schedule that is not there."""
LONGEST_REASON = 500
NO_KEY = ("", "", "")
MOST_SCHEDULES = 10_000
"""How many are read at most."""


@dataclass(frozen=True, slots=True)
class Lead:
    """What a scheduler process learns when it says that it lives.

    Attributes:
        leads: whether it is the one that fires.
        is_new: whether it was not the last time it asked: what it knows of schedules is out of date.
        now_ms: the server's clock.
        changes: how often schedules were changed so far; another number means that they are to be read again.
    """

    leads: bool
    is_new: bool
    now_ms: int
    changes: int


class Schedules:
    """The schedules of one namespace. Every method may be repeated with the same arguments.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self.keys = Keys(namespace)
        self._scripts = Scripts(client.execute_command, self.keys.prefix)

    def put(
        self,
        name: str,
        definition: str,
        *,
        uid: str,
        next_ms: int | None,
        max_runs: int | None = None,
        expected: str | None = None,
        now_ms: int | None = None,
    ) -> tuple[str, int]:
        """Create a schedule, or replace its definition.

        Args:
            definition: JSON.
            uid: of a new one.
            expected: the edition it has to have; `NONE`: there must be none.

        Returns:
            ``created``, ``updated``, ``unchanged``, ``conflict`` (another edition), ``from_code`` or ``behind`` (the
            tick was fired meanwhile: look again); and its version.
        """
        word, version = self._scripts.run(
            "put_schedule",
            _text(now_ms),
            name,
            expected or "",
            uid,
            definition,
            _text(next_ms),
            _text(max_runs),
        )
        return word.decode(), version

    def declare(
        self,
        name: str,
        definition: str,
        *,
        uid: str,
        next_ms: int | None,
        scheduler: str,
        quiet_ms: int,
        max_runs: int | None = None,
        now_ms: int | None = None,
    ) -> str:
        """Say that the code of this process has a schedule.

        Args:
            scheduler: the process that says so, see `lead`.
            quiet_ms: how long newer code must have been silent before older code has its way.

        Returns:
            ``created``, ``updated``, ``unchanged``, ``older`` (newer code says otherwise), ``taken`` (the API has a
            schedule of this name), ``behind`` (the tick was fired meanwhile: look again) or ``damaged`` (its key is of
            another type).
        """
        word: bytes = self._scripts.run(
            "declare_schedule",
            _text(now_ms),
            name,
            uid,
            definition,
            _text(next_ms),
            _text(max_runs),
            scheduler,
            quiet_ms,
        )
        return word.decode()

    def remove(self, name: str, *, expected: str | None = None) -> str:
        """Remove a schedule of the API: ``removed``, ``unknown``, ``conflict`` or ``from_code``."""
        return self._remove(name, expected or "", "")

    def retire(self, name: str, silent_since_ms: int) -> str:
        """Remove one that no code has declared since an instant: ``removed``, ``unknown`` or ``declared``."""
        return self._remove(name, "", silent_since_ms)

    def _remove(self, name: str, expected: str, silent_since: str | int) -> str:
        word: bytes = self._scripts.run("remove_schedule", name, expected, silent_since)
        return word.decode()

    def pause(self, name: str, about: dict[str, Any]) -> str:
        """Fire no more ticks of it: ``paused`` or ``unknown``.

        Args:
            about: for people; kept as JSON.
        """
        word: bytes = self._scripts.run("pause_schedule", name, json.dumps(about, separators=(",", ":")))
        return word.decode()

    def resume(self, name: str, version: int, next_ms: int | None) -> str:
        """Fire its ticks again: ``resumed``, ``unknown`` or ``changed`` (read it again)."""
        word: bytes = self._scripts.run("resume_schedule", name, version, _text(next_ms))
        return word.decode()

    def fire(
        self,
        schedule: ScheduleRef,
        tick_ms: int,
        job: NewJob,
        *,
        next_ms: int | None,
        cause: str = "tick",
        now_ms: int | None = None,
    ) -> tuple[str, str]:
        """Create the job of one tick.

        Args:
            job: under an id that this tick and cause alone lead to.
            next_ms: the tick after this one; not used when the cause is another than ``tick``.

        Returns:
            ``fired``, ``follows`` (the job waits for an earlier one), ``already``, ``skipped``, ``changed`` or
            ``paused``; and the id of the earlier job when skipped.
        """
        return _fired(
            self._scripts.run(
                "fire", _text(now_ms), *schedule, tick_ms, cause, _text(next_ms), *NO_KEY, *job.arguments()
            )
        )

    def run_now(
        self, schedule: ScheduleRef, at_ms: int, job: NewJob, *, now_ms: int | None = None
    ) -> Submitted:
        """Create a job because somebody asks for it now; under the key of the request (`NewJob.idempotency`) once.

        Returns:
            ``fired``, ``already`` (a repeated call), ``skipped`` or ``changed``, with the id of the job that is there;
            ``replayed`` with the job that the key made before, or ``conflict`` when that was another request.
        """
        key = job.idempotency.arguments() if job.idempotency else NO_KEY
        word, *about = self._scripts.run(
            "fire", _text(now_ms), *schedule, at_ms, "run_now", "", *key, *job.arguments()
        )
        if word == b"replayed":
            return Submitted("replayed", about[0], *(text.decode() for text in about[1:]))
        return Submitted(word.decode(), 0, about[0].decode() if word == b"skipped" else job.id)

    def fire_many(
        self, ticks: Sequence[tuple[ScheduleRef, int, int | None, NewJob]]
    ) -> list[tuple[str, str] | Exception]:
        """Create the jobs of one tick of each of some schedules, in one round trip.

        Args:
            ticks: schedule, tick, the tick after it, job. One of each schedule: when it cannot be fired, a later one
                must not be.

        Returns:
            For each what `fire` returns, or why it may not have been fired.

        Raises:
            StoreUnavailable: Redis is away.
        """
        replies = self._scripts.run_all(
            self._client,
            "fire",
            [
                ("", *schedule, tick_ms, "tick", _text(next_ms), *NO_KEY, *job.arguments())
                for schedule, tick_ms, next_ms, job in ticks
            ],
        )
        return [reply if isinstance(reply, Exception) else _fired(reply) for reply in replies]

    def miss(
        self,
        schedule: ScheduleRef,
        due_ms: int,
        tick_ms: int,
        count: int,
        *,
        next_ms: int | None,
        or_more: bool = False,
    ) -> str:
        """Give up ``count`` ticks from ``due_ms`` on, the newest of which is ``tick_ms``.

        Args:
            due_ms: the schedule's next tick when they were counted.
            count: 0 when ``due_ms`` is none of its ticks: it is to go on with ``next_ms``.
            or_more: whether the counting was cut.

        Returns:
            ``missed``, ``already`` or ``changed``.
        """
        word: bytes = self._scripts.run(
            "miss", *schedule, due_ms, tick_ms, _text(next_ms), count, "+" if or_more else ""
        )
        return word.decode()

    def hinder(self, schedule: ScheduleRef, why: str) -> str:
        """Say why ticks of it wait: nobody can make jobs of them. ``hindered`` or ``changed``."""
        word: bytes = self._scripts.run("hinder_schedule", *schedule, why[:LONGEST_REASON])
        return word.decode()

    def lead(self, scheduler: str, lease_ms: int, *, leaves: bool = False, now_ms: int | None = None) -> Lead:
        """Say that a scheduler process lives, or leaves.

        Args:
            scheduler: ``host:pid:random@code-digest``: the version of its code, and what it declares.
        """
        word, now, changes = self._scripts.run("lead", _text(now_ms), scheduler, lease_ms, int(not leaves))
        return Lead(word != b"follows", word == b"takes", now, changes)

    def schedulers(self) -> dict[str, float]:
        """Ids of the scheduler processes -> when their leases end, in UTC ms; some may have ended."""
        with translated():
            found: Any = self._client.zrange(self.keys.schedulers, 0, -1, withscores=True)
        return {id.decode(errors="replace"): end for id, end in found}

    def live_schedulers(self) -> list[str]:
        """Those of them whose lease has not ended, by their ids; see `lead`."""
        now_ms = self.now_ms()
        return [id for id, end in self.schedulers().items() if end > now_ms]

    def now_ms(self) -> int:
        """The server's clock, in UTC ms."""
        with translated():
            seconds, micros = self._client.time()
        return seconds * 1000 + micros // 1000

    def leader(self) -> str | None:
        """Id of the scheduler process that fires."""
        with translated():
            found: Any = self._client.get(self.keys.leader)
        return found.decode(errors="replace") if found else None

    def all(self) -> list[StoredSchedule | Damaged]:
        """Every schedule, by its next tick; an entry whose name none can have is told as a damaged one."""
        listed = self._listed()
        strange = [
            Damaged(name.decode(errors="backslashreplace")[:LONGEST_REASON], "no schedule can have this name")
            for name in listed
            if not _is_name(name)
        ]
        return self.read([name.decode() for name in listed if _is_name(name)]) + strange

    def names(self) -> list[str]:
        """All schedules, by their next tick."""
        return [name.decode() for name in self._listed() if _is_name(name)]

    def overdue(self, since_ms: int) -> list[str]:
        """Those whose next tick came before an instant."""
        with translated():
            found: Any = self._client.zrange(self.keys.schedules, 0, since_ms, byscore=True)
        return [name.decode() for name in found if _is_name(name)]

    def _listed(self) -> list[bytes]:
        with translated():
            found: Any = self._client.zrange(self.keys.schedules, 0, MOST_SCHEDULES - 1)
        return list(found)

    def get(self, name: str) -> StoredSchedule | Damaged | None:
        """One schedule; None when there is none."""
        return next(iter(self.read([name])), None)

    def read(self, names: Sequence[str]) -> list[StoredSchedule | Damaged]:
        """These schedules, in one round trip; those that are gone are left out."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(self.keys.schedule(name))
            replies = pipe.execute(raise_on_error=False)
        return [read_schedule(name, fields) for name, fields in zip(names, replies, strict=True) if fields]

    def declared_before(self, instant_ms: int) -> list[str]:
        """Schedules of code that no scheduler has declared since."""
        return [
            each.name
            for each in self.all()
            if isinstance(each, StoredSchedule)
            and each.source == "code"
            and (each.declared_at_ms or 0) <= instant_ms
        ]

    def history(self, name: str, count: int) -> list[Tick]:
        """The newest ticks and jobs that people asked for, the newest first; what is damaged is left out."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            for key in (self.keys.asked(name), self.keys.ticks(name)):
                pipe.xrevrange(key, count=count)
            streams = pipe.execute(raise_on_error=False)
        found = [read_tick(*entry) for stream in streams if isinstance(stream, list) for entry in stream]
        ticks = [tick for tick in found if tick is not None]
        return sorted(ticks, key=lambda tick: tick.at_ms, reverse=True)[:count]


class SchedulesBell:
    """The wait of the scheduler that leads: until schedules were changed.

    Args:
        url: see `connect`; the connection is used for nothing else.
        namespace: see `Keys`.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._client = connect(url, retries=0, timeout=BELL_SECONDS + COMMAND_TIMEOUT)
        self._line = Line(self._client)
        self._bell = Keys(namespace).bell("schedulers")

    def wait(self, seconds: float) -> None:
        """Return when somebody rang, or after ``seconds``, at most `BELL_SECONDS`."""
        with translated():
            self._line.execute("BZPOPMIN", self._bell, min(seconds, BELL_SECONDS))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _fired(reply: Any) -> tuple[str, str]:
    word, *earlier = reply
    return word.decode(), earlier[0].decode() if earlier else ""


def _is_name(name: bytes) -> bool:
    return name.isascii() and is_name(name.decode())


def _text(value: int | None) -> str | int:
    return "" if value is None else value
