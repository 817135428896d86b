"""Schedules in code: what is taken, what is refused, and the jobs that come of them."""

import dataclasses
import sys
import types
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dramatiq
import pytest
from periodiq import cron

from scheduler.declarations import declared
from worker_service.broker.broker import JobBroker
from worker_service.broker.intake import WantedJob, prepare, submit
from worker_service.broker.ticks import fire, job_id
from worker_service.jobs.declared import Schedule
from worker_service.jobs.errors import InvalidJob, InvalidSchedule
from worker_service.jobs.schedule import Definition
from worker_service.jobs.states import State
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.store import ScheduleRef, Schedules

TICK = 1_700_000_000_000
REF = ScheduleRef("tidy", "uid", 1)


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[JobBroker]:
    made = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    for name in ("generate_report", "cleanup_temp"):  # the built-in schedules are of these
        declare(made, tidy, actor_name=name)
    yield made
    made.close()


def declare(broker: JobBroker, fn: Callable[..., Any], **options: Any) -> dramatiq.Actor[..., Any]:
    decorate: Any = dramatiq.actor(broker=broker, **options)
    actor: dramatiq.Actor[..., Any] = decorate(fn)
    return actor


def found(broker: JobBroker, **settings: Any) -> dict[str, Definition]:
    """What is declared besides the built-in schedules."""
    all_of_them = declared(broker, Settings(redis_url="redis://x", **settings))
    return {
        name: each for name, each in all_of_them.items() if name not in ("generate_report", "cleanup_temp")
    }


def tidy():
    pass


async def tidy_later():
    pass


def tidy_some(limit: int = 10, *more: int, dry: bool = False):
    pass


def needs(what: str, *, how: str):
    pass


class TestActor:
    @pytest.mark.parametrize(
        ("every", "milliseconds"),
        [(100, 100), (timedelta(minutes=15), 900_000), (timedelta(milliseconds=1500), 1500)],
    )
    def test_interval_is_a_timedelta_or_milliseconds(
        self, broker: JobBroker, every: object, milliseconds: int
    ):
        declare(broker, tidy, every=every)
        assert found(broker) == {"tidy": Definition(actor="tidy", every_ms=milliseconds)}

    @pytest.mark.parametrize(
        "every",
        [99, 0, -1000, True, 1500.0, timedelta(microseconds=100_500), timedelta.max, timedelta(days=-1)],
    )
    def test_other_intervals_are_refused_where_they_are_declared(self, broker: JobBroker, every: object):
        with pytest.raises(InvalidJob, match="broken: "):
            declare(broker, tidy, actor_name="broken", every=every)
        assert "broken" not in broker.actors

    def test_periodiq_s_cron_and_further_options(self, broker: JobBroker):
        options = {
            "timezone": "Europe/Paris",
            "args": {"limit": 3},
            "overlap": "buffer_one",
            "jitter_ms": 500,
        }
        declare(broker, tidy_some, periodic=cron("0 2 * * sun"), schedule=options)
        (definition,) = found(broker).values()
        assert (definition.cron, definition.timezone) == ("0 2 * * sun", "Europe/Paris")
        assert (definition.args, definition.overlap, definition.jitter_ms) == (
            {"limit": 3},
            "buffer_one",
            500,
        )

    def test_zone_of_the_settings_counts_where_none_is_named(self, broker: JobBroker):
        declare(broker, tidy, periodic=cron("0 2 * * *"))
        assert found(broker, timezone="Asia/Tokyo")["tidy"].timezone == "Asia/Tokyo"

    @pytest.mark.parametrize(
        ("options", "hint"),
        [
            ({"every": 1000, "periodic": cron("0 2 * * *")}, "not both"),
            ({"schedule": {"overlap": "skip"}}, "goes with"),
            ({"every": 1000, "schedule": {"overlop": "skip"}}, "Did you mean 'overlap'"),
            ({"every": 1000, "schedule": {"timezone": "Europe/Pari"}}, "Did you mean 'Europe/Paris'"),
            ({"every": 1000, "schedule": {"args": {"limit": 1}}}, "limit"),
            ({"every": 1000, "schedule": []}, "dictionary"),
            ({"periodic": "0 0 30 2 *"}, "Day of month"),
            ({"periodic": object()}, "periodiq"),
        ],
    )
    def test_mistakes_are_told_where_they_are_made(
        self, broker: JobBroker, options: dict[str, Any], hint: str
    ):
        with pytest.raises(InvalidJob, match=hint):
            declare(broker, tidy, **options)

    def test_function_with_required_arguments_needs_them(self, broker: JobBroker):
        with pytest.raises(InvalidJob, match=r"needs: .*what"):
            declare(broker, needs, every=1000)
        declare(broker, needs, every=1000, schedule={"args": {"what": "a", "how": "b"}})

    @pytest.mark.parametrize("fn", [tidy_later, tidy_some])
    def test_async_function_and_defaults_are_taken(self, broker: JobBroker, fn: Callable[..., Any]):
        declare(broker, fn, every=1000)
        assert list(found(broker)) == [fn.__name__]

    def test_actors_without_it_and_with_none_have_no_schedule(self, broker: JobBroker):
        declare(broker, tidy)
        declare(broker, needs, every=None)
        assert found(broker) == {}

    @pytest.mark.parametrize("option", ["every", "periodic", "schedule"])
    def test_one_job_cannot_be_sent_with_it(self, broker: JobBroker, option: str):
        actor = declare(broker, tidy)
        with pytest.raises(InvalidJob, match="declaration"):
            actor.send_with_options(**{option: 1000})  # type: ignore[arg-type]

    def test_periodic_actor_can_be_sent_as_well(self, broker: JobBroker):
        actor = declare(broker, tidy, every=1000)
        assert broker.reads.state(actor.send().message_id) is State.QUEUED


class TestDictionary:
    """``SCHEDULES`` of an actor module."""

    @pytest.fixture
    def module(self) -> Iterator[types.ModuleType]:
        module = types.ModuleType("with_schedules")
        sys.modules[module.__name__] = module
        yield module
        del sys.modules[module.__name__]

    def declared(self, broker: JobBroker) -> dict[str, Definition]:
        return found(broker, actor_modules=("with_schedules",))

    def test_one_actor_may_have_several(self, broker: JobBroker, module: Any):
        actor = declare(broker, tidy_some)
        module.SCHEDULES = {
            "few": Schedule(actor, cron("0 2 * * *"), args={"limit": 1}),
            "many": Schedule("tidy_some", timedelta(hours=1), args={"limit": 99}),
            "once": Schedule(actor, datetime(2030, 1, 1, tzinfo=UTC)),
            "text": Schedule(actor, "@hourly"),
        }
        few, many, once, text = self.declared(broker).values()
        assert (few.cron, few.args) == ("0 2 * * *", {"limit": 1})
        assert (many.every_ms, many.args) == (3_600_000, {"limit": 99})
        assert once.at == "2030-01-01T00:00:00.000Z"
        assert text.cron == "0 * * * *"

    @pytest.mark.parametrize(
        ("schedules", "hint"),
        [
            ({"a b": Schedule("tidy", "@daily")}, "letters"),
            ({"x": Schedule("tidi", "@daily")}, "Did you mean 'tidy'"),
            ({"x": Schedule("tidy", "@daily", args={"n": 1})}, "'x'.*'n'"),
            ({"tidy": Schedule("tidy", "@daily")}, "Two schedules"),
            ({"x": cron("0 2 * * *")}, "SCHEDULES"),
            ({5: Schedule("tidy", "@daily")}, "with_schedules.SCHEDULES: the name 5 is no text"),
            ([], "SCHEDULES"),
        ],
    )
    def test_mistakes_name_the_schedule(self, broker: JobBroker, module: Any, schedules: Any, hint: str):
        declare(broker, tidy, every=1000)
        module.SCHEDULES = schedules
        with pytest.raises(InvalidSchedule, match=hint):
            self.declared(broker)

    def test_built_in_schedule_is_retimed_by_naming_it(self, broker: JobBroker, module: Any):
        module.SCHEDULES = {"cleanup_temp": Schedule("cleanup_temp", timedelta(hours=1))}
        all_of_them = declared(broker, Settings(redis_url="redis://x", actor_modules=("with_schedules",)))
        assert all_of_them["cleanup_temp"].every_ms == 3_600_000
        assert set(all_of_them) == {"cleanup_temp", "generate_report"}

    def test_instant_needs_a_zone(self):
        with pytest.raises(InvalidSchedule, match="zone"):
            Schedule("tidy", datetime(2030, 1, 1))  # noqa: DTZ001 - the mistake


class TestJobOfATick:
    @pytest.fixture
    def schedules(self, broker: JobBroker) -> Schedules:
        schedules = Schedules(broker.store.client, broker.store.namespace)
        assert schedules.put("tidy", "{}", uid="uid", next_ms=TICK) == ("created", 1)
        return schedules

    def definition(self, **fields: Any) -> Definition:
        return Definition.read({"actor": "tidy", "every_ms": 1000, "overlap": "allow_all", **fields})

    def test_it_is_the_one_that_the_intake_makes(self, broker: JobBroker, schedules: Schedules):
        options = {
            "queue_name": "nightly",
            "priority": 7,
            "max_attempts": 2,
            "max_crashes": 1,
            "time_limit": 9000,
        }
        declare(broker, tidy, **options)

        prepared = prepare(broker, WantedJob("tidy", {}))
        submit(broker, prepared)
        asked = prepared.job
        fired = fire(broker, schedules, REF, self.definition(), TICK)

        one, other = broker.reads.job(asked.id), broker.reads.job(fired.job)
        assert one
        assert other
        differing = {"message_id", "message_timestamp", "options"}
        assert {name: one.message[name] for name in one.message.keys() - differing} == {
            name: other.message[name] for name in other.message.keys() - differing
        }
        assert other.message["options"] == {**one.message["options"], "tick": TICK}
        same = {"id": "", "message": {}, "created_at_ms": 0, "due_at_ms": 0, "schedule": "", "tick_ms": 0}
        assert dataclasses.replace(one, **same) == dataclasses.replace(other, **same)  # type: ignore[arg-type]

    def test_it_goes_where_its_actor_is_routed(self, redis_url: str, namespace: str, schedules: Schedules):
        settings = Settings(redis_url=redis_url, namespace=namespace, routes={"tidy": "elsewhere"})
        routed = JobBroker(settings, default_middleware())
        declare(routed, tidy)
        job = routed.reads.job(fire(routed, schedules, REF, self.definition(), TICK).job)
        assert job is not None
        assert job.queue == "elsewhere"
        routed.close()

    def test_its_id_follows_from_schedule_tick_and_cause(self):
        ids = {job_id(uid, tick, cause) for uid in "ab" for tick in (1, 2) for cause in ("tick", "backfill")}
        assert len(ids) == 8
        assert job_id("a", 1, "tick") in ids

    def test_jitter_and_expiry_count_from_the_tick(self, broker: JobBroker, schedules: Schedules):
        declare(broker, tidy)
        definition = self.definition(jitter_ms=1000, expires_after_ms=5000)
        job = broker.reads.job(fire(broker, schedules, REF, definition, TICK).job)
        assert job is not None
        assert job.due_at_ms is not None
        assert TICK <= job.due_at_ms <= TICK + 1000
        assert (job.expires_at_ms, job.tick_ms) == (TICK + 5000, TICK)

    def test_earlier_job_that_has_not_ended_makes_it_skipped(self, broker: JobBroker, schedules: Schedules):
        declare(broker, tidy)
        skip = self.definition(overlap="skip")
        first = fire(broker, schedules, REF, skip, TICK)
        assert fire(broker, schedules, REF, skip, TICK + 1000) == ("skipped", first.job)
        assert fire(broker, schedules, REF, skip, TICK, cause="run_now") == ("skipped", first.job)
        assert fire(broker, schedules, REF, skip, TICK, cause="backfill").word == "fired"
        broker.store.cancel(first.job)
        assert fire(broker, schedules, REF, skip, TICK + 2000).word == "fired"

    def test_one_is_buffered(self, broker: JobBroker, schedules: Schedules):
        declare(broker, tidy)
        buffer = self.definition(overlap="buffer_one")
        words = [fire(broker, schedules, REF, buffer, TICK + k * 1000).word for k in range(3)]
        assert words == ["fired", "follows", "skipped"]

    def test_middleware_hears_of_the_job_once(self, broker: JobBroker, schedules: Schedules):
        heard = []

        class Hears(dramatiq.Middleware):
            def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
                heard.append(message.message_id)

        broker.add_middleware(Hears())
        declare(broker, tidy)
        for _ in range(2):
            fire(broker, schedules, REF, self.definition(), TICK)
        assert heard == [job_id("uid", TICK, "tick")]

    def test_actor_that_this_process_does_not_know_is_told(self, broker: JobBroker, schedules: Schedules):
        declare(broker, tidy)
        with pytest.raises(InvalidSchedule, match="Did you mean 'tidy'"):
            fire(broker, schedules, REF, self.definition(actor="tidi"), TICK)
