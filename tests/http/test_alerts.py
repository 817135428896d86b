"""GET /v1/alerts: what needs somebody now, under the names that Prometheus and the runbook know."""

import time

import pytest
import yaml  # type: ignore[import-untyped]
from flask.testing import FlaskClient

from tests.http.test_stats import ALERTS, DEFINITION, LEASE, put
from tests.store.builders import claimed, finish, submitted
from worker_service.broker.broker import JobBroker
from worker_service.store import Rates, Schedules
from worker_service.store.canary import SINCE, Canary

SEEN_BY_PROMETHEUS_ALONE = {
    "WebAway", "JobStoreAway",  # nobody answers then
    "NothingEnds", "ScheduleMissed", "IntakeRefuses", "WebFails",  # what has changed over some time
}  # fmt: skip


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def alerts(client: FlaskClient) -> dict[str, str | None]:
    """Name -> what each is about."""
    found = client.get("/v1/alerts").get_json()["items"]
    assert [each["severity"] for each in found] == sorted(each["severity"] for each in found)
    return {each["name"]: each["of"] for each in found}


@pytest.fixture
def well(broker: JobBroker, schedules: Schedules) -> None:
    """A worker and a scheduler live."""
    broker.store.open_session("a", LEASE, {"threads": "8"})
    schedules.lead("a:1:x", LEASE)


@pytest.mark.usefixtures("well")
def test_there_is_none_when_all_is_well(client: FlaskClient, broker: JobBroker, schedules: Schedules):
    put(schedules, "early", now_ms() + LEASE)
    submitted(broker.store, now_ms=now_ms())
    assert alerts(client) == {}


def test_missing_processes_are_told(client: FlaskClient, broker: JobBroker):
    submitted(broker.store, now_ms=now_ms())
    assert alerts(client) == {"NoWorker": None, "NoScheduler": None}
    text = client.get("/v1/alerts").get_json()["items"][0]["text"]
    assert text == "No worker process lives; a job waits. Start one: worker-service worker"


@pytest.mark.usefixtures("well")
def test_worker_process_that_gets_nowhere_is_told(client: FlaskClient, broker: JobBroker):
    broker.store.open_session("stuck", LEASE, {"host": "web-1", "pid": "17"})
    broker.store.extend("stuck", LEASE, stalled=(31_000, "claim"))
    assert alerts(client) == {"WorkerStalled": "stuck"}
    text = client.get("/v1/alerts").get_json()["items"][0]["text"]
    assert text == "The worker process 17 of web-1 gets nowhere: no claim for 31 s."


@pytest.mark.usefixtures("well")
def test_schedulers_of_which_none_leads_are_told(client: FlaskClient, schedules: Schedules):
    schedules._client.delete(schedules.keys.leader)
    assert alerts(client) == {"NoLeadingScheduler": None}


@pytest.mark.usefixtures("well")
def test_schedule_that_is_late_or_damaged_is_told_by_name(client: FlaskClient, schedules: Schedules):
    put(schedules, "late", now_ms() - 60_000)
    assert schedules.put("odd", DEFINITION, uid="odd", next_ms=now_ms() + LEASE)[0] == "created"
    schedules._client.hset(schedules.keys.schedule("odd"), "definition", "{")
    assert alerts(client) == {"ScheduleOverdue": "late", "ScheduleDamaged": "odd"}


@pytest.mark.usefixtures("well")
def test_queue_that_does_not_drain_is_told_with_why_it_is_paused(client: FlaskClient, broker: JobBroker):
    submitted(broker.store, queue="mails", now_ms=now_ms() - 700_000)
    broker.store.pause("mails", "The mail server is moved.", now_ms())
    assert alerts(client) == {"QueueNotDraining": "mails"}
    assert "The mail server is moved." in client.get("/v1/alerts").get_data(as_text=True)


@pytest.mark.usefixtures("well")
def test_actor_whose_attempts_fail_is_told(client: FlaskClient, broker: JobBroker):
    for number in range(30):
        job = claimed(broker.store, session=f"s{number}", actor="add", now_ms=now_ms())
        finish(broker.store, job, "retry", delay_ms=3_600_000, now_ms=now_ms())
        broker.store.close_session(f"s{number}")
    Rates(broker.store.client, broker.store.keys).roll_up()
    assert alerts(client) == {"JobsFail": "add"}


@pytest.mark.usefixtures("well")
def test_canary_that_does_not_come_through_is_told_where_one_is_sent(client: FlaskClient, broker: JobBroker):
    canary = Canary(broker.store)
    canary.expect(True)
    assert alerts(client) == {}
    broker.store.client.hset(broker.store.keys.meta, SINCE, str(now_ms() - 301_000))
    assert alerts(client) == {"CanaryOld": None}
    canary.came_through("job-1")
    assert alerts(client) == {}


@pytest.mark.usefixtures("well")
def test_jobs_that_were_given_up_are_told(client: FlaskClient, broker: JobBroker):
    job = claimed(broker.store, session="s", actor="add", now_ms=now_ms())
    finish(broker.store, job, "dead_letter", reason="failed", now_ms=now_ms())
    broker.store.close_session("s")
    Rates(broker.store.client, broker.store.keys).roll_up()
    assert alerts(client) == {"JobsDead": "add"}


@pytest.mark.usefixtures("well")
@pytest.mark.parametrize(
    ("info", "name"),
    [
        ({"used_memory": 71, "maxmemory": 100}, "RedisMemory"),
        ({"evicted_keys": 1, "maxmemory_policy": "allkeys-lru"}, "RedisEvicts"),
        ({"aof_last_write_status": "err"}, "RedisDisk"),
    ],
)
def test_server_that_is_full_or_cannot_write_is_told(
    client: FlaskClient,
    broker: JobBroker,
    monkeypatch: pytest.MonkeyPatch,
    info: dict[str, object],
    name: str,
):
    monkeypatch.setattr(broker.vitals, "read", lambda: info)
    assert alerts(client) == {name: None}


@pytest.mark.usefixtures("well")
def test_keys_that_were_dropped_before_that_was_forbidden_are_past(
    client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(broker.vitals, "read", lambda: {"evicted_keys": 9, "maxmemory_policy": "noeviction"})
    assert alerts(client) == {}


def test_every_rule_of_prometheus_is_told_here_too_or_cannot_be():
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    rules = {rule["alert"] for rule in group["rules"]}
    told = {
        "NoWorker", "WorkerStalled", "CanaryOld", "NoScheduler", "NoLeadingScheduler", "ScheduleOverdue",
        "ScheduleDamaged",
        "QueueNotDraining", "JobsFail", "JobsDead", "RedisMemory", "RedisEvicts", "RedisDisk",
    }  # fmt: skip
    assert told | SEEN_BY_PROMETHEUS_ALONE == rules
