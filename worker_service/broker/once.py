"""once(): an effect of a job that happens once, although the job may run several times.

The store keeps a ledger: a step is begun before its effect and done after it. A run that finds a step done takes its
result. One that finds it begun by an earlier run, which was killed or interrupted or raised there, cannot know whether
the effect happened: only who asked for it can say what to do then, and that is the policy. Both entries are fenced by
the token of the delivery, so a run that lost its job can neither begin nor end a step.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction, signature
from time import monotonic, sleep
from typing import Any, Literal

from dramatiq.logging import get_logger

from ..jobs.errors import StepMisused, StoreUnavailable, UnknownOutcome
from ..jobs.results import result_json
from ..jobs.steps import STEP_RESULT_LIMIT, STEPS_LIMIT, Happened, NotHappened
from ..store import Store
from .block import Block
from .current import CurrentJob
from .interrupts import LeaseLost
from .proxy import JobProxy
from .step import Step, opened

END_SECONDS = 10.0
FIRST_WAIT_SECONDS, LAST_WAIT_SECONDS = 0.05, 1.0

Verify = Callable[[str], Happened | NotHappened]
OnUnknown = Literal["manual", "retry"]

logger = get_logger(__name__)


class LedgerStep(Step):
    """A step in the ledger of the store.

    Args:
        job: the delivery that runs here.
        name: of the step.
    """

    def __init__(self, job: JobProxy, name: str) -> None:
        super().__init__(name, CurrentJob(job).idempotency_key(name))
        assert job.notes is not None
        self._store: Store = job.notes.store
        self._job = job

    def begin(self, verify: Verify | None, on_unknown: OnUnknown) -> None:
        """Enter it in the ledger, or find it done there."""
        word = self._begin(over=on_unknown == "retry")
        if word == "unknown":
            self._resolve(verify)

    def leave(self) -> None:
        """Enter that it is done, unless it was found done, or did not happen."""
        if self.is_done:
            return
        if not self.result_text:
            self._end("not_done")
            return
        self._end("done", self.result_text)
        self.found_done(self.result_text)

    def leave_raising(self) -> None:
        """Enter that it did not happen, if that was said. What was raised in the block goes on in any case."""
        if self.is_done or self.result_text:
            return
        try:
            self._end("not_done")
        except (StoreUnavailable, LeaseLost) as error:
            logger.warning("That step %s did not happen could not be entered: %s", self.name, error)

    def _begin(self, *, over: bool) -> str:
        word, text = self._store.begin_step(
            self._job.claimed.id, self._job.claimed.token, self.name, over=over
        )
        if word == "stale":
            raise self._taken_back()
        if word == "too_many":
            raise StepMisused(f"step {self.name!r} is one too many: the ledger of a job holds {STEPS_LIMIT}")
        if word == "done":
            self.found_done(text)
        return word

    def _resolve(self, verify: Verify | None) -> None:
        if verify is None:
            job = f"/v1/jobs/{self._job.message_id}"
            raise UnknownOutcome(
                f"step {self.name!r} was begun by an earlier run, and nobody knows whether it happened. Look, then say "
                f'so: POST {job}/steps/{self.name} with {{"outcome": "done"}} (and its "result") or '
                f'{{"outcome": "not_done"}}, and put the job back: POST {job}/retry'
            )
        said = verify(self.key)
        if isinstance(said, Happened):
            text = result_json(said.result, STEP_RESULT_LIMIT, f"the result of step {self.name!r}")
            self._end("done", text)
            self.found_done(text)
        elif isinstance(said, NotHappened):
            self._begin(over=True)
        else:
            raise StepMisused(
                f"verify of step {self.name!r} returned {said!r}: return Happened(...) or NotHappened()"
            )

    def _end(self, outcome: str, text: str = "") -> None:
        id, token = self._job.claimed.id, self._job.claimed.token
        if not _patiently(lambda: self._store.end_step(id, token, self.name, outcome, text)):
            raise self._taken_back()

    def _taken_back(self) -> LeaseLost:
        return LeaseLost(
            f"job {self._job.message_id} was taken back; step {self.name!r} is not ours to enter"
        )


def _patiently(write: Callable[[], bool]) -> bool:
    """Try for a while when Redis is away: otherwise what happened is forgotten."""
    give_up_at, wait = monotonic() + END_SECONDS, FIRST_WAIT_SECONDS
    while True:
        try:
            return write()
        except StoreUnavailable as error:
            if monotonic() > give_up_at:
                raise
            logger.warning("Recording the end of a step waits: %s", error)
            sleep(wait)
            wait = min(2 * wait, LAST_WAIT_SECONDS)


def once(name: str, *, verify: Verify | None = None, on_unknown: OnUnknown = "manual") -> Block[LedgerStep]:
    """See `worker_service.once`."""
    _check_policy(verify, on_unknown)
    return Block(name, _in_ledger(name, verify, on_unknown))


@contextmanager
def _in_ledger(name: str, verify: Verify | None, on_unknown: OnUnknown) -> Iterator[LedgerStep]:
    with opened(name) as job:
        step = LedgerStep(job, name)
        step.begin(verify, on_unknown)
        try:
            yield step
        except BaseException:
            step.leave_raising()
            raise
        step.leave()


def _check_policy(verify: Any, on_unknown: Any) -> None:
    if on_unknown not in ("manual", "retry"):
        raise StepMisused(f"on_unknown={on_unknown!r}: use 'manual' or 'retry'")
    if verify is not None and on_unknown != "manual":
        raise StepMisused("verify= decides by itself: leave on_unknown= out")
    if iscoroutinefunction(verify):
        raise StepMisused("verify= is called without await: give a plain function")
    if verify is not None and not _takes_a_key(verify):
        raise StepMisused(
            f"verify={verify!r} cannot be called with step.key: give a function of one argument"
        )


def _takes_a_key(verify: Any) -> bool:
    """Whether it can be called as it will be; asked now, because otherwise it is called only when there is a doubt."""
    try:
        signature(verify).bind("")
    except TypeError:
        return False
    except ValueError:  # a function in C, which does not tell
        pass
    return True
