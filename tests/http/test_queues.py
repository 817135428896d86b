"""Queues over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from worker_service.api import purging as module
from worker_service.broker.broker import JobBroker

JOB = {"actor": "add", "args": {"x": 1}}


def test_queues_tell_what_waits(client: FlaskClient):
    client.post("/v1/jobs", json=JOB)
    client.post("/v1/jobs", json={**JOB, "delay_ms": 60_000})
    (queue,) = client.get("/v1/queues").get_json()["items"]
    assert queue.pop("oldest_ms") >= 0
    assert queue == {
        "name": "default",
        "queued": 1,
        "scheduled_or_retrying": 1,
        "running": 0,
        "max_depth": None,
        "paused": None,
    }


def test_queue_is_paused_with_a_reason_and_resumed(client: FlaskClient):
    client.post("/v1/jobs", json=JOB)
    body = {"reason": "the bank is away", "until": "2099-01-01T00:00:00Z"}
    assert client.post("/v1/queues/default/pause", json=body).status_code == 204
    (queue,) = client.get("/v1/queues").get_json()["items"]
    assert queue["paused"].pop("since")
    assert queue["paused"] == {
        "reason": "the bank is away",
        "by": "this machine",
        "until": "2099-01-01T00:00:00.000Z",
    }
    assert "paused: <bdi>the bank is away</bdi>" in client.get("/").get_data(as_text=True)

    assert client.post("/v1/queues/default/resume").status_code == 204
    (queue,) = client.get("/v1/queues").get_json()["items"]
    assert queue["paused"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/reason"),
        ({"reason": ""}, "/reason"),
        ({"reason": "x", "untl": "y"}, "/untl"),
        ({"reason": "x", "until": "soon"}, "/until"),
        ({"reason": "x", "until": "2001-01-01T00:00:00Z"}, "/until"),
    ],
)
def test_wrong_pause_is_refused(client: FlaskClient, body: dict[str, Any], pointer: str):
    answer = client.post("/v1/queues/default/pause", json=body)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("verb", ["pause", "resume", "purge"])
def test_misspelt_queue_is_404_with_the_nearest(client: FlaskClient, verb: str):
    answer = client.post(f"/v1/queues/defualt/{verb}", json={"reason": "x"} if verb == "pause" else None)
    assert answer.status_code == 404
    assert "Did you mean 'default'?" in answer.get_json()["detail"]


def test_one_queue_tells_the_same_as_the_list(client: FlaskClient):
    client.post("/v1/jobs", json={**JOB, "delay_ms": 60_000})
    (listed,) = client.get("/v1/queues").get_json()["items"]
    assert client.get("/v1/queues/default").get_json() == listed
    empty = client.get("/v1/queues/other").get_json()  # declared, and without a job so far
    assert (empty["name"], empty["queued"], empty["oldest_ms"]) == ("other", 0, None)
    assert client.get("/v1/queues/nothing").status_code == 404


class TestPurge:
    def test_what_waits_is_cancelled_and_counted(self, client: FlaskClient):
        paths = [client.post("/v1/jobs", json=JOB).headers["Location"] for _ in range(3)]
        for number in (3, 0):
            answer = client.post("/v1/queues/default/purge", json={"confirm": "default"})
            assert (answer.status_code, answer.get_json()) == (200, {"cancelled": number, "rest": None})
        assert {client.get(path).get_json()["state"] for path in paths} == {"cancelled"}

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [({}, "/confirm"), ({"confirm": "defualt"}, "/confirm"), ({"confirm": "default", "x": 1}, "/x")],
    )
    def test_without_the_name_once_more_nothing_is_done(
        self, client: FlaskClient, body: dict[str, Any], pointer: str
    ):
        path = client.post("/v1/jobs", json=JOB).headers["Location"]
        answer = client.post("/v1/queues/default/purge", json=body)
        assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
        assert client.get(path).get_json()["state"] == "queued"

    def test_of_very_many_a_job_cancels_the_rest(
        self, client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
        for _ in range(3):
            client.post("/v1/jobs", json=JOB)
        answer = client.post("/v1/queues/default/purge", json={"confirm": "default"})
        found = answer.get_json()
        assert (answer.status_code, found["cancelled"]) == (202, 2)
        assert client.get(answer.headers["Location"]).get_json() == found["rest"]
        asked = found["rest"]["args"]
        assert (asked["operation"], asked["filter"]["queue"]) == ("cancel", "default")
        assert sorted(asked["filter"]["states"]) == ["queued", "retrying", "scheduled"]
        assert broker.reads.depth("default") == 1
