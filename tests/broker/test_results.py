"""Results: Dramatiq's own calls, over the job record."""

import time
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import dramatiq
import pytest
from dramatiq.results import ResultFailure, ResultMissing, ResultTimeout

from tests.broker.conftest import Declare, Ended
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import PermanentError
from worker_service.jobs.states import State


def result_of(broker: JobBroker, message: Any, **options: Any) -> Any:
    return message.get_result(
        backend=broker.get_results_backend(), **{"block": True, "timeout": 10_000, **options}
    )


class TestValue:
    @pytest.mark.parametrize(
        "value", [None, 0, "", [], {}, [[], {}], 2**70, {"a": [1, None]}, "ünïcode\0", 1e-300]
    )
    def test_it_comes_back_as_it_was(self, served: JobBroker, declare: Declare, value: Any):
        echo = declare(lambda value: value)

        assert result_of(served, echo.send(value)) == value

    def test_what_json_lacks_comes_back_as_over_http(self, served: JobBroker, declare: Declare):
        id = UUID("01900000-0000-7000-8000-000000000000")
        value = {"day": date(2026, 1, 31), "id": id, "price": Decimal("1.10"), "tags": {"a"}}

        result = result_of(served, declare(lambda: value).send())

        assert result == {"day": "2026-01-31", "id": str(id), "price": "1.10", "tags": ["a"]}

    def test_it_can_be_had_again_without_waiting(self, served: JobBroker, declare: Declare, ended: Ended):
        message = declare(lambda: 7).send()
        ended(message)

        assert result_of(served, message, block=False) == 7
        assert result_of(served, message, block=False) == 7

    def test_waiting_begins_before_the_job_runs(self, served: JobBroker, declare: Declare):
        message = declare(lambda: 7).send_with_options(delay=150)

        started = time.monotonic()
        assert result_of(served, message) == 7

        assert 0.1 < time.monotonic() - started < 5

    def test_async_actor_has_one_too(self, served: JobBroker, declare: Declare):
        async def double(x: int) -> int:
            return 2 * x

        assert result_of(served, declare(double).send(21)) == 42


class TestNoValue:
    def test_job_that_has_not_run_is_missing(self, served: JobBroker, declare: Declare):
        message = declare(lambda: 7).send_with_options(delay=3_600_000)

        with pytest.raises(ResultMissing):
            result_of(served, message, block=False)

    def test_waiting_for_it_ends_in_time(self, served: JobBroker, declare: Declare):
        message = declare(lambda: 7).send_with_options(delay=3_600_000)

        with pytest.raises(ResultTimeout):
            result_of(served, message, timeout=50)

    def test_cancelled_job_is_missing_at_once(self, served: JobBroker, declare: Declare):
        message = declare(lambda: 7).send_with_options(delay=3_600_000)
        served.store.cancel(message.message_id)

        with pytest.raises(ResultMissing):
            result_of(served, message)

    def test_actor_may_store_none(self, served: JobBroker, declare: Declare, ended: Ended):
        message = declare(lambda: 7, store_results=False).send()

        assert not ended(message).has_result
        with pytest.raises(ResultMissing):
            result_of(served, message)


class TestFailure:
    def test_dead_job_raises_what_the_actor_raised(self, served: JobBroker, declare: Declare):
        def fail() -> None:
            raise ValueError("no luck")

        with pytest.raises(ResultFailure, match="ValueError: no luck") as caught:
            result_of(served, declare(fail, max_attempts=1).send())

        assert caught.value.orig_exc_type == "ValueError"

    def test_waiting_outlasts_attempts_that_fail(self, served: JobBroker, declare: Declare):
        def fail_once() -> str:
            if dramatiq.middleware.CurrentMessage.get_current_message().options["retries"] == 0:  # type: ignore[union-attr]
                raise ValueError("first")
            return "second"

        assert result_of(served, declare(fail_once, min_backoff=1, max_backoff=1).send()) == "second"

    def test_error_is_kept_on_the_job(self, declare: Declare, ended: Ended):
        def fail() -> None:
            raise PermanentError("no luck")

        job = ended(declare(fail).send())

        assert job.error is not None
        assert (job.error["type"], job.error["message"]) == ("PermanentError", "no luck")
        assert "in fail" in job.error["traceback"]

    def test_error_that_cannot_be_printed_is_kept_as_well(self, declare: Declare, ended: Ended):
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError("not even that")

        def fail() -> None:
            raise Mute

        job = ended(declare(fail, max_attempts=1).send())

        assert job.state is State.DEAD
        assert job.error is not None
        assert job.error["type"] == "Mute"


class TestNotStorable:
    @pytest.mark.parametrize(
        "make", [object, lambda: "x" * (64 * 1024 + 1), lambda: float("nan"), lambda: {(1, 2): 3}]
    )
    def test_job_is_dead_at_once_with_a_reason(
        self, served: JobBroker, declare: Declare, ended: Ended, make: Any
    ):
        def give() -> Any:
            return make()

        message = declare(give).send()

        job = ended(message)

        assert (job.state, job.reason, len(job.deliveries)) == (State.DEAD, "result_not_storable", 1)
        with pytest.raises(ResultFailure, match="ResultNotStorable"):
            result_of(served, message)

    def test_what_would_have_followed_does_not(self, served: JobBroker, declare: Declare, ended: Ended):
        done = declare(lambda *args: None)
        first = declare(object, on_success=done.actor_name)
        second = declare(lambda: None)
        pipe = dramatiq.pipeline(
            [first.message(), second.message_with_options(pipe_ignore=True)], broker=served
        ).run()

        ended(pipe.messages[0])

        assert served.reads.job(pipe.messages[1].message_id) is None
        assert served.reads.totals(done.actor_name) == served.reads.totals(second.actor_name) == {}
