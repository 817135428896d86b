"""Nothing that a request says is ignored."""

import pytest
from flask.testing import FlaskClient

from tests.http.test_problems import problem

JOB = {"actor": "add", "args": {"x": 1}}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/jobs"),
        ("POST", "/v1/jobs:delete"),
        ("DELETE", "/v1/jobs/x"),
        ("GET", "/v1/jobs/x"),
        ("GET", "/v1/queues"),
        ("GET", "/v1/stats"),
    ],
)
def test_unknown_parameter_is_refused_and_nothing_done(client: FlaskClient, method: str, path: str):
    answer = client.open(f"{path}?dry_run=true", method=method, json=JOB if method == "POST" else None)
    body = problem(answer, 422, "invalid-query")
    assert body["errors"][0]["pointer"] == "/query/dry_run"
    assert client.get("/v1/jobs").get_json()["items"] == []


@pytest.mark.parametrize("body", [b'{"a":', b'{"foo": 1}'])
def test_body_of_an_operation_that_takes_none_is_refused(client: FlaskClient, body: bytes):
    path = client.post("/v1/jobs", json=JOB).headers["Location"]
    answer = client.post(f"{path}/cancel", data=body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert client.get(path).get_json()["state"] == "queued"
    assert client.post(f"{path}/cancel", json={}).status_code == 200


def test_encoded_body_is_415(client: FlaskClient):
    problem(
        client.post("/v1/jobs", json=JOB, headers={"Content-Encoding": "gzip"}), 415, "unsupported-media-type"
    )


def test_probes_may_say_anything(client: FlaskClient):
    assert client.get("/livez?x=1").status_code == 200
