"""Queues over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

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
        "max_depth": None,
        "paused": None,
    }


def test_queue_is_paused_with_a_reason_and_resumed(client: FlaskClient):
    client.post("/v1/jobs", json=JOB)
    body = {"reason": "the bank is away", "until": "2099-01-01T00:00:00Z"}
    assert client.post("/v1/queues/default/pause", json=body).status_code == 204
    (queue,) = client.get("/v1/queues").get_json()["items"]
    assert queue["paused"].pop("since")
    assert queue["paused"] == {"reason": "the bank is away", "until": "2099-01-01T00:00:00.000Z"}
    assert "paused: the bank is away" in client.get("/").get_data(as_text=True)

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


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_misspelt_queue_is_404_with_the_nearest(client: FlaskClient, verb: str):
    answer = client.post(f"/v1/queues/defualt/{verb}", json={"reason": "x"})
    assert answer.status_code == 404
    assert "Did you mean 'default'?" in answer.get_json()["detail"]
