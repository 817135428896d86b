"""``every`` on an actor: what is taken, what is refused, and the schedules and jobs that come of it."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import dramatiq
import pytest

from scheduler.schedules import Schedule, declared
from worker_service.broker.broker import JobBroker
from worker_service.broker.intake import WantedJob, submit
from worker_service.broker.ticks import fire, job_id
from worker_service.jobs.errors import InvalidJob
from worker_service.jobs.states import State
from worker_service.middleware import default_middleware
from worker_service.settings import Settings

TICK = 1_700_000_000_000


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[JobBroker]:
    made = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    yield made
    made.close()


def declare(broker: JobBroker, fn: Callable[..., Any], **options: Any) -> dramatiq.Actor[..., Any]:
    decorate: Any = dramatiq.actor(broker=broker, **options)
    actor: dramatiq.Actor[..., Any] = decorate(fn)
    return actor


def tidy():
    pass


async def tidy_later():
    pass


def tidy_some(limit: int = 10, *more: int, dry: bool = False):
    pass


def needs(what: str, *, how: str):
    pass


class TestEvery:
    @pytest.mark.parametrize(
        ("every", "milliseconds"),
        [(100, 100), (timedelta(minutes=15), 900_000), (timedelta(milliseconds=1500), 1500)],
    )
    def test_interval_is_a_timedelta_or_milliseconds(
        self, broker: JobBroker, every: object, milliseconds: int
    ):
        declare(broker, tidy, every=every)

        assert declared(broker) == [Schedule("tidy", milliseconds)]

    @pytest.mark.parametrize(
        "every",
        [
            99,
            0,
            -1000,
            True,
            1500.0,
            "15m",
            timedelta(microseconds=100_500),
            timedelta.max,
            timedelta(days=-1),
        ],
    )
    def test_other_intervals_are_refused_where_they_are_declared(self, broker: JobBroker, every: object):
        with pytest.raises(InvalidJob, match=r"tidy: every=.* 100 ms"):
            declare(broker, tidy, every=every)
        assert broker.actors == {}

    def test_function_with_required_arguments_is_refused(self, broker: JobBroker):
        with pytest.raises(InvalidJob, match=r"needs: .* without arguments"):
            declare(broker, needs, every=1000)

    @pytest.mark.parametrize("fn", [tidy_later, tidy_some])
    def test_async_function_and_defaults_are_taken(self, broker: JobBroker, fn: Callable[..., Any]):
        declare(broker, fn, every=1000)

        assert [each.name for each in declared(broker)] == [fn.__name__]

    def test_actors_without_it_and_with_none_have_no_schedule(self, broker: JobBroker):
        declare(broker, tidy)
        declare(broker, needs, every=None)

        assert declared(broker) == []

    def test_one_job_cannot_be_sent_with_it(self, broker: JobBroker):
        actor = declare(broker, tidy)

        with pytest.raises(InvalidJob, match="declaration"):
            actor.send_with_options(every=1000)

    def test_periodic_actor_can_be_sent_as_well(self, broker: JobBroker):
        actor = declare(broker, tidy, every=1000)

        assert broker.reads.state(actor.send().message_id) is State.QUEUED


class TestJobOfATick:
    def test_it_is_the_one_that_the_intake_makes(self, broker: JobBroker):
        options = {
            "queue_name": "nightly",
            "priority": 7,
            "max_attempts": 2,
            "max_crashes": 1,
            "time_limit": 9000,
        }
        declare(broker, tidy, every=1000, **options)

        asked, _ = submit(broker, WantedJob("tidy", {}))
        fired = fire(broker, "tidy", TICK)

        assert fired is not None
        same = {"id": "", "message": b"", "run_at_ms": None}
        assert dataclasses.replace(fired, **same) == dataclasses.replace(asked, **same)  # type: ignore[arg-type]
        one, other = broker.reads.job(asked.id), broker.reads.job(fired.id)
        assert one
        assert other
        differing = {"message_id", "message_timestamp"}
        assert {name: one.message[name] for name in one.message.keys() - differing} == {
            name: other.message[name] for name in other.message.keys() - differing
        }
        assert (other.queue, other.priority, other.max_attempts, other.max_crashes) == ("nightly", 7, 2, 1)

    def test_it_goes_where_its_actor_is_routed(self, redis_url: str, namespace: str):
        settings = Settings(redis_url=redis_url, namespace=namespace, routes={"tidy": "elsewhere"})
        routed = JobBroker(settings, default_middleware())
        declare(routed, tidy, every=1000)

        job = fire(routed, "tidy", TICK)

        assert job is not None
        assert job.queue == "elsewhere"
        routed.close()

    def test_its_id_follows_from_schedule_and_tick(self):
        ids = {job_id(name, tick) for name in ("a", "b") for tick in (1, 2)}

        assert len(ids) == 4
        assert job_id("a", 1) in ids

    def test_it_has_its_tick_as_the_instant_before_which_it_does_not_start(self, broker: JobBroker):
        declare(broker, tidy, every=1000)

        past, coming = fire(broker, "tidy", TICK), fire(broker, "tidy", 3 * TICK)

        assert past
        assert coming
        jobs = [broker.reads.job(past.id), broker.reads.job(coming.id)]
        assert [(job.state, job.due_at_ms) for job in jobs if job] == [
            (State.QUEUED, TICK),
            (State.SCHEDULED, 3 * TICK),
        ]

    def test_second_one_is_told_that_it_was_fired(self, broker: JobBroker):
        declare(broker, tidy, every=1000)
        assert fire(broker, "tidy", TICK) is not None

        assert fire(broker, "tidy", TICK) is None

    def test_middleware_hears_of_the_job_once(self, broker: JobBroker):
        heard = []

        class Hears(dramatiq.Middleware):
            def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
                heard.append(message.message_id)

        broker.add_middleware(Hears())
        declare(broker, tidy, every=1000)
        fire(broker, "tidy", TICK)
        fire(broker, "tidy", TICK)

        assert heard == [job_id("tidy", TICK)]
