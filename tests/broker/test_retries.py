"""What follows a failed attempt."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
from dramatiq.errors import RateLimitExceeded, Retry
from dramatiq.middleware import CurrentMessage, Shutdown, SkipMessage

from tests.broker.conftest import Declare, Ended, MakeBroker, Working, an_actor
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.jobs.backoff import full_jitter, scheduled_wait
from worker_service.jobs.errors import InvalidJob, PermanentError, RetryLater
from worker_service.jobs.states import State
from worker_service.store import Job

QUICK: dict[str, Any] = {"min_backoff": 1, "max_backoff": 1}


def job_once(broker: JobBroker, message: Any, state: State) -> Job:
    """The job as soon as it has this state."""

    def found() -> Job | None:
        job = broker.reads.job(message.message_id)
        return job if job is not None and job.state is state else None

    job = wait_until(found)
    assert job is not None
    return job


def wrapped(cause: Exception) -> Exception:
    """As HTTP clients raise it: an error of their own, from the one of the system."""
    error = RuntimeError("wrapped")
    error.__cause__ = cause
    return error


def hidden(context: OSError) -> Exception:
    """As other HTTP clients raise it: "from None"."""
    try:
        try:
            raise context
        except OSError:
            raise RuntimeError("hidden") from None
    except RuntimeError as error:
        return error


def options_of_this_run() -> dict[str, Any]:
    current = CurrentMessage.get_current_message()
    assert current is not None
    return dict(current.options)


class TestAttempts:
    def test_three_attempts_are_three_runs(self, declare: Declare, ended: Ended):
        seen: list[tuple[int, int]] = []

        def fail() -> None:
            options = options_of_this_run()
            seen.append((options["retries"], options["max_retries"]))
            raise ValueError("no luck")

        job = ended(declare(fail, max_attempts=3, **QUICK).send())

        assert seen == [(0, 2), (1, 2), (2, 2)]
        assert (job.state, job.reason, job.attempts) == (State.DEAD, "attempts_exhausted", 3)
        assert [(d.number, d.outcome, d.charged) for d in job.deliveries] == [
            (1, "retry", True),
            (2, "retry", True),
            (3, "dead_letter", True),
        ]

    def test_message_stays_as_it_was_sent(self, served: JobBroker, declare: Declare, ended: Ended):
        def fail(values: list[Any]) -> None:
            values.append("changed by the actor")
            raise ValueError

        message = declare(fail, max_attempts=3, **QUICK).send_with_options(args=([2**60],), time_limit=9_000)

        job = ended(message)

        assert job.message["options"] == {"time_limit": 9_000}
        assert job.message["queue_name"] == "default"

    def test_later_success_is_a_success(self, declare: Declare, ended: Ended):
        def fail_twice() -> str:
            if options_of_this_run()["retries"] < 2:
                raise ValueError
            return "third time"

        job = ended(declare(fail_twice, **QUICK).send())

        assert (job.state, job.result, job.error, job.attempts) == (State.SUCCEEDED, "third time", None, 2)

    def test_job_waits_in_the_store_between_attempts(self, served: JobBroker, declare: Declare):
        def fail() -> None:
            raise Retry("later", delay=3_600_000)

        message = declare(fail).send()

        job = job_once(served, message, State.RETRYING)
        assert job.wait_reason == "retry"
        assert job.due_at_ms is not None
        assert job.due_at_ms - job.created_at_ms >= 3_600_000

    def test_retry_when_decides(self, declare: Declare, ended: Ended):
        def fail() -> None:
            raise ValueError

        job = ended(declare(fail, retry_when=lambda retries, error: retries < 1, **QUICK).send())

        assert job.attempts == 2

    def test_retry_when_that_fails_itself_ends_the_job(self, declare: Declare, ended: Ended):
        def fail() -> None:
            raise ValueError

        job = ended(declare(fail, retry_when=lambda retries, error: 1 / 0).send())

        assert (job.state, job.reason) == (State.DEAD, "failed")


class TestGivingUp:
    def test_permanent_error_ends_the_job_at_once(self, declare: Declare, ended: Ended):
        def fail() -> None:
            raise PermanentError("gone")

        job = ended(declare(fail).send())

        assert (job.state, job.reason, job.attempts) == (State.DEAD, "permanent_error", 1)

    @pytest.mark.parametrize("throws", [KeyError, (KeyError, IndexError)])
    def test_error_that_was_announced_ends_the_job_at_once(self, declare: Declare, ended: Ended, throws: Any):
        def fail() -> None:
            raise KeyError("announced")

        job = ended(declare(fail, throws=throws).send())

        assert (job.state, job.reason, job.attempts) == (State.DEAD, "permanent_error", 1)

    def test_exhausted_attempts_are_told_to_another_actor(
        self, served: JobBroker, declare: Declare, ended: Ended
    ):
        heard: list[Any] = []

        def fail() -> None:
            raise ValueError

        tell = declare(lambda message, limits: heard.append((message["message_id"], limits)))

        message = declare(fail, max_attempts=2, on_retry_exhausted=tell.actor_name, **QUICK).send()

        ended(message)
        wait_until(lambda: heard)
        assert heard == [(message.message_id, {"retries": 1, "max_retries": 1})]

    def test_too_old_a_message_is_skipped(self, declare: Declare, ended: Ended):
        ran: list[int] = []
        message = declare(lambda: ran.append(1), max_age=1).send_with_options(delay=30)

        job = ended(message)

        assert (job.state, job.reason, ran) == (State.DEAD, "skipped", [])


class TestWhichErrors:
    @pytest.mark.parametrize(
        ("error", "retried"),
        [
            (KeyError("named"), True),
            (ValueError("another"), False),
            (ConnectionResetError("on the way"), True),
            (TimeoutError("on the way"), True),
            (wrapped(ConnectionRefusedError()), True),
            (hidden(ConnectionRefusedError()), True),
            (ExceptionGroup("several", [ValueError(), TimeoutError()]), True),
            (RuntimeError("no cause"), False),
        ],
    )
    def test_retry_on_names_those_that_are_retried_beside_trouble_on_the_way(
        self, declare: Declare, ended: Ended, error: Exception, retried: bool
    ):
        def fail() -> None:
            raise error

        job = ended(declare(fail, retry_on=KeyError, max_attempts=2, **QUICK).send())

        assert (job.attempts, job.reason) == (
            (2, "attempts_exhausted") if retried else (1, "permanent_error")
        )

    def test_fail_on_wins_over_retry_on(self, declare: Declare, ended: Ended):
        def fail() -> None:
            raise KeyError

        job = ended(declare(fail, retry_on=LookupError, fail_on=(KeyError, IndexError)).send())

        assert (job.attempts, job.reason) == (1, "permanent_error")

    @pytest.mark.parametrize(
        ("options", "hint"),
        [
            ({"retry_on": "KeyError"}, "retry_on takes an exception class"),
            ({"fail_on": [KeyError]}, "fail_on takes an exception class"),
            ({"backoff": []}, "use milliseconds or a timedelta"),
            ({"backoff": "soon"}, "use milliseconds or a timedelta"),
            ({"backoff": [1, -1]}, "use milliseconds or a timedelta"),
            ({"min_backoff": "1s"}, "min_backoff='1s': use milliseconds or a timedelta"),
            ({"max_backoff": [1]}, "max_backoff=.*: use milliseconds or a timedelta"),
            ({"backoff_floor": -1}, "backoff_floor=-1: use milliseconds or a timedelta"),
        ],
    )
    def test_wrong_option_is_refused_at_the_declaration_and_at_the_call(
        self, broker: JobBroker, options: dict[str, Any], hint: str
    ):
        with pytest.raises(InvalidJob, match=f"work: .*{hint}"):
            an_actor(broker, lambda: None, **options)
        right = an_actor(broker, lambda: None)
        if options.get("fail_on") == [KeyError]:
            return  # at a call, a list of names is what is written
        with pytest.raises(InvalidJob, match=f"work: .*{hint}"):
            right.send_with_options(**options)

    @pytest.mark.parametrize("options", [{"retry_when": print}, {"throws": KeyError}])
    def test_some_options_are_those_of_actors_alone(self, broker: JobBroker, options: dict[str, Any]):
        with pytest.raises(
            InvalidJob, match="is an option of actors; one message takes retry_on and fail_on"
        ):
            an_actor(broker, lambda: None).send_with_options(**options)

    @pytest.mark.parametrize(
        ("options", "attempts", "reason"),
        [
            ({"fail_on": LookupError}, 1, "permanent_error"),
            ({"fail_on": (ValueError, OSError)}, 3, "attempts_exhausted"),
            ({"retry_on": ValueError}, 1, "permanent_error"),
            ({"retry_on": (ValueError, KeyError)}, 3, "attempts_exhausted"),
        ],
    )
    def test_one_message_says_which_of_its_errors_are_retried(
        self, declare: Declare, ended: Ended, options: dict[str, Any], attempts: int, reason: str
    ):
        def fail() -> None:
            raise KeyError("x")

        backoff = {"min_backoff": timedelta(milliseconds=1), "max_backoff": 2, "backoff_floor": timedelta(0)}
        job = ended(declare(fail).send_with_options(max_attempts=3, **backoff, **options))
        assert (job.attempts, job.reason) == (attempts, reason)


class TestWaits:
    @pytest.mark.parametrize(
        ("backoff", "waits"),
        [
            (1500, [1500, 1500, 1500]),
            (timedelta(seconds=2), [2000, 2000, 2000]),
            ([10, timedelta(minutes=1)], [10, 60_000, 60_000]),
        ],
    )
    def test_schedule_is_kept_exactly(self, backoff: Any, waits: list[int]):
        assert [scheduled_wait(attempts, backoff) for attempts in (1, 2, 3)] == waits

    def test_jitter_stays_between_floor_and_a_ceiling_that_doubles_up_to_its_cap(self):
        for attempts, ceiling in [(1, 100), (2, 200), (3, 400), (4, 500), (50, 500)]:
            waits = [full_jitter(attempts, 100, 500, 60) for _ in range(2000)]
            assert min(waits) >= 60
            assert max(waits) <= ceiling
            assert min(waits) < 60 + (ceiling - 60) * 0.05 < ceiling - (ceiling - 60) * 0.05 < max(waits)

    def test_actor_s_schedule_is_what_a_job_waits(self, served: JobBroker, declare: Declare):
        def fail() -> None:
            raise ValueError

        message = declare(fail, backoff=[3_600_000]).send()

        job = job_once(served, message, State.RETRYING)
        assert job.due_at_ms is not None
        assert 3_600_000 <= job.due_at_ms - job.created_at_ms < 3_660_000


class TestRetryLater:
    def test_delay_is_a_timedelta_or_milliseconds(self):
        assert RetryLater(timedelta(seconds=2)).delay_ms == RetryLater(delay_ms=2000).delay_ms == 2000
        wrong: list[dict[str, Any]] = [{}, {"delay": timedelta(1), "delay_ms": 1}]
        for arguments in wrong:
            with pytest.raises(TypeError):
                RetryLater(**arguments)

    def test_job_waits_as_long_as_asked_and_uses_no_attempt(self, served: JobBroker, declare: Declare):
        def fail() -> None:
            raise RetryLater(timedelta(hours=2))

        message = declare(fail, max_attempts=1, retry_on=KeyError).send()

        job = job_once(served, message, State.SCHEDULED)
        assert (job.wait_reason, job.attempts) == ("snooze", 0)
        assert job.due_at_ms is not None
        assert 7_200_000 <= job.due_at_ms - job.created_at_ms < 7_260_000

    def test_hundred_are_free_and_the_next_is_charged(self, declare: Declare, ended: Ended):
        ran: Counter[str] = Counter()

        def fail() -> None:
            ran["times"] += 1
            raise RetryLater(delay_ms=0)

        job = ended(declare(fail, max_attempts=2).send())

        assert ran["times"] == 102
        assert (job.state, job.reason, job.attempts) == (State.DEAD, "attempts_exhausted", 2)

    def test_more_than_a_day_in_all_is_charged(self, served: JobBroker, declare: Declare, ended: Ended):
        def fail() -> None:
            raise RetryLater(timedelta(hours=25))

        assert job_once(served, declare(fail).send(), State.RETRYING).attempts == 1
        assert ended(declare(fail, max_attempts=1).send()).reason == "attempts_exhausted"


class TestOddErrors:
    def test_actor_that_raises_shutdown_itself_uses_an_attempt(self, declare: Declare, ended: Ended):
        def fail() -> None:
            raise Shutdown("by itself")

        assert ended(declare(fail, max_attempts=2, **QUICK).send()).reason == "attempts_exhausted"

    def test_exception_that_ends_whoever_prints_it_is_an_error_like_any_other(
        self, declare: Declare, ended: Ended
    ):
        class Fatal(Exception):
            def __str__(self) -> str:
                raise SystemExit(3)

        def fail() -> None:
            raise Fatal

        job = ended(declare(fail, max_attempts=1).send())
        assert (job.state, job.error and job.error["type"]) == (State.DEAD, "Fatal")

    @pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
    def test_async_actor_that_means_to_end_the_process_ends_alone(
        self, declare: Declare, ended: Ended, kind: type[BaseException]
    ):
        async def leave() -> None:
            raise kind

        async def stay() -> str:
            await asyncio.sleep(0.05)
            return "stayed"

        others = [declare(stay).send() for _ in range(3)]
        assert ended(declare(leave, max_attempts=1).send()).state is State.DEAD
        assert [ended(other).result for other in others] == ["stayed"] * 3
        assert ended(declare(stay).send()).result == "stayed"

    def test_async_actor_runs_to_the_end_of_its_cleanup_before_it_runs_again(
        self, declare: Declare, ended: Ended
    ):
        running, most = [0], [0]

        async def slow_to_clean_up() -> None:
            running[0] += 1
            most[0] = max(most[0], running[0])
            try:
                await asyncio.sleep(20)
            finally:
                await asyncio.sleep(1.5)
                running[0] -= 1

        job = ended(declare(slow_to_clean_up, max_attempts=2, time_limit=100, **QUICK).send())
        assert (job.state, job.attempts, most[0]) == (State.DEAD, 2, 1)
        assert job.error is not None
        assert job.error["type"] == "TimeLimitExceeded"


class TestUncharged:
    @pytest.mark.parametrize("error", [RateLimitExceeded("full"), RetryLater(delay_ms=1)])
    def test_it_uses_up_no_attempt(self, declare: Declare, ended: Ended, error: Exception):
        ran: Counter[str] = Counter()

        def fail_twice() -> str:
            ran["times"] += 1
            if ran["times"] < 3:
                raise error
            return "ran"

        job = ended(declare(fail_twice, max_attempts=1, **QUICK).send())

        assert (job.state, job.attempts) == (State.SUCCEEDED, 0)
        assert [d.charged for d in job.deliveries] == [False, False, True]

    def test_limited_job_waits_as_scheduled(self, served: JobBroker, declare: Declare):
        def fail() -> None:
            raise RateLimitExceeded("full")

        message = declare(fail, min_backoff=600_000).send()

        job = job_once(served, message, State.SCHEDULED)
        assert job.wait_reason == "snooze"


def unknown_for(broker: JobBroker, message: Any, ms: int) -> None:
    """As if a worker had met the job so long ago and not known its actor."""
    since = int(time.time() * 1000) - ms
    broker.store.client.hset(broker.store.keys.job(message.message_id), "unknown_since", str(since))


class TestMismatch:
    """What a worker meets when the code has changed since the job was sent."""

    def test_arguments_that_no_longer_fit_are_a_permanent_error(
        self, served: JobBroker, declare: Declare, ended: Ended
    ):
        actor = declare(lambda x: x)
        message = actor.send_with_options(args=(1,), delay=50)
        actor.fn.__wrapped__.__code__ = (lambda x, y: (x, y)).__code__

        job = ended(message)

        assert (job.state, job.reason, job.attempts) == (State.DEAD, "permanent_error", 1)
        assert job.error is not None
        assert job.error["type"] == "ArgumentsMismatch"

    def test_type_error_of_the_actor_itself_is_retried(self, declare: Declare, ended: Ended):
        def fail(x: int) -> None:
            None + x  # type: ignore[operator]

        assert ended(declare(fail, max_attempts=2, **QUICK).send(1)).attempts == 2

    def test_unknown_actor_waits_for_a_worker_that_knows_it(
        self, served: JobBroker, make_broker: MakeBroker, declare: Declare, working: Working
    ):
        old, new = make_broker(), make_broker()
        for broker in (old, new):
            broker.declare_queue("default")
        renamed = an_actor(new, lambda: 7, "renamed")
        with working(old):
            message = renamed.send()
            job = job_once(old, message, State.SCHEDULED)

        assert (job.wait_reason, job.attempts) == ("unknown_actor", 0)
        assert job.error is not None
        assert job.error["type"] == "ActorNotFound"

    @pytest.mark.parametrize(("waited_ms", "least_ms"), [(0, 250), (10_000, 5_000), (3_600_000, 30_000)])
    def test_unknown_actor_is_looked_for_soon_at_first_and_seldom_later(
        self, make_broker: MakeBroker, working: Working, waited_ms: int, least_ms: int
    ):
        old, new = make_broker(), make_broker()
        for broker in (old, new):
            broker.declare_queue("default")
        message = an_actor(new, lambda: 7, "renamed").send()
        unknown_for(new, message, waited_ms)
        with working(old):
            job = job_once(old, message, State.SCHEDULED)

        assert job.due_at_ms is not None
        assert job.started_at_ms is not None
        assert least_ms <= job.due_at_ms - job.started_at_ms <= max(2 * least_ms, 30_000)

    def test_actor_unknown_since_yesterday_is_given_up(self, make_broker: MakeBroker, working: Working):
        old, new = make_broker(), make_broker()
        for broker in (old, new):
            broker.declare_queue("default")
        message = an_actor(new, lambda: 7, "renamed").send()
        unknown_for(new, message, 25 * 3_600_000)
        with working(old):
            job = old.reads.wait_until_final(message.message_id, timeout=10)

        assert job is not None
        assert (job.state, job.reason) == (State.DEAD, "unknown_actor")


class TestHooks:
    """Third-party middleware that fails, or means well."""

    class Failing(dramatiq.Middleware):
        def __init__(self, *hooks: str) -> None:
            for hook in hooks:
                setattr(self, hook, self.fail)

        def fail(self, *args: Any, **kwargs: Any) -> None:
            raise RuntimeError("a bug of the middleware")

    class Writing(dramatiq.Middleware):
        def __init__(self) -> None:
            self.read: list[Any] = []

        def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
            message.options["trace"] = message.options.get("trace", 0) + 1

        def before_process_message(self, broker: Any, message: Any) -> None:
            self.read.append(message.options["trace"])

    class Skipping(dramatiq.Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            raise SkipMessage("not today")

    def test_no_hook_that_raises_loses_a_job(self, make_broker: MakeBroker, working: Working):
        hooks = [
            f"{when}_{what}"
            for when in ("before", "after")
            for what in ("enqueue", "process_message", "ack", "nack")
        ]
        broker = make_broker(self.Failing(*hooks))
        ran: Counter[str] = Counter()

        def run(kind: str) -> str:
            ran[kind] += 1
            if kind == "fails":
                raise ValueError
            return kind

        work = an_actor(broker, run, max_attempts=2, **QUICK)
        good, bad = work.send("works"), work.send("fails")
        with working(broker):
            done = broker.reads.wait_until_final(good.message_id, timeout=10)
            lost = broker.reads.wait_until_final(bad.message_id, timeout=10)

        assert done is not None
        assert lost is not None
        assert (done.state, done.result) == (State.SUCCEEDED, "works")
        assert (lost.state, lost.reason) == (State.DEAD, "attempts_exhausted")
        assert ran == {"works": 1, "fails": 2}

    def test_option_written_before_sending_travels_through_retries(
        self, make_broker: MakeBroker, working: Working
    ):
        writing = self.Writing()
        broker = make_broker(writing)

        def fail() -> None:
            raise ValueError

        message = an_actor(broker, fail, max_attempts=3, **QUICK).send()
        with working(broker):
            job = broker.reads.wait_until_final(message.message_id, timeout=10)

        assert job is not None
        assert job.state is State.DEAD
        assert writing.read == [1, 2, 3]

    def test_skipped_message_is_done_without_running(self, make_broker: MakeBroker, working: Working):
        broker = make_broker(self.Skipping())
        ran: list[int] = []
        actor = an_actor(broker, lambda: ran.append(1))
        message = actor.send()
        with working(broker):
            job = broker.reads.wait_until_final(message.message_id, timeout=10)

        assert job is not None
        assert (job.state, ran) == (State.SUCCEEDED, [])
