"""send: a message becomes a job, and mistakes are told at the call."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
from dramatiq.encoder import JSONEncoder, PickleEncoder

from tests.broker.conftest import MakeBroker, an_actor
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.errors import InvalidArguments, InvalidJob
from worker_service.jobs.states import State
from worker_service.middleware.options import InvalidOption
from worker_service.store import Job


@pytest.fixture
def add(broker: JobBroker) -> Any:
    @dramatiq.actor(broker=broker)
    def add(x: int, y: int = 1, *, note: str = "") -> int:
        return x + y

    return add


def job_of(broker: JobBroker, message: Any) -> Job:
    job = broker.reads.job(message.message_id)
    assert job is not None
    return job


def raw_of(broker: JobBroker, message: Any) -> bytes:
    raw = broker.store.client.get(broker.store.keys.msg(message.message_id))
    assert isinstance(raw, bytes)
    return raw


def assert_nothing_was_sent(broker: JobBroker) -> None:
    assert broker.store.client.zcard(broker.store.keys.jobs) == 0


class TestRecord:
    def test_message_becomes_a_queued_job(self, broker: JobBroker, add: Any):
        message = add.send(1, y=2)

        job = job_of(broker, message)
        assert (job.state, job.queue, job.actor, job.priority) == (State.QUEUED, "default", "add", 0)
        assert (job.max_attempts, job.max_crashes) == (10, 3)
        assert (job.message["args"], job.message["kwargs"]) == ([1], {"y": 2})

    def test_values_are_kept_exactly(self, broker: JobBroker, add: Any):
        values = [2**70, [], {}, "ünïcode 🎉 \0", 1e-300, None, True, {"": [[]]}]

        message = add.send(values)

        assert json.loads(raw_of(broker, message))["args"] == [values]

    def test_actor_s_declaration_is_what_a_message_leaves_open(self, broker: JobBroker):
        urgent = an_actor(
            broker,
            lambda: None,
            queue_name="fast",
            priority=-7,
            max_attempts=4,
            max_crashes=0,
        )

        job = job_of(broker, urgent.send())

        assert (job.queue, job.priority, job.max_attempts, job.max_crashes) == ("fast", -7, 4, 0)

    def test_route_of_the_settings_wins_over_the_actor_s_queue(self, make_broker: MakeBroker):
        broker = make_broker(routes={"routed": "elsewhere"})
        routed = an_actor(broker, lambda: None, "routed", queue_name="declared")
        other = an_actor(broker, lambda: None, "other", queue_name="declared")

        assert job_of(broker, routed.send()).queue == "elsewhere"
        assert job_of(broker, other.send()).queue == "declared"
        assert job_of(broker, routed.send_with_options(queue="declared")).queue == "declared"
        assert broker.get_declared_queues() == {"declared", "elsewhere"}

    def test_dramatiq_s_max_retries_is_known(self, broker: JobBroker, add: Any):
        declared = an_actor(broker, lambda: None, "declared", max_retries=2)

        assert job_of(broker, declared.send()).max_attempts == 3
        assert job_of(broker, add.send_with_options(args=(1,), max_retries=0)).max_attempts == 1
        assert job_of(broker, add.send_with_options(args=(1,), max_retries=None)).max_attempts >= 10**9


class TestOptions:
    def test_those_of_the_record_leave_the_message(self, broker: JobBroker, add: Any):
        broker.declare_queue("slow")

        message = add.send_with_options(
            args=(1,), queue="slow", priority=5, max_attempts=3, max_crashes=1, expires_in=60_000
        )

        job = job_of(broker, message)
        assert (job.queue, job.priority, job.max_attempts, job.max_crashes) == ("slow", 5, 3, 1)
        assert job.expires_at_ms == job.created_at_ms + 60_000
        assert job.message["options"] == {}
        assert (message.queue_name, job.message["queue_name"]) == ("slow", "slow")

    def test_those_of_the_run_travel_in_the_message(self, broker: JobBroker, add: Any):
        message = add.send_with_options(args=(1,), time_limit=1_000, max_age=5)

        assert job_of(broker, message).message["options"] == {"time_limit": 1_000, "max_age": 5}

    @pytest.mark.parametrize("delay", [90_000, timedelta(seconds=90)])
    def test_delay_schedules_the_job(self, broker: JobBroker, add: Any, delay: Any):
        job = job_of(broker, add.send_with_options(args=(1,), delay=delay))

        assert (job.state, job.due_at_ms) == (State.SCHEDULED, job.created_at_ms + 90_000)
        assert "eta" not in job.message["options"]

    def test_expires_in_may_be_a_timedelta(self, broker: JobBroker, add: Any):
        job = job_of(broker, add.send_with_options(args=(1,), expires_in=timedelta(hours=1)))

        assert job.expires_at_ms == job.created_at_ms + 3_600_000

    def test_delay_of_any_length_is_one_entry_in_the_store(self, broker: JobBroker, add: Any):
        job = job_of(broker, add.send_with_options(args=(1,), delay=timedelta(days=400)))

        assert job.due_at_ms == job.created_at_ms + 400 * 24 * 3_600_000

    def test_time_limit_of_a_job_or_an_actor_may_be_a_timedelta(self, broker: JobBroker, add: Any):
        actor = an_actor(broker, lambda: None, "slow", time_limit=timedelta(minutes=1))

        assert actor.options["time_limit"] == 60_000
        job = job_of(broker, add.send_with_options(args=(1,), time_limit=timedelta(seconds=3)))
        assert job.message["options"]["time_limit"] == 3_000


class TestDeclaredMistakes:
    @pytest.mark.parametrize(
        ("options", "hint"),
        [
            ({"time_limit": "long"}, "time_limit='long': use milliseconds, or a timedelta"),
            ({"max_attempts": 0}, "max_attempts=0: use a whole number from 1"),
            ({"max_crashes": "3"}, "max_crashes='3': use a whole number"),
            ({"priority": 500}, "priority=500: use a whole number from -100"),
        ],
    )
    def test_what_no_job_could_run_with_is_told_where_it_is_declared(
        self, broker: JobBroker, options: dict[str, Any], hint: str
    ):
        with pytest.raises(InvalidOption, match=f"work: {hint}"):
            an_actor(broker, lambda: None, **options)


class TestMistakes:
    """Each is told at the call, with the nearest right name, and nothing is sent."""

    @pytest.mark.parametrize(
        ("options", "code", "hint"),
        [
            ({"priorty": 5}, "unknown_option", "Did you mean 'priority'"),
            ({"countdown": 5}, "unknown_option", r"Did you mean 'delay' \(in milliseconds\)"),
            ({"eta": 2**42}, "unknown_option", "Did you mean 'delay'"),
            ({"queue": "defualt"}, "unknown_queue", "Did you mean 'default'"),
            ({"priority": 101}, "out_of_range", "-100 to 100"),
            ({"priority": "high"}, "out_of_range", "whole number"),
            ({"priority": True}, "out_of_range", "whole number"),
            ({"max_attempts": 0}, "out_of_range", "from 1"),
            ({"max_crashes": -1}, "out_of_range", "from 0"),
            ({"max_retries": "many"}, "out_of_range", "whole number"),
            ({"expires_in": "soon"}, "out_of_range", "milliseconds, or a timedelta"),
            ({"expires_in": -1}, "out_of_range", "from 1"),
            ({"delay": 10**13}, "out_of_range", "milliseconds, or a timedelta"),
            ({"expires_in": float("nan")}, "out_of_range", "milliseconds, or a timedelta"),
            ({"time_limit": "long"}, "out_of_range", "milliseconds, or a timedelta"),
            ({"time_limit": 0}, "out_of_range", "milliseconds, or a timedelta"),
        ],
    )
    def test_wrong_option(self, broker: JobBroker, add: Any, options: dict[str, Any], code: str, hint: str):
        with pytest.raises(InvalidJob, match=hint) as caught:
            add.send_with_options(args=(1,), **options)

        assert caught.value.code == code
        assert caught.value.pointer == "/" + next(iter(options))
        assert_nothing_was_sent(broker)

    def test_unknown_actor(self, broker: JobBroker, add: Any):
        message: Any = dramatiq.Message("default", "ad", (), {}, {})

        with pytest.raises(InvalidJob, match=r"No actor 'ad'\. Did you mean 'add'") as caught:
            broker.enqueue(message)

        assert caught.value.code == "unknown_actor"

    @pytest.mark.parametrize(
        ("args", "kwargs", "hint"),
        [
            ((), {}, "missing a required argument: 'x'"),
            ((1, 2, 3), {}, "too many positional arguments"),
            ((1,), {"note_": "n"}, "Did you mean 'note'"),
            ((1,), {"x": 2}, "multiple values"),
        ],
    )
    def test_arguments_that_do_not_fit(
        self, broker: JobBroker, add: Any, args: tuple[Any, ...], kwargs: dict[str, Any], hint: str
    ):
        with pytest.raises(InvalidArguments, match=hint):
            add.send(*args, **kwargs)
        assert_nothing_was_sent(broker)

    @pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", float("nan"), float("inf")])
    def test_argument_that_is_not_json(self, broker: JobBroker, add: Any, value: Any):
        with pytest.raises(InvalidJob, match="Pass plain values, or the id of what is meant") as caught:
            add.send(value)

        assert caught.value.code == "not_json"
        assert_nothing_was_sent(broker)

    def test_argument_of_unique_work_that_is_not_json(self, broker: JobBroker, add: Any):
        with pytest.raises(InvalidJob, match="or the id of what is meant"):
            add.send_with_options(args=(object(),), unique={"on": ["/x"]})
        assert_nothing_was_sent(broker)

    def test_arguments_over_the_limit(self, broker: JobBroker, add: Any):
        with pytest.raises(InvalidJob, match="pass its id") as caught:
            add.send("x" * 64 * 1024)

        assert caught.value.code == "too_large"
        assert_nothing_was_sent(broker)

    def test_limit_is_on_bytes_as_they_travel(self, broker: JobBroker, add: Any):
        message = add.send("x" * (64 * 1024 - len('[[""],{}]')))
        assert job_of(broker, message).state is State.QUEUED

        with pytest.raises(InvalidJob):
            add.send("x" * (64 * 1024 - len('[[""],{}]') + 1))

    @pytest.mark.parametrize("id", ["", "a b", "x" * 65, "tab\t", "ü"])
    def test_id_that_could_not_be_told_apart(self, broker: JobBroker, add: Any, id: str):
        message = add.message(1)

        with pytest.raises(InvalidJob) as caught:
            broker.enqueue(message.copy(message_id=id))

        assert caught.value.code == "bad_id"
        assert_nothing_was_sent(broker)


class TestEncoder:
    @pytest.fixture
    def pickling(self) -> Iterator[None]:
        dramatiq.set_encoder(PickleEncoder())
        yield
        dramatiq.set_encoder(JSONEncoder())

    def test_pickle_is_never_used(self, pickling: None, broker: JobBroker, add: Any):
        message = add.send(1)

        assert json.loads(raw_of(broker, message))["args"] == [1]

    def test_what_only_pickle_could_carry_is_refused(self, pickling: None, broker: JobBroker, add: Any):
        with pytest.raises(InvalidJob):
            add.send(object())


class TestRepeated:
    def test_same_message_is_one_job(self, broker: JobBroker, add: Any):
        message = add.message(1)

        broker.enqueue(message)
        broker.enqueue(message)

        assert broker.store.client.zcard(broker.store.keys.jobs) == 1

    @pytest.mark.parametrize("options", [{}, {"max_attempts": 2}])
    def test_message_handed_in_is_not_changed(self, make_broker: MakeBroker, options: dict[str, Any]):
        class Tracing(dramatiq.Middleware):
            def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
                message.options["trace_id"] = "t-1"

        broker = make_broker(Tracing())
        actor = an_actor(broker, lambda: None)
        message = actor.message_with_options(**options)
        before = message.asdict() | {"options": dict(message.options)}

        sent = broker.enqueue(message)
        broker.enqueue(message)  # as after ConnectionClosed

        assert message.asdict() == before
        assert job_of(broker, sent).message["options"] == {"trace_id": "t-1"}


class TestServerAway:
    def test_call_fails_with_dramatiq_s_error(self, make_broker: MakeBroker, server_binary: str | None):
        with EmbeddedServer(binary=server_binary, appendonly=False) as server:
            broker = make_broker(url=server.url)
            actor = an_actor(broker, lambda: None)
            message = actor.send()
            server.kill()

            with pytest.raises(dramatiq.ConnectionClosed):
                actor.send()
            group = dramatiq.group([actor.message()], broker=broker)
            group.add_completion_callback(actor.message())
            with pytest.raises(dramatiq.ConnectionClosed):
                group.run()

            server.start()
            assert broker.enqueue(message).message_id == message.message_id

    def test_full_server_counts_as_away(self, make_broker: MakeBroker, server_binary: str | None):
        with EmbeddedServer(binary=server_binary, appendonly=False) as server:
            broker = make_broker(url=server.url)
            actor = an_actor(broker, lambda: None)
            broker.store.client.config_set("maxmemory", "100kb")

            with pytest.raises(dramatiq.ConnectionClosed, match="memory limit"):
                actor.send()


class TestQueues:
    def test_flush_cancels_what_waits(self, broker: JobBroker, add: Any):
        queued, scheduled = add.send(1), add.send_with_options(args=(1,), delay=60_000)

        broker.flush("default")

        assert {job_of(broker, message).state for message in (queued, scheduled)} == {State.CANCELLED}

    def test_consuming_from_an_undeclared_queue_is_refused(self, broker: JobBroker):
        with pytest.raises(dramatiq.QueueNotFound):
            broker.consume("never")

    def test_join_tells_when_it_takes_too_long(self, broker: JobBroker, add: Any):
        add.send(1)

        with pytest.raises(dramatiq.errors.QueueJoinTimeout):
            broker.join("default", timeout=30)


def test_call_that_is_no_send_is_told_once(add: Any, caplog: pytest.LogCaptureFixture):
    assert [add(1), add(2)] == [2, 3]
    told = [record.getMessage() for record in caplog.records]
    assert told == ["add(...) ran here, in this process, and no job was created: add.send(...) enqueues one."]
