"""once(): an effect of a job happens once, although the job runs several times."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.broker.conftest import Declare, Ended, MakeBroker, Working, an_actor
from tests.broker.test_current_job import take_away
from tests.waiting import wait_until
from worker_service import Happened, NotHappened, PermanentError, once
from worker_service.broker.broker import JobBroker
from worker_service.broker.interrupts import LeaseLost
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.errors import NoCurrentJob, StoreUnavailable
from worker_service.jobs.states import State
from worker_service.jobs.steps import STEP_RESULT_LIMIT, STEPS_LIMIT
from worker_service.store import Job

QUICK = {"min_backoff": 1, "max_backoff": 2}


class Bank:
    """Counts charges, and fails when told to."""

    def __init__(self) -> None:
        self.charged: list[str] = []
        self.asked: list[str] = []

    def charge(self, key: str) -> str:
        self.charged.append(key)
        return f"ch_{len(self.charged)}"

    def find(self, key: str) -> Happened | NotHappened:
        self.asked.append(key)
        return Happened(f"ch_{self.charged.index(key) + 1}") if key in self.charged else NotHappened()


@pytest.fixture
def bank() -> Bank:
    return Bank()


def error_of(job: Job) -> dict[str, Any]:
    assert job.error is not None
    return job.error


class TestDone:
    def test_step_that_is_done_is_not_done_again(self, declare: Declare, ended: Ended, bank: Bank):
        seen: list[object] = []

        def charge() -> str:
            with once("charge") as step:
                seen.append((step.is_done, step.result))
                if not step.is_done:
                    step.result = bank.charge(step.key)
            if len(seen) < 3:
                raise ValueError("after the step")
            return str(step.result)

        message = declare(charge, **QUICK).send()

        job = ended(message)
        assert (job.state, job.result) == (State.SUCCEEDED, "ch_1")
        assert bank.charged == [f"{message.message_id}:charge"]
        assert seen == [(False, None), (True, "ch_1"), (True, "ch_1")]
        (step,) = job.steps
        assert (step.name, step.state, step.result) == ("charge", "done", "ch_1")

    def test_steps_follow_each_other_and_each_is_done_once(self, declare: Declare, ended: Ended):
        done: list[str] = []

        def work() -> None:
            for name in ("reserve", "charge", "mail"):
                with once(name) as step:
                    was_done = step.is_done
                    if not was_done:
                        done.append(name)
                if not was_done:
                    raise ValueError(f"after {name}")

        job = ended(declare(work, **QUICK).send())
        assert job.state is State.SUCCEEDED
        assert done == ["reserve", "charge", "mail"]
        assert [step.name for step in job.steps] == done

    def test_result_is_what_json_makes_of_it_in_every_run(self, declare: Declare, ended: Ended):
        seen: list[object] = []

        def work() -> None:
            with once("report") as step:
                if not step.is_done:
                    step.result = {"day": date(2026, 1, 31), "pair": (1, 2)}
            seen.append(step.result)
            if len(seen) < 2:
                raise ValueError

        ended(declare(work, **QUICK).send())
        assert seen == [{"day": "2026-01-31", "pair": [1, 2]}] * 2

    def test_step_without_a_result_is_done_too(self, declare: Declare, ended: Ended):
        def work() -> list[object]:
            with once("mail") as step:
                pass
            return [step.is_done, step.result]

        assert ended(declare(work).send()).result == [True, None]

    def test_async_actors_use_it_as_it_is_and_their_tasks_each_have_a_step(
        self, declare: Declare, ended: Ended, bank: Bank
    ):
        runs: list[int] = []

        async def one(name: str) -> Any:
            with once(name) as step:
                await asyncio.sleep(0)
                if not step.is_done:
                    step.result = bank.charge(step.key)
            return step.result

        async def work() -> list[Any]:
            runs.append(1)
            found = [*await asyncio.gather(one("a"), one("b"))]
            if len(runs) < 2:
                raise ValueError
            return found

        message = declare(work, **QUICK).send()
        assert ended(message).result == ["ch_1", "ch_2"]
        assert bank.charged == [f"{message.message_id}:a", f"{message.message_id}:b"]


def charging(bank: Bank, fail: Callable[[], None], **policy: Any) -> Callable[[], str]:
    """An actor whose step charges, and then does what the first runs are told to."""

    def charge() -> str:
        with once("charge", **policy) as step:
            if not step.is_done:
                step.result = bank.charge(step.key)
                fail()
        return str(step.result)

    return charge


def raises(times: int) -> Callable[[], None]:
    left = iter([True] * times)

    def fail() -> None:
        if next(left, False):
            raise ConnectionError("the answer did not come")

    return fail


class TestUnknown:
    def test_by_default_the_job_is_given_up_for_a_person(self, declare: Declare, ended: Ended, bank: Bank):
        message = declare(charging(bank, raises(1)), **QUICK).send()

        job = ended(message)

        assert (job.state, job.reason, job.attempts) == (State.DEAD, "unknown_outcome", 2)
        assert error_of(job)["type"] == "UnknownOutcome"
        says = error_of(job)["message"]
        assert f'POST /v1/jobs/{job.id}/steps/charge with {{"outcome": "done"}}' in says
        assert '{"outcome": "not_done"}' in says
        assert says.endswith(f"POST /v1/jobs/{job.id}/retry")
        assert [step.state for step in job.steps] == ["begun"]
        assert len(bank.charged) == 1

    def test_what_the_person_says_decides_the_replay(
        self, served: JobBroker, declare: Declare, ended: Ended, bank: Bank
    ):
        message = declare(charging(bank, raises(1)), **QUICK).send()
        id = ended(message).id
        assert served.store.settle_step(id, "charge", "n1", "done", '"ch_1"') == "settled"

        served.store.replay([id], "n2")

        assert ended(message).result == "ch_1"
        assert len(bank.charged) == 1

    def test_what_the_person_says_did_not_happen_is_done_by_the_replay(
        self, served: JobBroker, declare: Declare, ended: Ended, bank: Bank
    ):
        message = declare(charging(bank, raises(1)), **QUICK).send()
        id = ended(message).id
        served.store.settle_step(id, "charge", "n1", "not_done")

        served.store.replay([id], "n2")

        assert ended(message).result == "ch_2"

    def test_retry_does_it_again_under_the_same_key(self, declare: Declare, ended: Ended, bank: Bank):
        message = declare(charging(bank, raises(2), on_unknown="retry"), **QUICK).send()
        assert ended(message).result == "ch_3"
        assert bank.charged == [f"{message.message_id}:charge"] * 3

    def test_verify_that_finds_it_gives_its_result(self, declare: Declare, ended: Ended, bank: Bank):
        message = declare(charging(bank, raises(1), verify=bank.find), **QUICK).send()

        job = ended(message)

        assert job.result == "ch_1"
        assert bank.charged == bank.asked == [f"{message.message_id}:charge"]
        assert [(step.state, step.result) for step in job.steps] == [("done", "ch_1")]

    def test_verify_that_does_not_find_it_lets_it_be_done(self, declare: Declare, ended: Ended, bank: Bank):
        fail = raises(1)

        def charge() -> str:
            with once("charge", verify=bank.find) as step:
                if not step.is_done:
                    fail()
                    step.result = bank.charge(step.key)
            return str(step.result)

        assert ended(declare(charge, **QUICK).send()).result == "ch_1"
        assert len(bank.asked) == 1

    def test_verify_that_fails_is_asked_again_by_the_next_attempt(
        self, declare: Declare, ended: Ended, bank: Bank
    ):
        away = raises(2)

        def find(key: str) -> Happened | NotHappened:
            away()
            return bank.find(key)

        job = ended(declare(charging(bank, raises(1), verify=find), **QUICK).send())
        assert (job.state, job.result, job.attempts) == (State.SUCCEEDED, "ch_1", 3)
        assert len(bank.charged) == 1

    @pytest.mark.parametrize("said", [None, False, "ch_1", Happened])
    def test_verify_that_says_neither_is_a_mistake_and_nothing_is_done(
        self, declare: Declare, ended: Ended, bank: Bank, said: Any
    ):
        job = ended(declare(charging(bank, raises(1), verify=lambda _: said), **QUICK).send())
        assert (job.state, job.reason) == (State.DEAD, "permanent_error")
        assert "return Happened(...) or NotHappened()" in error_of(job)["message"]
        assert len(bank.charged) == 1
        assert [step.state for step in job.steps] == ["begun"]

    def test_refusal_is_no_unknown_outcome(self, declare: Declare, ended: Ended, bank: Bank):
        refusals = raises(2)

        def charge() -> str:
            with once("charge") as step:
                if not step.is_done:
                    try:
                        refusals()
                        step.result = bank.charge(step.key)
                    except ConnectionError:
                        step.nothing_happened()
                        raise
            return str(step.result)

        job = ended(declare(charge, **QUICK).send())
        assert (job.state, job.result, job.attempts) == (State.SUCCEEDED, "ch_1", 2)

    def test_result_after_a_refusal_says_that_something_happened(
        self, declare: Declare, ended: Ended, bank: Bank
    ):
        def charge() -> str:
            with once("charge") as step:
                step.nothing_happened()  # the first card was refused
                step.result = bank.charge(step.key)
            return str(step.result)

        job = ended(declare(charge).send())
        assert [(step.state, step.result) for step in job.steps] == [("done", "ch_1")]

    def test_what_is_raised_after_a_refusal_that_was_withdrawn_leaves_it_in_doubt(
        self, declare: Declare, ended: Ended, bank: Bank
    ):
        def charge() -> None:
            with once("charge") as step:
                step.nothing_happened()
                step.result = bank.charge(step.key)
                raise PermanentError("after all")

        assert [step.state for step in ended(declare(charge).send()).steps] == ["begun"]

    def test_step_of_which_nothing_happened_is_not_done_when_it_is_left_normally(
        self, declare: Declare, ended: Ended
    ):
        def charge() -> bool:
            with once("charge") as step:
                step.nothing_happened()
            return step.is_done

        job = ended(declare(charge).send())
        assert (job.result, job.steps) == (False, [])


class TestLost:
    """Another process has the job: what this run says of its steps does not count."""

    def test_stale_run_cannot_begin_a_step(
        self, served: JobBroker, declare: Declare, ended: Ended, bank: Bank
    ):
        lost: list[str] = []

        def charge() -> str:
            if not lost:
                lost.append("once")
                take_away(served, message.message_id)
                with pytest.raises(LeaseLost), once("charge") as step:
                    bank.charge(step.key)
                raise LeaseLost
            with once("charge") as step:
                if not step.is_done:
                    step.result = bank.charge(step.key)
            return str(step.result)

        actor = declare(charge)
        message = actor.message()
        served.enqueue(message)
        assert ended(message).result == "ch_1"
        assert len(bank.charged) == 1

    def test_stale_run_cannot_end_a_step_and_the_next_one_has_to_ask(
        self, served: JobBroker, declare: Declare, ended: Ended, bank: Bank
    ):
        def lose() -> None:
            if len(bank.charged) == 1:
                take_away(served, message.message_id)

        actor = declare(charging(bank, lose, verify=bank.find))
        message = actor.message()
        served.enqueue(message)

        job = ended(message)

        assert (job.result, len(bank.charged)) == ("ch_1", 1)
        assert bank.asked == [f"{message.message_id}:charge"]

    def test_stale_run_cannot_take_a_step_back_and_keeps_its_own_error(
        self, served: JobBroker, declare: Declare, ended: Ended, bank: Bank
    ):
        raised: list[BaseException] = []

        def charge() -> str:
            try:
                with once("charge", verify=bank.find) as step:
                    if not step.is_done:
                        step.result = bank.charge(step.key)
                        take_away(served, message.message_id)
                        step.nothing_happened()
                        raise ValueError("refused")
            except ValueError as error:
                raised.append(error)
                raise
            return str(step.result)

        actor = declare(charge)
        message = actor.message()
        served.enqueue(message)
        assert ended(message).result == "ch_1"
        wait_until(lambda: raised)
        assert len(bank.charged) == 1


def test_end_that_cannot_be_written_for_long_is_an_unknown_outcome(
    make_broker: MakeBroker,
    working: Working,
    server_binary: str | None,
    monkeypatch: pytest.MonkeyPatch,
    bank: Bank,
):
    monkeypatch.setattr("worker_service.broker.once.END_SECONDS", 0.1)
    raised: list[str] = []
    with EmbeddedServer(binary=server_binary, extra={"appendfsync": "always"}) as own:
        broker = make_broker(url=own.url)

        def charge() -> None:
            try:
                with once("charge") as step:
                    bank.charge(step.key)
                    own.kill()
            except StoreUnavailable as error:
                raised.append(str(error))
                raise

        actor = an_actor(broker, charge, min_backoff=1, max_backoff=2)
        with working(broker):
            message = actor.send()
            wait_until(lambda: raised)
            own.start()
            job = broker.reads.wait_until_final(message.message_id, timeout=20)

    assert job is not None
    assert (job.state, job.reason, job.attempts) == (State.DEAD, "unknown_outcome", 2)
    assert len(bank.charged) == 1


def test_store_that_is_away_is_retried_whatever_retry_on_says(declare: Declare, ended: Ended):
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        if len(runs) < 2:
            raise StoreUnavailable("Redis is away")

    assert ended(declare(work, retry_on=KeyError, **QUICK).send()).state is State.SUCCEEDED


class TestMisuse:
    def dies_of(self, declare: Declare, ended: Ended, fn: Callable[[], Any], says: str) -> Job:
        job = ended(declare(fn, **QUICK).send())
        assert (job.state, job.attempts) == (State.DEAD, 1)
        assert says in error_of(job)["message"]
        return job

    def test_step_that_is_used_without_with_is_not_begun(self, declare: Declare, ended: Ended):
        def work() -> None:
            step: Any = once("charge")
            with pytest.raises(AttributeError, match="no is_done outside of its block: `with once"):
                assert step.is_done
            step.result = 3

        assert self.dies_of(declare, ended, work, "'charge' has no result outside of its block").steps == []

    def test_async_with_is_refused_in_words(self, declare: Declare, ended: Ended):
        async def work() -> None:
            given: Any = once("charge")
            async with given:
                pass

        job = ended(declare(work, max_attempts=1).send())
        assert error_of(job)["type"] == "TypeError"
        assert "use a plain `with`" in error_of(job)["message"]
        assert job.steps == []

    def test_verify_that_does_not_tell_its_arguments_is_taken(self, declare: Declare, ended: Ended):
        def work() -> None:
            with once("charge", verify=dict):  # type: ignore[arg-type]
                pass

        assert [step.state for step in ended(declare(work).send()).steps] == ["done"]

    @pytest.mark.parametrize("name", ["", "-a", "_a", "a b", "../x", ".", "x" * 65, "ü", "a/b", "a\n"])
    def test_name_of_bad_form(self, declare: Declare, ended: Ended, name: str):
        def work() -> None:
            with once(name):
                pass

        assert self.dies_of(declare, ended, work, "cannot name a step").steps == []

    def test_same_name_twice_in_one_run(self, declare: Declare, ended: Ended):
        def work() -> None:
            for _ in range(2):
                with once("mail"):
                    pass

        job = self.dies_of(declare, ended, work, "a second time in one run")
        assert [step.state for step in job.steps] == ["done"]

    def test_step_inside_of_another(self, declare: Declare, ended: Ended):
        def work() -> None:
            with once("outer"), once("inner"):
                pass

        job = self.dies_of(declare, ended, work, "'inner' begins inside of step 'outer'")
        assert [(step.name, step.state) for step in job.steps] == [("outer", "begun")]

    def test_too_many(self, declare: Declare, ended: Ended):
        def work() -> None:
            for number in range(STEPS_LIMIT + 1):
                with once(f"mail-{number}"):
                    pass

        job = self.dies_of(declare, ended, work, "one too many")
        assert len(job.steps) == STEPS_LIMIT

    @pytest.mark.parametrize(
        ("policy", "says"),
        [
            ({"on_unknown": "ignore"}, "use 'manual' or 'retry'"),
            ({"on_unknown": "retry", "verify": lambda _: NotHappened()}, "leave on_unknown= out"),
            ({"verify": asyncio.sleep}, "give a plain function"),
            ({"verify": "find_charge"}, "give a function of one argument"),
            ({"verify": NotHappened}, "give a function of one argument"),
            ({"verify": lambda key, other: NotHappened()}, "give a function of one argument"),
        ],
    )
    def test_policy_that_cannot_be(self, declare: Declare, ended: Ended, policy: dict[str, Any], says: str):
        def work() -> None:
            once("charge", **policy)

        assert self.dies_of(declare, ended, work, says).steps == []

    @pytest.mark.parametrize(
        ("value", "says"),
        [({1, 2}, ""), (object(), "is not JSON"), ("x" * STEP_RESULT_LIMIT, "at most 8192")],
    )
    def test_result_that_cannot_be_kept_leaves_the_step_to_a_person(
        self, declare: Declare, ended: Ended, value: Any, says: str
    ):
        def work() -> None:
            with once("report") as step:
                step.result = value

        if not says:
            assert ended(declare(work).send()).steps[0].result == [1, 2]
            return
        job = self.dies_of(declare, ended, work, says)
        assert [step.state for step in job.steps] == ["begun"]

    def test_result_of_a_step_that_is_done_is_not_replaced(self, declare: Declare, ended: Ended):
        def work() -> None:
            with once("charge") as step:
                step.result = 1
            step.result = 2

        job = self.dies_of(declare, ended, work, "under `if not step.is_done` only")
        assert job.steps[0].result == 1

    def test_what_is_done_did_happen(self, declare: Declare, ended: Ended):
        def work() -> None:
            with once("charge") as step:
                pass
            step.nothing_happened()

        assert self.dies_of(declare, ended, work, "it did happen").steps[0].state == "done"

    def test_outside_of_a_job(self):
        with pytest.raises(NoCurrentJob, match="no job runs here"), once("charge"):
            pass

    def test_permanent_error_in_a_step_keeps_its_own_reason(self, declare: Declare, ended: Ended):
        def work() -> None:
            with once("charge") as step:
                step.nothing_happened()
                raise PermanentError("the card is stolen")

        job = self.dies_of(declare, ended, work, "stolen")
        assert (job.reason, job.steps) == ("permanent_error", [])

    def test_failed_step_is_no_hindrance_for_the_next_job_of_its_thread(self, declare: Declare, ended: Ended):
        def fail() -> None:
            with once("charge"):
                raise PermanentError

        def work() -> str:
            with once("charge") as step:
                step.result = "fine"
            return str(step.result)

        failing, working = declare(fail), declare(work)
        for message in [failing.send() for _ in range(16)]:
            assert ended(message).state is State.DEAD
        for message in [working.send() for _ in range(16)]:
            assert ended(message).result == "fine"
