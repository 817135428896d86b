"""Deliveries of webhooks by a real worker to a real receiver."""

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest

from tests.broker.conftest import MakeBroker, Working, an_actor
from tests.outbound.site import refuses_connections
from tests.receiver import OLDER_SECRET, SECRET, Received, Receiver, examples, is_genuine
from tests.waiting import wait_until
from worker_service.broker import webhooks
from worker_service.broker.broker import JobBroker
from worker_service.broker.intake import WantedJob, prepare, replay_as
from worker_service.jobs.errors import InvalidJob, PermanentError
from worker_service.settings import Settings
from worker_service.store import Job

LOOPBACK = "127.0.0.0/8"
OTHER_SECRET = "whsec_" + "C" * 43 + "="


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with Receiver() as running:
        yield running


def prepared(broker: JobBroker, **settings: Any) -> JobBroker:
    """The broker with an actor that does as it is told, and the one that delivers."""
    given = {"outbound_allow": LOOPBACK, "webhook_secrets": SECRET, **settings}
    webhooks.declare(broker, Settings(redis_url="redis://of.no.use", **given))
    an_actor(broker, work)
    return broker


def work(what: str = "") -> str:
    """Return what it is given, or fail for good."""
    if what == "fail":
        raise PermanentError("no such thing")
    return what


@pytest.fixture
def broker(make_broker: MakeBroker) -> JobBroker:
    """A broker that signs."""
    return prepared(make_broker(webhook_secrets=SECRET))


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other at once."""
    monkeypatch.setattr(webhooks, "WAITS", [1] * 10)


def send(
    broker: JobBroker, receiver: Receiver, *args: Any, events: list[str] | None = None, **more: Any
) -> str:
    hook = {"url": receiver.url, **({"events": events} if events else {})}
    sent = broker.actors["work"].send_with_options(args=args, webhook=hook, **more)
    return str(sent.message_id)


def delivery_of(broker: JobBroker, number: int = -1) -> Job:
    """The newest delivery, or another one, once it is final."""
    ids = wait_until(lambda: ids_of(broker))
    job = broker.reads.wait_until_final(ids[number], 10)
    assert job is not None
    assert job.is_final, job
    return job


def ids_of(broker: JobBroker) -> list[str]:
    """The deliveries so far, the oldest first."""
    found: Any = broker.store.client.zrange(broker.store.keys.deliveries, 0, -1)
    return [id.decode() for id in found]


def taken(receiver: Receiver, number: int = 1) -> list[Received]:
    wait_until(lambda: len(receiver.received) >= number)
    return receiver.received


class TestDelivered:
    def test_end_of_a_job_is_told_of_once_and_signed(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        with working(broker):
            id = send(broker, receiver, "done")
            delivery = delivery_of(broker)
        [received] = receiver.received
        assert (delivery.state, delivery.result, delivery.id) == ("succeeded", {"status": 204}, received.id)
        assert is_genuine(SECRET, received)
        assert not is_genuine(OTHER_SECRET, received)
        event = received.event
        assert (event["type"], event["timestamp"]) == ("job.succeeded", event["data"]["finished_at"])
        told = {name: event["data"][name] for name in ("id", "actor", "state", "args", "result", "error")}
        assert told == {
            "id": id,
            "actor": "work",
            "state": "succeeded",
            "args": {"what": "done"},
            "result": "done",
            "error": None,
        }
        assert received.headers["Content-Type"] == "application/json"

    def test_failure_is_told_of_without_its_traceback(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        with working(broker):
            send(broker, receiver, "fail")
            [received] = taken(receiver)
        assert received.event["type"] == "job.dead"
        assert received.event["data"]["error"] == {"type": "PermanentError", "message": "no such thing"}
        assert b"Traceback" not in received.body

    def test_cancelled_job_is_told_of(self, broker: JobBroker, receiver: Receiver, working: Working):
        broker.store.cancel(send(broker, receiver, delay=60_000))
        with working(broker):
            [received] = taken(receiver)
        assert (received.event["type"], received.event["data"]["state"]) == ("job.cancelled", "cancelled")

    def test_other_events_are_not_told_of(self, broker: JobBroker, receiver: Receiver, working: Working):
        with working(broker):
            quiet = send(broker, receiver, "done", events=["dead", "cancelled"])
            broker.reads.wait_until_final(quiet, 10)
            send(broker, receiver, "fail", events=["dead"])
            delivery_of(broker)
        assert [each.event["type"] for each in receiver.received] == ["job.dead"]

    def test_each_of_several_secrets_signs_and_the_newest_does_first(
        self, make_broker: MakeBroker, receiver: Receiver, working: Working
    ):
        both = f"{SECRET},{OLDER_SECRET}"
        broker = prepared(make_broker(webhook_secrets=both), webhook_secrets=both)
        with working(broker):
            send(broker, receiver, "done")
            [received] = taken(receiver)
        assert is_genuine(SECRET, received)
        assert is_genuine(OLDER_SECRET, received)
        first, second = received.headers["webhook-signature"].split()
        only_first = Received({**received.headers, "webhook-signature": first}, received.body)
        assert is_genuine(SECRET, only_first)
        assert not is_genuine(OLDER_SECRET, only_first)
        assert second.startswith("v1,")

    def test_body_that_was_changed_is_not_genuine(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        with working(broker):
            send(broker, receiver, "done")
            [received] = taken(receiver)
        assert not is_genuine(SECRET, Received(received.headers, received.body.replace(b"done", b"gone")))
        late = Received({**received.headers, "webhook-timestamp": "1700000000"}, received.body)
        assert not is_genuine(SECRET, late)

    def test_receiver_of_the_page_takes_it_once_and_refuses_what_was_changed(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        with working(broker):
            send(broker, receiver, "done")
            [received] = taken(receiver)
        names = examples()
        client = names["app"].test_client()
        bodies = [received.body, received.body, received.body + b" "]
        answers = [client.post("/hooks/jobs", data=body, headers=received.headers) for body in bodies]
        assert [answer.status_code for answer in answers] == [204, 204, 401]
        assert names["seen"] == {received.id}

    def test_what_makes_it_too_large_is_left_out_and_named(
        self, broker: JobBroker, receiver: Receiver, working: Working, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(webhooks, "BODY_LIMIT", 2000)
        with working(broker):
            send(broker, receiver, "x" * 3000)
            [received] = taken(receiver)
        assert len(received.body) <= 2000
        assert received.event["data"]["omitted"] == ["result", "args"]
        assert received.event["data"]["state"] == "succeeded"

    def test_job_that_is_put_back_tells_of_its_second_end_under_another_id(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        with working(broker):
            id = send(broker, receiver, "fail")
            taken(receiver)
            assert broker.store.replay([id], "nonce") == ["replayed"]
            first, second = taken(receiver, 2)
        assert first.id != second.id
        assert [first.event["data"]["id"], second.event["data"]["id"]] == [id, id]

    def test_end_is_told_of_as_it_was_when_the_job_runs_again_by_then(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        id = send(broker, receiver, delay=60_000)
        broker.store.cancel(id)
        broker.store.replay([id], "nonce")
        with working(broker, queues={"webhooks"}):
            [received] = taken(receiver)
        assert received.event["type"] == "job.cancelled"
        assert (received.event["data"]["id"], received.event["data"]["state"]) == (id, "cancelled")
        assert "result" not in received.event["data"]

    def test_job_that_is_gone_by_then_is_told_of_all_the_same(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        id = send(broker, receiver, delay=60_000)
        broker.store.cancel(id)
        assert broker.store.delete([id]) == ["deleted"]
        with working(broker):
            [received] = taken(receiver)
        assert {"id": id, "state": "cancelled"}.items() <= received.event["data"].items()

    def test_labels_and_the_trace_of_the_job_go_with_it(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        trace = f"00-{'a' * 32}-{'b' * 16}-01"
        with working(broker):
            send(broker, receiver, "done", tags=["blue"], metadata={"order": "17"}, traceparent=trace)
            [received] = taken(receiver)
        assert received.headers["traceparent"] == trace
        assert received.event["data"]["tags"] == ["blue"]
        assert received.event["data"]["metadata"] == {"order": "17"}

    def test_delivery_belongs_to_the_trace_and_the_request_of_the_job(
        self, broker: JobBroker, receiver: Receiver
    ):
        trace = f"00-{'a' * 32}-{'b' * 16}-01"
        asked: dict[str, Any] = {"traceparent": trace, "request_id": "order-17"}
        broker.store.cancel(send(broker, receiver, delay=60_000, **asked))
        [delivery] = broker.reads.jobs(ids_of(broker))
        assert delivery.message["options"] == asked


class TestRetried:
    def test_every_attempt_sends_the_same_under_the_same_id(
        self, fast: None, make_broker: MakeBroker, receiver: Receiver, working: Working
    ):
        broker = prepared(make_broker(webhook_secrets=SECRET))
        receiver.answers = [500, 404, (302, {"Location": f"http://127.0.0.1:{receiver.port}/other"})]
        with working(broker):
            id = send(broker, receiver, "fail")
            taken(receiver)
            assert broker.store.delete([id]) == ["deleted"]
            delivery = delivery_of(broker)
        attempts = receiver.received
        assert [each.outcome for each in delivery.deliveries] == ["retry", "retry", "retry", "complete"]
        assert {each.id for each in attempts} == {delivery.id}
        assert len({each.body for each in attempts}) == 1
        assert len(attempts) == 4

    def test_receiver_that_is_down_gets_it_when_it_is_up(
        self, fast: None, make_broker: MakeBroker, working: Working
    ):
        broker = prepared(make_broker(webhook_secrets=SECRET))
        port = refuses_connections()
        with working(broker):
            down = {"url": f"http://127.0.0.1:{port}/hook"}
            broker.actors["work"].send_with_options(args=("done",), webhook=down)
            [first] = wait_until(lambda: ids_of(broker))
            wait_until(lambda: (job := broker.reads.job(first)) is not None and job.attempts >= 2)
            with Receiver(port) as receiver:
                assert delivery_of(broker).state == "succeeded"
        [received] = receiver.received
        assert is_genuine(SECRET, received)

    def test_it_is_given_up_after_a_day(
        self, fast: None, make_broker: MakeBroker, receiver: Receiver, working: Working
    ):
        broker = prepared(make_broker(webhook_secrets=SECRET))
        receiver.answers = [500] * 20
        with working(broker):
            send(broker, receiver, "done")
            delivery = delivery_of(broker)
        assert (delivery.state, delivery.reason, delivery.attempts) == ("dead", "attempts_exhausted", 11)
        assert webhooks.last_status(delivery.error, delivery.result) == 500

    def test_gone_stops_for_good(self, broker: JobBroker, receiver: Receiver, working: Working):
        receiver.answers = [410]
        with working(broker):
            send(broker, receiver, "done")
            delivery = delivery_of(broker)
        assert (delivery.state, delivery.reason, len(receiver.received)) == ("dead", "permanent_error", 1)
        assert webhooks.last_status(delivery.error, delivery.result) == 410

    def test_receiver_that_says_when_is_obeyed_and_no_attempt_is_used(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        receiver.answers = [(429, {"Retry-After": "90"})]
        with working(broker):
            send(broker, receiver, "done")
            taken(receiver)
            [id] = ids_of(broker)
            wait_until(lambda: broker.reads.state(id) == "scheduled")
            job = broker.reads.job(id)
        assert job is not None
        assert (job.wait_reason, job.attempts) == ("snooze", 0)
        assert (job.due_at_ms or 0) - job.created_at_ms >= 90_000
        assert webhooks.last_status(job.error, job.result) == 429

    def test_dead_delivery_is_put_back_as_any_job(
        self, broker: JobBroker, receiver: Receiver, working: Working
    ):
        receiver.answers = [410]
        with working(broker):
            send(broker, receiver, "done")
            delivery = delivery_of(broker)
            assert broker.store.replay([delivery.id], "nonce") == ["replayed"]
            first, second = taken(receiver, 2)
            assert delivery_of(broker).state == "succeeded"
        assert (first.id, first.body) == (second.id, second.body)

    def test_address_inside_is_refused_with_what_to_set(
        self, make_broker: MakeBroker, receiver: Receiver, working: Working
    ):
        broker = prepared(make_broker(webhook_secrets=SECRET), outbound_allow="")
        with working(broker):
            send(broker, receiver, "done")
            delivery = delivery_of(broker)
        assert (delivery.state, receiver.received) == ("dead", [])
        assert "JOBS_OUTBOUND_ALLOW=127.0.0.1" in str(delivery.error)


class TestRefused:
    def test_without_a_secret_no_job_is_created(self, make_broker: MakeBroker, receiver: Receiver):
        broker = prepared(make_broker())
        with pytest.raises(InvalidJob, match="set JOBS_WEBHOOK_SECRETS") as caught:
            send(broker, receiver, "done")
        assert (caught.value.code, caught.value.pointer) == ("no_webhook_secret", "/webhook")
        assert broker.reads.depth("default") == 0

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "example.org/hook",
            "ftp://example.org/",
            "https://",
            "https://user:password@example.org/",
            "https://user@example.org/",
            "https://example.org/#part",
            "https://example.org:0/",
            "https://example.org:99999/",
            "https://[::1/",
            "https://exa mple.org/",
            "https://example.org\\@other.org/",
            "https://exämple.org/",
            "https://example.org/\n",
            "https://example.org/" + "a" * 2048,
            None,
            5,
        ],
    )
    def test_what_is_no_address_is_refused(self, broker: JobBroker, url: Any):
        with pytest.raises(InvalidJob) as caught:
            broker.actors["work"].send_with_options(webhook={"url": url})
        assert [each.pointer for each in caught.value.problems] == ["/webhook/url"]

    @pytest.mark.parametrize("events", [[], ["died"], ["dead", "dead"], "dead", ["expired"]])
    def test_what_are_no_events_is_refused(self, broker: JobBroker, events: Any):
        with pytest.raises(InvalidJob) as caught:
            broker.actors["work"].send_with_options(webhook={"url": "https://example.org/", "events": events})
        assert caught.value.problems[0].pointer.startswith("/webhook/events")

    @pytest.mark.parametrize(
        "webhook", ["https://example.org/", {}, {"url": "https://example.org/", "secret": "x"}]
    )
    def test_what_is_no_webhook_is_refused(self, broker: JobBroker, webhook: Any):
        with pytest.raises(InvalidJob) as caught:
            broker.actors["work"].send_with_options(webhook=webhook)
        assert caught.value.pointer == "/webhook"

    def test_actor_that_delivers_is_not_to_be_asked_for(self, broker: JobBroker):
        with pytest.raises(InvalidJob, match="No actor"):
            prepare(broker, WantedJob("service.webhook", {}))


def test_webhook_stays_with_a_job_that_is_run_again_with_other_arguments(
    broker: JobBroker, receiver: Receiver, working: Working
):
    with working(broker):
        id = send(broker, receiver, "fail")
        taken(receiver)
        job = broker.reads.job(id)
        assert job is not None
        assert replay_as(broker, job, {"what": "good"}, "new-id")[0] == "replayed"
        _, second = taken(receiver, 2)
    assert (second.event["type"], second.event["data"]["id"]) == ("job.succeeded", "new-id")


def test_step_of_a_pipeline_tells_of_its_own_end(broker: JobBroker, receiver: Receiver, working: Working):
    hook = {"url": receiver.url}
    with working(broker):
        last = broker.actors["work"].message_with_options(args=(), webhook=hook, pipe_ignore=True)
        dramatiq.pipeline([broker.actors["work"].message("first"), last], broker=broker).run()
        [received] = taken(receiver)
    assert received.event["data"]["id"] == last.message_id
