"""`GET /v1/jobs/{id}/explain`."""

from flask.testing import FlaskClient

ADD = {"actor": "add", "args": {"x": 1}}


def test_a_job_that_nobody_can_run_is_explained(client: FlaskClient):
    path = client.post("/v1/jobs", json=ADD).headers["Location"]

    found = client.get(f"{path}/explain").get_json()

    assert (found["code"], found["position"], found["starts_at"]) == ("no_worker_for_queue", 1, None)
    assert found["detail"] == "No live worker process takes jobs from the queue 'default'."


def test_a_pause_is_told_with_its_reason(client: FlaskClient):
    path = client.post("/v1/jobs", json={**ADD, "delay_ms": 60_000}).headers["Location"]
    client.post("/v1/queues/default/pause", json={"reason": "a move", "until": "2100-01-01T00:00:00Z"})

    found = client.get(f"{path}/explain").get_json()

    assert [reason["code"] for reason in found["reasons"]][:2] == ["due_later", "queue_paused"]
    assert found["paused"]["reason"] == "a move"


def test_of_no_job_there_is_no_explanation(client: FlaskClient):
    assert client.get("/v1/jobs/nope/explain").status_code == 404
