"""/metrics says in numbers what happened to jobs, in a form that Prometheus reads."""

import time

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.store.builders import NOW, a_session, claim, claimed, crashed, finish, submitted
from worker_service.api.redis_metrics import redis_metrics
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.settings import Settings
from worker_service.store import Store
from worker_service.store.canary import SINCE, Canary
from worker_service.store.overview import Overviews
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


def of_the_store(found: Scrape) -> Scrape:
    """Without what is of the web process itself."""
    return {
        sample: number for sample, number in found.items() if not sample[0].startswith("worker_service_http_")
    }


def test_every_web_process_gives_the_same_numbers_of_the_store(
    client: FlaskClient, broker: JobBroker, settings: Settings, store: Store
):
    finish(store, claimed(store, actor="add"), "complete")
    other = create_app(broker, settings).test_client()
    assert of_the_store(scrape(other)) == of_the_store(scrape(client))


def test_what_runs_and_the_threads_that_would_be_needed_are_told_of_each_queue(
    client: FlaskClient, store: Store
):
    now = time.time_ns() // 1_000_000
    a_session(store, "s1", now_ms=now)
    for queue, number in (("default", 3), ("mails", 2), ("paused", 4)):
        for _ in range(number):
            submitted(store, queue=queue, now_ms=now)
        claim(store, 1, queues=[queue], now_ms=now)
    store.pause("paused", "x", now)

    found = scrape(client)

    for queue, running, wanted in (("default", 1, 3), ("mails", 1, 2), ("paused", 1, 1)):
        assert value(found, "queue_jobs", queue=queue, state="running") == running
        assert value(found, "queue_wanted_threads", queue=queue) == wanted
    assert value(found, "wanted_threads") == 6


def test_job_that_runs_for_long_is_seen_under_its_actor(client: FlaskClient, store: Store):
    now = time.time_ns() // 1_000_000
    a_session(store, "s1", now_ms=now, lease_ms=3_600_000)
    for ago_ms in (120_000, 5_000):
        submitted(store, actor="add", now_ms=now - ago_ms)
        claim(store, 1, now_ms=now - ago_ms)
    found = scrape(client)
    assert 120 <= value(found, "job_running_longest_seconds", actor="add") < 180
    assert value(found, "job_running_longest_seconds", actor="typed") == 0


def test_duplicates_and_jobs_that_were_put_back_are_counted(client: FlaskClient, store: Store):
    job = claimed(store, actor="typed")
    finish(store, job, "dead_letter", reason="failed")
    assert client.post(f"/v1/jobs/{job.id}/retry").status_code == 202
    for _ in range(3):
        client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}, "unique": {}})
    found = scrape(client)
    assert value(found, "jobs_duplicates_total", actor="add") == 2
    assert value(found, "jobs_replayed_total", actor="typed") == 1


def test_threads_are_those_of_workers_that_take_jobs(client: FlaskClient, store: Store):
    store.open_session("a", 60_000, {"threads": "8"})
    store.open_session("b", 60_000, {"threads": "4"})
    assert value(scrape(client), "threads") == 12


def test_age_of_the_canary_is_told_where_one_is_expected(client: FlaskClient, store: Store):
    canary = Canary(store)
    assert "canary" not in client.get("/metrics").get_data(as_text=True)
    canary.expect(True)
    store.client.hset(store.keys.meta, SINCE, str(time.time_ns() // 1_000_000 - 90_000))
    canary.expect(True)  # a scheduler that starts again
    assert 90 <= value(scrape(client), "canary_age_seconds") < 150
    assert 90_000 <= client.get("/v1/stats").get_json()["canary_age_ms"] < 150_000
    canary.came_through("job-1")
    assert value(scrape(client), "canary_age_seconds") < 60
    canary.expect(False)
    assert "canary" not in client.get("/metrics").get_data(as_text=True)


class TestServer:
    def test_memory_and_append_only_file_are_those_of_the_server(self, client: FlaskClient, store: Store):
        found = scrape(client)
        assert 500_000 < value(found, "redis_memory_bytes") < 2**34
        limit = store.client.info("memory")["maxmemory"]
        assert value(found, "redis_memory_limit_bytes") == limit
        assert value(found, "redis_evicted_keys_total") == 0
        assert value(found, "redis_persistence_ok") == 1
        assert value(found, "redis_append_only") == store.client.info("persistence")["aof_enabled"]

    def test_disk_that_could_not_be_written_is_told(self):
        info = {"aof_enabled": 1, "aof_last_write_status": "err", "rdb_last_bgsave_status": "ok"}
        told = {metric.name: metric.samples[0].value for metric in redis_metrics(info)}
        assert told == {"worker_service_redis_append_only": 1, "worker_service_redis_persistence_ok": 0}

    def test_what_a_managed_server_does_not_tell_is_left_out(self):
        assert list(redis_metrics({})) == []


class TestRequests:
    def requests(self, found: Scrape, method: str, route: str) -> dict[str, float]:
        """Status -> how many."""
        return {
            labels["status"]: number
            for (name, pairs), number in found.items()
            if name == "worker_service_http_requests_total"
            and (labels := dict(pairs))["route"] == route
            and labels["method"] == method
        }

    def test_answers_are_counted_by_route_and_status(self, client: FlaskClient):
        client.get("/v1/jobs/one")
        client.get("/v1/jobs/two")
        client.get("/v1/queues")
        found = scrape(client)
        assert self.requests(found, "GET", "/v1/jobs/<id>") == {"404": 2}
        assert self.requests(found, "GET", "/v1/queues") == {"200": 1}
        assert value(found, "http_request_seconds_count", method="GET", route="/v1/jobs/<id>") == 2

    def test_path_or_method_that_nobody_knows_makes_no_label(self, client: FlaskClient):
        client.get("/evil/1")
        client.get("/evil/2")
        client.open("/v1/queues", method="EVIL")
        text = client.get("/metrics").get_data(as_text=True)
        assert "evil" not in text.lower()
        assert self.requests(scrape(client), "GET", "unknown") == {"404": 2}

    def test_refused_jobs_are_counted_by_their_problem(self, client: FlaskClient):
        client.post("/v1/jobs", json={"actor": "nobody"})
        client.post("/jobs", data="{", content_type="application/json")
        client.post("/v1/jobs:batch", json=[{"actor": "nobody"}, {"actor": "add", "args": {"x": 1}}, 7])
        client.post("/v1/jobs:batch", json={"jobs": [{"actor": "nobody"}], "atomic": True})
        client.get("/v1/jobs?wrong=1")
        found = scrape(client)
        rejected = {
            dict(labels)["problem"]: number
            for (name, labels), number in found.items()
            if name == "worker_service_http_jobs_rejected_total" and number
        }
        assert rejected == {"invalid-job": 3, "bad-request": 1, "invalid-batch": 1}

    def test_internal_errors_are_there_from_the_beginning_so_that_the_first_is_seen(
        self, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ):
        assert value(scrape(client), "http_internal_errors_total") == 0
        monkeypatch.setattr(Overviews, "threads", lambda _: 1 / 0)
        assert client.get("/v1/stats").status_code == 500
        monkeypatch.undo()
        assert value(scrape(client), "http_internal_errors_total") == 1


class TestTrouble:
    @pytest.fixture
    def settings(self, broken_server: EmbeddedServer, namespace: str) -> Settings:
        return Settings(redis_url=broken_server.url, namespace=namespace)

    def test_store_that_is_away_is_up_0_and_nothing_else_of_it_until_it_is_back(
        self, client: FlaskClient, broken_server: EmbeddedServer
    ):
        assert value(scrape(client), "up") == 1
        broken_server.kill()
        assert of_the_store(scrape(client)) == {("worker_service_up", frozenset()): 0}
        broken_server.start()
        assert value(scrape(client), "up") == 1
