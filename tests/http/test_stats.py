"""Schedules in ``/metrics``, ``/v1/stats``, and the alerts over them."""

import json
import re
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.http.test_metrics import Scrape, scrape, value
from tests.store.builders import a_job, claimed, finish, submitted
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.settings import Settings
from worker_service.store import Lock, ScheduleRef, Schedules
from worker_service.store.canary import Canary

ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
CHARTS = ALERTS.parents[1] / "grafana" / "dashboards"
DEFINITION = '{"actor":"add","args":{"x":1},"every_ms":60000}'
LEASE = 60_000


def put(schedules: Schedules, name: str, next_ms: int | None) -> ScheduleRef:
    """A schedule that stands at this tick."""
    assert schedules.put(name, DEFINITION, uid=name, next_ms=next_ms)[0] == "created"
    return ScheduleRef(name, name, 1)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def overdue(schedules: Schedules) -> None:
    """One schedule that nobody fired for 90 s, with neighbours that have nothing to fire."""
    ref_next = now_ms()
    ref = put(schedules, "late", ref_next)
    tick = now_ms() - 150_000
    assert schedules.miss(ref, ref_next, tick, 3, next_ms=now_ms() - 90_000) == "missed"
    put(schedules, "early", now_ms() + LEASE)
    put(schedules, "paused", now_ms() - LEASE)
    schedules.pause("paused", {})
    put(schedules, "over", None)
    put(schedules, "broken", now_ms() - 10 * LEASE)
    schedules.pause("broken", {})
    schedules._client.hset(schedules.keys.schedule("broken"), "definition", "{")


class TestMetrics:
    @pytest.mark.usefixtures("overdue")
    def test_overdue_tick_is_the_lag_of_its_schedule_alone(self, client: FlaskClient):
        found = scrape(client)
        assert 90 <= value(found, "schedule_lag_seconds", schedule="late") < 150
        for name in ("early", "paused", "over"):
            assert value(found, "schedule_lag_seconds", schedule=name) == 0
        assert value(found, "schedule_missed_total", schedule="late") == 3
        assert value(found, "schedule_runs_total", schedule="late") == 0
        assert value(found, "schedule_skipped_total", schedule="late") == 0
        last = value(found, "schedule_last_tick_timestamp_seconds", schedule="late")
        assert 150 <= time.time() - last < 240
        states = {
            state: value(found, "schedules", state=state)
            for state in ("active", "paused", "ended", "damaged")
        }
        assert states == {"active": 2, "paused": 1, "ended": 1, "damaged": 1}

    def test_runs_and_skipped_ticks_are_counted(self, client: FlaskClient, schedules: Schedules):
        ref, lock = put(schedules, "each", 1000), Lock("schedule:1", "done")
        assert value(scrape(client), "schedule_runs_total", schedule="each") == 0
        for tick in (1000, 2000, 3000):
            schedules.fire(ref, tick, a_job(f"job-{tick}", actor="add", lock=lock), next_ms=tick + 1000)
        found = scrape(client)
        assert value(found, "schedule_runs_total", schedule="each") == 1
        assert value(found, "schedule_skipped_total", schedule="each") == 2

    def test_schedulers_and_whether_one_leads(self, client: FlaskClient, schedules: Schedules):
        found = scrape(client)
        assert (value(found, "schedulers"), value(found, "scheduler_leads")) == (0, 0)
        schedules.lead("a:1:x", LEASE)
        schedules.lead("b:1:x", LEASE)
        schedules.lead("lost:1:x", 0)
        found = scrape(client)
        assert (value(found, "schedulers"), value(found, "scheduler_leads")) == (2, 1)
        schedules.lead("a:1:x", LEASE, leaves=True)
        found = scrape(client)
        assert (value(found, "schedulers"), value(found, "scheduler_leads")) == (1, 0)


class TestStats:
    def test_they_are_numbers_in_one_flat_object(self, client: FlaskClient):
        found = client.get("/v1/stats").get_json()
        assert found["queued"] == found["schedulers"] == 0
        assert {type(each) for each in found.values()} == {int}

    @pytest.mark.usefixtures("overdue")
    def test_they_are_those_of_now(self, client: FlaskClient, broker: JobBroker, schedules: Schedules):
        store, now = broker.store, now_ms()
        finish(store, claimed(store, now_ms=now), "dead_letter", reason="failed", now_ms=now)
        submitted(store, queue="default", now_ms=now)
        submitted(store, queue="default", now_ms=now, delay_ms=LEASE)
        submitted(store, queue="more.mail", now_ms=now)
        schedules.lead("a:1:x", LEASE)

        found = client.get("/v1/stats").get_json()

        assert 90_000 <= found.pop("schedule_lag_ms") < 150_000
        ages = [found.pop(name) for name in ("oldest_ms", "oldest_ms:default", "oldest_ms:more.mail")]
        assert 0 <= max(ages[1:]) == ages[0] < LEASE
        assert now - 160_000 < found.pop("schedule_last_tick_ms") < now - 140_000
        assert found == {
            "queued": 2, "delayed": 1, "running": 0, "dead": 1, "succeeded": 0, "cancelled": 0,
            "expired": 0, "workers": 1, "workers_stalled": 0,
            "wanted_threads": 2, "threads": 0,
            "queued:default": 1, "queued:more.mail": 1, "delayed:default": 1, "delayed:more.mail": 0,
            "running:default": 0, "running:more.mail": 0,
            "wanted_threads:default": 1, "wanted_threads:more.mail": 1,
            "schedulers": 1, "scheduler_leads": 1, "schedules": 5, "schedules_damaged": 1,
            "schedules_missed": 3, "schedules_skipped": 0,
        }  # fmt: skip

    def test_threads_are_those_that_take_jobs_and_wanted_are_those_that_would_find_one(
        self, client: FlaskClient, broker: JobBroker
    ):
        store = broker.store
        for session, threads in (("a", "8"), ("b", "4"), ("quiet", "16"), ("stopping", "32"), ("odd", "x")):
            store.open_session(session, LEASE, {"threads": threads})
        store.open_session("lost", 0, {"threads": "64"})
        store.tell_worker("quiet", "quiet")
        store.tell_worker("stopping", "stop")
        submitted(store, now_ms=now_ms())
        assert len(store.claim("a", "1", 1, ["default"]).jobs) == 1
        submitted(store, now_ms=now_ms())
        submitted(store, queue="paused", now_ms=now_ms())
        store.pause("paused", "x", now_ms())

        found = client.get("/v1/stats").get_json()

        assert (found["threads"], found["wanted_threads"]) == (12, 2)


class TestAlerts:
    """The file is YAML in the notation of JSON, so that it can be read here without a further dependency."""

    def rules(self) -> list[dict[str, object]]:
        (group,) = json.loads(re.sub(r"^#.*$", "", ALERTS.read_text(), flags=re.MULTILINE))["groups"]
        assert group.keys() == {"name", "rules"}
        rules: list[dict[str, object]] = group["rules"]
        return rules

    def simple(self) -> list[dict[str, object]]:
        """Those over what stands in one answer; tests/prometheus has the others, which look back."""
        found = [rule for rule in self.rules() if SIMPLE.fullmatch(str(rule["expr"]))]
        assert len(found) >= 7
        return found

    def test_rules_have_the_fields_that_prometheus_knows(self):
        for rule in self.rules():
            assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
            assert re.fullmatch(r"[A-Z][A-Za-z]+", str(rule["alert"]))
            assert re.fullmatch(r"[0-9]+[sm]", str(rule["for"]))
            for texts in (rule["labels"], rule["annotations"]):
                assert isinstance(texts, dict)
                assert all(isinstance(text, str) and text for text in texts.values())

    def test_they_and_the_charts_name_metrics_that_are_shown(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules
    ):
        put(schedules, "each", now_ms())
        submitted(broker.store)
        client.get("/livez")
        Canary(broker.store).expect(True)
        shown = {name for name, _ in scrape(client)}
        named = [re.findall(r"worker_service_\w+", str(rule["expr"])) for rule in self.rules()]
        assert all(named)
        assert {name for names in named for name in names} <= shown
        files = sorted(CHARTS.glob("*.json"))
        assert len(files) == 2
        for file in files:
            charts = re.findall(r"worker_service_\w+", file.read_text())
            assert len(charts) > 10
            assert set(charts) <= shown

    @pytest.mark.usefixtures("overdue")
    def test_what_they_are_about_is_seen_in_the_metrics(self, client: FlaskClient):
        firing = {str(rule["alert"]) for rule in self.simple() if is_true(str(rule["expr"]), scrape(client))}
        assert firing == {
            "NoWorker",
            "ScheduleOverdue",
            "ScheduleDamaged",
            "NoScheduler",
        }

    def test_job_that_waits_too_long_is_seen(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules
    ):
        schedules.lead("a:1:x", LEASE)
        broker.store.open_session("a", LEASE, {"threads": "8"})
        submitted(broker.store, now_ms=now_ms() - 700_000)
        firing = {str(rule["alert"]) for rule in self.simple() if is_true(str(rule["expr"]), scrape(client))}
        assert firing == {"QueueNotDraining"}

    def test_none_fires_when_all_is_well(self, client: FlaskClient, broker: JobBroker, schedules: Schedules):
        broker.store.open_session("a", LEASE, {"threads": "8"})
        put(schedules, "early", now_ms() + LEASE)
        schedules.lead("a:1:x", LEASE)
        assert [rule for rule in self.simple() if is_true(str(rule["expr"]), scrape(client))] == []


SIMPLE = re.compile(r'(max|min) by \([\w, ]+\) \((\w+)(?:\{(\w+)="(\w+)"\})?\) (>|==) ([0-9]+)')


def is_true(expr: str, found: Scrape) -> bool:
    """Whether the largest or the smallest of samples compares as a rule asks."""
    match = SIMPLE.fullmatch(expr)
    assert match, expr
    pick, name, label, word, sign, number = match.groups()
    samples = [
        sample
        for (each, labels), sample in found.items()
        if each == name and (not label or (label, word) in labels)
    ]
    if not samples:  # as Prometheus has it
        return False
    sample = max(samples) if pick == "max" else min(samples)
    return sample > float(number) if sign == ">" else sample == float(number)


class TestStoreAway:
    @pytest.fixture
    def settings(self, broken_server: EmbeddedServer, namespace: str) -> Settings:
        return Settings(redis_url=broken_server.url, namespace=namespace)

    def test_stats_are_503_and_its_alert_alone_fires(
        self, client: FlaskClient, broken_server: EmbeddedServer
    ):
        assert client.get("/v1/stats").status_code == 200
        broken_server.kill()
        assert client.get("/v1/stats").status_code == 503
        (away,) = [rule for rule in TestAlerts().rules() if rule["alert"] == "JobStoreAway"]
        assert is_true(str(away["expr"]), scrape(client))
        assert client.get("/v1/schedules").status_code == 503
        broken_server.start()
        assert client.get("/v1/stats").status_code == 200
