"""Worker processes over HTTP; that they obey is seen in tests/process/test_told.py."""

import pytest
from flask.testing import FlaskClient

from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.store.workers import names_text

LEASE = 60_000
ABOUT = {
    "host": "here",
    "pid": "7",
    "threads": "8",
    "version": "1.2.3",
    "lease_ms": str(LEASE),
    "queues": names_text(["default"]),
    "actors": names_text(["add", "typed"]),
}


def test_they_tell_what_they_are_and_run(client: FlaskClient, broker: JobBroker):
    job = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}}).get_json()
    limited = {"actor": "add", "args": {"x": 2}, "time_limit_ms": 5000}
    other = client.post("/v1/jobs", json=limited).get_json()
    broker.store.open_session("s", LEASE, ABOUT)
    broker.store.extend("s", LEASE, memory_bytes=4096)
    assert len(broker.store.claim("s", "1", 2, ["default"]).jobs) == 2

    (worker,) = client.get("/v1/workers").get_json()["items"]
    assert 0 <= worker.pop("heartbeat_age_ms") < LEASE
    assert worker.pop("opened_at")
    assert worker == {
        "id": "s", "state": "active", "host": "here", "pid": 7, "version": "1.2.3", "queues": ["default"],
        "actors": ["add", "typed"], "threads": 8, "running": 2, "memory_bytes": 4096, "quiet_since": None,
        "stopping_since": None, "stalled_since": None, "stalled_in": None,
        "links": {"self": "/v1/workers/s"},
    }  # fmt: skip

    found = client.get("/v1/workers/s").get_json()
    assert found["id"] == "s"
    jobs = {each["id"]: each for each in found["jobs"]}
    assert jobs.keys() == {job["id"], other["id"]}
    assert jobs[job["id"]]["actor"] == "add"
    assert 0 <= jobs[job["id"]]["running_ms"] < LEASE
    assert [jobs[each["id"]]["time_limit_ms"] for each in (job, other)] == [600_000, 5000]


def test_one_whose_lease_has_ended_is_lost_and_one_that_tells_nothing_is_shown(
    client: FlaskClient, broker: JobBroker
):
    broker.store.open_session("s", 0, {"pid": "x", "threads": ""})
    (worker,) = client.get("/v1/workers").get_json()["items"]
    assert (worker["state"], worker["pid"], worker["threads"]) == ("lost", None, None)
    assert worker["heartbeat_age_ms"] is None


def test_there_may_be_none(client: FlaskClient):
    assert client.get("/v1/workers").get_json() == {"items": [], "truncated": False}


def test_it_is_asked_and_says_so_and_again(client: FlaskClient, broker: JobBroker):
    broker.store.open_session("s", LEASE, ABOUT)
    for word, state, since in (("quiet", "quiet", "quiet_since"), ("stop", "stopping", "stopping_since")):
        answers = [client.post(f"/v1/workers/s/{word}") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202]
        first, second = (answer.get_json() for answer in answers)
        assert first["state"] == second["state"] == state
        assert first[since] == second[since] is not None


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", "/quiet"), ("POST", "/stop")], ids=["show", "quiet", "stop"]
)
def test_unknown_worker_is_404(client: FlaskClient, method: str, path: str):
    problem(client.open(f"/v1/workers/nothing{path}", method=method), 404, "unknown-worker")
