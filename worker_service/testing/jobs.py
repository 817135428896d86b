"""`Jobs`: what a test asks of simulated jobs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn

import dramatiq

from ..broker.submission import milliseconds
from ..jobs.states import State
from .clock import Clock
from .killing import ProcessKilled, point_of
from .record import TestJob
from .stub import Stub

MOST_RUNS = 1_000
"""Of one `Jobs.drain`: jobs that send themselves again would keep it for ever."""

_SHOWN = 20


class Jobs:
    """The jobs that were sent, in memory. Nothing runs until the test says so, and then in its own thread.

    Attributes:
        clock: the time of delays, retries, deadlines and locks.
    """

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self.clock: Clock = stub.clock

    @property
    def all(self) -> list[TestJob]:
        """Every job, in the order in which they were sent."""
        return list(self._stub.memory.jobs.values())

    def of(self, actor: "dramatiq.Actor[Any, Any] | str") -> list[TestJob]:
        """Those of one actor."""
        self._check_broker(actor)
        return [job for job in self.all if job.actor == _name(actor)]

    def one(self, sent: "dramatiq.Message[Any] | dramatiq.Actor[Any, Any] | str") -> TestJob:
        """The job of a message, or the only one of an actor.

        Raises:
            AssertionError: there is none, or more than one.
        """
        if isinstance(sent, dramatiq.Message):
            return self._stub.memory.jobs[sent.message_id]
        found = self.of(sent)
        if len(found) != 1:
            self._fail(f"not one job of {_name(sent)}, but {len(found)}", found)
        return found[0]

    def assert_enqueued(
        self,
        actor: "dramatiq.Actor[Any, Any] | str",
        args: "Mapping[str, Any] | Sequence[Any] | None" = None,
        *,
        queue: str | None = None,
        delay: int | timedelta | None = None,
        tags: Iterable[str] = (),
        count: int | None = None,
    ) -> TestJob:
        """Fail unless a job of this actor waits.

        Args:
            actor: of the job; or its name.
            args: the arguments that it has: a dictionary of some of them by name, or a sequence of the first ones.
            queue: that it waits in.
            delay: from the clock's now until it runs; milliseconds or a timedelta.
            tags: that it has, among others.
            count: how many such jobs there are; at least one without.

        Returns:
            The newest of them.
        """
        found = self._waiting(actor, args, queue=queue, delay=delay, tags=tags)
        if not found or count not in (None, len(found)):
            number = "no job" if not found else f"{len(found)} jobs"
            wanted = "" if count is None else f", not {count},"
            self._fail(f"{number} of {_name(actor)}{wanted} waits{_like(args)}", self.all)
        return found[-1]

    def assert_not_enqueued(
        self,
        actor: "dramatiq.Actor[Any, Any] | str",
        args: "Mapping[str, Any] | Sequence[Any] | None" = None,
    ) -> None:
        """Fail if a job of this actor, with these arguments, waits."""
        found = self._waiting(actor, args)
        if found:
            self._fail(f"{len(found)} jobs of {_name(actor)} wait{_like(args)}", found)

    def perform(self, actor: "dramatiq.Actor[Any, Any]", *args: Any, **kwargs: Any) -> Any:
        """Send a job and run it once, now: what it returns or raises is that of this call.

        Unlike ``actor(...)`` it runs as in a worker: the arguments go through JSON and `current_job` is there.
        """
        self._check_broker(actor)
        sent = actor.send(*args, **kwargs)
        if self._stub.deliver(sent.message_id) is None:
            raise AssertionError(f"the job of {actor.actor_name} does not run now: {self.one(sent).state}")
        if self._stub.last_error is not None:
            raise self._stub.last_error
        return self.one(sent).result

    def run_due(self, *, may_die: bool = False) -> Counter[str]:
        """Run what is due at the clock's now, and what is sent meanwhile and due at once.

        Args:
            may_die: whether jobs that end dead are no failure of the test.

        Returns:
            How many runs ended how: complete, retry, snooze, dead_letter, cancel, crash.

        Raises:
            Exception: what made a job dead.
            AssertionError: a job became dead without an exception, or it does not end.
        """
        ended: Counter[str] = Counter()
        self._run(ended, may_die)
        return ended

    def drain(self, *, may_die: bool = False) -> Counter[str]:
        """The same until no job is left that waits: the clock is moved to when the next is due, again and again."""
        ended: Counter[str] = Counter()
        self._run(ended, may_die)
        while (due := self._stub.memory.next_due_ms()) is not None:
            self.clock.now_ms = max(self.clock.now_ms, due)
            self._run(ended, may_die)
        return ended

    def crash(
        self,
        *,
        before: Any = None,
        after: Any = None,
        at_line: tuple[Any, int] | None = None,
        times: int = 1,
    ) -> None:
        """Let the process of a job die, as by SIGKILL, when it comes to a point. The job is delivered again.

        Say one of:
            before: a Python function, or an actor: dies instead of calling it.
            after: the same: dies when it has returned, before the caller knows.
            at_line: a function or an actor, and one of `lines_of` it: dies before that line.

        Args:
            times: how often; a job that is delivered again comes to the point again.
        """
        self._stub.points += [point_of(before, after, at_line)] * times

    def kill(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Let the process die here; for stand-ins that a test writes: ``mock.side_effect = jobs.kill``."""
        self._stub.cut_off()
        raise ProcessKilled("killed by the test")

    def check_crashes(self) -> None:
        """Fail if a crash that was asked for did not come; called at the end of the test.

        A line may be one that no run comes to: crashes at lines do not count.
        """
        left = [point.shown for point in self._stub.points if point.must_come]
        if left:
            raise AssertionError(f"no job came to where it was to crash: {', '.join(left)}")

    def _check_broker(self, actor: "dramatiq.Actor[Any, Any] | str") -> None:
        """What is sent to another broker would never be seen here."""
        if isinstance(actor, dramatiq.Actor) and actor.broker is not self._stub.broker:
            raise AssertionError(
                f"actor {actor.actor_name!r} is on another broker ({type(actor.broker).__name__}): declare it with "
                "'from worker_service import actor', or call worker_service.registry.broker() before it is imported"
            )

    def _run(self, ended: Counter[str], may_die: bool) -> None:
        while (id := self._stub.deliver()) is not None:
            job = self._stub.memory.jobs[id]
            ended[job.deliveries[-1]] += 1
            if job.state is State.DEAD and not may_die:
                if self._stub.last_error is not None and not isinstance(self._stub.last_error, ProcessKilled):
                    raise self._stub.last_error
                raise AssertionError(f"the job of {job.actor} is dead: {job.reason}")
            if ended.total() >= MOST_RUNS:
                self._fail(f"still not done after {MOST_RUNS} runs", self.all)

    def _waiting(
        self,
        actor: "dramatiq.Actor[Any, Any] | str",
        args: "Mapping[str, Any] | Sequence[Any] | None",
        *,
        queue: str | None = None,
        delay: int | timedelta | None = None,
        tags: Iterable[str] = (),
    ) -> list[TestJob]:
        due_at = None if delay is None else self.clock.now_ms + (milliseconds(delay, "delay") or 0)
        return [
            job
            for job in self.of(actor)
            if not job.is_final
            and _has(job, args)
            and queue in (None, job.queue)
            and due_at in (None, job.due_at_ms)
            and set(tags) <= set(job.new.tags)
        ]

    def _fail(self, what: str, among: Sequence[TestJob]) -> NoReturn:
        shown = [f"  {job.actor} {job.args} {job.state}, queue {job.queue}" for job in among[-_SHOWN:]]
        raise AssertionError("\n".join([f"{what}; there are:", *(shown or ["  none"])]))


def _has(job: TestJob, args: "Mapping[str, Any] | Sequence[Any] | None") -> bool:
    if args is None:
        return True
    if isinstance(args, Mapping):
        return all(name in job.args and job.args[name] == value for name, value in args.items())
    return list(job.args.values())[: len(args)] == list(args)


def _like(args: Any) -> str:
    return "" if args is None else f" with {args!r}"


def _name(actor: "dramatiq.Actor[Any, Any] | str") -> str:
    return actor if isinstance(actor, str) else actor.actor_name
