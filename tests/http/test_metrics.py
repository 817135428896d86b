"""/metrics says in numbers what happened to jobs, in a form that Prometheus reads."""

import time

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.store.builders import NOW, a_session, claim, claimed, crashed, finish, submitted
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.settings import Settings
from worker_service.store import Store
from worker_service.web import create_app

Scrape = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(client: FlaskClient) -> Scrape:
    """Sample -> value, as Prometheus' own parser reads them. No sample stands twice."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found: Scrape = {}
    for family in text_string_to_metric_families(answer.get_data(as_text=True)):
        assert family.name.startswith("worker_service_")
        assert family.documentation
        assert family.type in ("gauge", "counter", "histogram")
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(found: Scrape, name: str, **labels: str) -> float:
    return found[f"worker_service_{name}", frozenset(labels.items())]


@pytest.fixture
def store(broker: JobBroker) -> Store:
    """The store of the application."""
    return broker.store


def test_actors_that_did_nothing_are_there_with_zero(client: FlaskClient, broker: JobBroker):
    found = scrape(client)
    assert value(found, "up") == 1
    for actor in broker.actors:
        assert value(found, "jobs_enqueued_total", actor=actor) == 0
        assert value(found, "jobs_finished_total", actor=actor, outcome="dead") == 0
        assert value(found, "job_run_seconds_count", actor=actor) == 0


def test_posted_job_is_counted(client: FlaskClient):
    client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}})
    found = scrape(client)
    assert value(found, "jobs_enqueued_total", actor="add") == 1
    assert value(found, "queue_jobs", queue="default", state="queued") == 1


def test_each_outcome_is_counted_under_its_actor(client: FlaskClient, store: Store):
    finish(store, claimed(store, actor="add"), "complete")
    finish(store, claimed(store, actor="add"), "dead_letter", reason="failed")
    finish(store, claimed(store, actor="add"), "retry", reason="retry", delay_ms=60_000)
    finish(store, claimed(store, actor="add"), "snooze", reason="snooze", delay_ms=60_000)
    store.cancel(submitted(store, actor="add"))
    crashed(store, actor="typed")

    found = scrape(client)

    finished = {
        outcome: value(found, "jobs_finished_total", actor="add", outcome=outcome)
        for outcome in ("succeeded", "dead", "cancelled", "expired")
    }
    assert finished == {"succeeded": 1, "dead": 1, "cancelled": 1, "expired": 0}
    assert value(found, "jobs_enqueued_total", actor="add") == 5
    assert value(found, "jobs_started_total", actor="add") == 4
    assert value(found, "jobs_returned_total", actor="add", outcome="retried") == 1
    assert value(found, "jobs_returned_total", actor="add", outcome="snoozed") == 1
    assert value(found, "jobs_returned_total", actor="typed", outcome="crashed") == 1
    assert value(found, "jobs_kept", state="dead") == 1


def test_depth_age_and_workers_are_those_of_now(client: FlaskClient, store: Store):
    now = time.time_ns() // 1_000_000
    submitted(store, queue="default", now_ms=now - 90_000)
    submitted(store, queue="default", now_ms=now, delay_ms=3_600_000)
    a_session(store, "s1", now_ms=now)
    a_session(store, "lost", now_ms=now - 60_000)

    found = scrape(client)

    assert value(found, "queue_jobs", queue="default", state="queued") == 1
    assert value(found, "queue_jobs", queue="default", state="delayed") == 1
    assert 90 <= value(found, "queue_oldest_seconds", queue="default") < 150
    assert value(found, "workers") == 1
    assert value(found, "queues") == 1
    assert value(found, "jobs_running") == 0
    claim(store, session="s1", now_ms=now)
    found = scrape(client)
    assert value(found, "jobs_running") == 1
    assert value(found, "queue_oldest_seconds", queue="default") == 0


class TestHistograms:
    def test_buckets_are_cumulative_seconds(self, client: FlaskClient, store: Store):
        for ms in (0, 5, 6, 100, 101, 600_000, 600_001):
            finish(store, claimed(store, actor="add"), "complete", now_ms=NOW + ms)

        found = scrape(client)

        within = {
            le: value(found, "job_run_seconds_bucket", actor="add", le=le)
            for le in ("0.005", "0.01", "0.1", "0.25", "300.0", "600.0", "+Inf")
        }
        assert within == {
            "0.005": 2,
            "0.01": 3,
            "0.1": 4,
            "0.25": 5,
            "300.0": 5,
            "600.0": 6,
            "+Inf": 7,
        }
        assert value(found, "job_run_seconds_count", actor="add") == 7
        assert value(found, "job_run_seconds_sum", actor="add") == pytest.approx(1200.213)

    def test_wait_is_from_created_to_claimed(self, client: FlaskClient, store: Store):
        submitted(store, actor="add", now_ms=NOW - 40)
        a_session(store)
        claim(store)
        found = scrape(client)
        assert value(found, "job_wait_seconds_bucket", actor="add", le="0.025") == 0
        assert value(found, "job_wait_seconds_bucket", actor="add", le="0.05") == 1
        assert value(found, "job_wait_seconds_sum", actor="add") == pytest.approx(0.04)


class TestLabels:
    def test_actor_that_this_process_does_not_know_is_no_label(self, client: FlaskClient, store: Store):
        submitted(store, actor="stranger")
        assert "stranger" not in client.get("/metrics").get_data(as_text=True)

    @pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", 'x"} 1\nevil 1', "größe 大", "{}", ""])
    def test_odd_queue_name_arrives_whole_and_breaks_nothing(
        self, client: FlaskClient, store: Store, name: str
    ):
        submitted(store, queue=name)
        assert value(scrape(client), "queue_jobs", queue=name, state="queued") == 1

    def test_odd_actor_name_arrives_whole(self, client: FlaskClient, store: Store, broker: JobBroker):
        name = 'a"b\\c\nd'
        broker.actors[name] = broker.actors["add"]
        submitted(store, actor=name)
        assert value(scrape(client), "jobs_enqueued_total", actor=name) == 1


def test_every_web_process_gives_the_same_numbers(
    client: FlaskClient, broker: JobBroker, settings: Settings, store: Store
):
    finish(store, claimed(store, actor="add"), "complete")
    other = create_app(broker, settings).test_client()
    assert scrape(other) == scrape(client)


class TestTrouble:
    @pytest.fixture
    def settings(self, broken_server: EmbeddedServer, namespace: str) -> Settings:
        return Settings(redis_url=broken_server.url, namespace=namespace)

    def test_store_that_is_away_is_up_0_and_nothing_else_until_it_is_back(
        self, client: FlaskClient, broken_server: EmbeddedServer
    ):
        assert value(scrape(client), "up") == 1
        broken_server.kill()
        assert scrape(client) == {("worker_service_up", frozenset()): 0}
        broken_server.start()
        assert value(scrape(client), "up") == 1
