"""What fails, over HTTP: groups, and the jobs of one of them."""

import pytest
from flask.testing import FlaskClient

from tests.http.test_listing import ids
from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.jobs.fingerprint import fingerprint_of_reason
from worker_service.store import Outcome

ERROR = '{"type":"ValueError","message":"no such account","frame":"my.tasks:pay","traceback":"Traceback ..."}'


def died(client: FlaskClient, broker: JobBroker, fingerprint: str = "a" * 16, actor: str = "add") -> str:
    """A job that an exception ended."""
    args = {"x": 1} if actor == "add" else {"value": 1}
    id: str = client.post("/v1/jobs", json={"actor": actor, "args": args}).get_json()["id"]
    broker.store.open_session("s", 60_000, {})
    (job,) = broker.store.claim("s", id, 1, ["default", "other"]).jobs
    failed = Outcome(id, job.token, "dead_letter", reason="failed", error=ERROR, fingerprint=fingerprint)
    assert broker.store.finish([failed]) == ["done"]
    return id


def test_group_leads_to_its_jobs(client: FlaskClient, broker: JobBroker):
    first = died(client, broker)
    newest = died(client, broker)
    other = died(client, broker, "b" * 16, actor="anything")

    listed = client.get("/v1/failures").get_json()

    assert listed["truncated"] is False
    another, group = listed["items"]
    assert (another["actor"], another["newest"]) == ("anything", other)
    job = client.get(group["links"]["newest"]).get_json()
    assert group.pop("per_hour") == [*[0] * 23, 2]
    assert group.pop("first_at") <= group.pop("last_at") == job["finished_at"]
    assert group == {
        "fingerprint": "a" * 16,
        "actor": "add",
        "reason": "failed",
        "error": {"type": "ValueError", "message": "no such account", "frame": "my.tasks:pay"},
        "count": 2,
        "newest": newest,
        "links": {
            "newest": f"/v1/jobs/{newest}",
            "jobs": f"/v1/jobs?state=dead&fingerprint={'a' * 16}",
        },
    }
    assert job["fingerprint"] == "a" * 16
    assert ids(client.get(group["links"]["jobs"])) == [newest, first]


def test_without_dead_jobs_the_list_is_empty(client: FlaskClient):
    client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}})
    assert client.get("/v1/failures").get_json() == {"items": [], "truncated": False}


def test_job_that_died_without_an_exception_has_no_error(client: FlaskClient, broker: JobBroker):
    id = died(client, broker, fingerprint="")
    broker.store.client.delete(broker.store.keys.out(id))
    (group,) = client.get("/v1/failures").get_json()["items"]
    assert (group["error"], group["reason"]) == (None, "failed")
    assert group["fingerprint"] == fingerprint_of_reason("add", "failed")
    assert ids(client.get(f"/v1/jobs?fingerprint={group['fingerprint']}")) == [id]


def test_job_that_was_run_again_with_other_arguments_is_no_failure_any_more(
    client: FlaskClient, broker: JobBroker
):
    still = died(client, broker)
    dealt_with = died(client, broker)
    died_too = died(client, broker, "b" * 16)
    for id in (dealt_with, died_too):
        assert client.post(f"/v1/jobs/{id}/retry", json={"args": {"x": 2}}).status_code in (201, 202)

    (group,) = client.get("/v1/failures").get_json()["items"]

    assert (group["fingerprint"], group["count"], group["newest"]) == ("a" * 16, 1, still)


@pytest.mark.parametrize("query", ["actor=add", "limit=5", "state=dead"])
def test_parameters_of_failures_are_refused_because_there_are_none(client: FlaskClient, query: str):
    name = query.partition("=")[0]
    (error,) = problem(client.get(f"/v1/failures?{query}"), 422, "invalid-query")["errors"]
    assert error["pointer"] == f"/query/{name}"
    assert error["detail"] == f"No parameter {name!r}: this takes none."


def test_span_is_given_in_instants(client: FlaskClient):
    job = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}}).get_json()
    at = job["created_at"]
    assert ids(client.get("/v1/jobs", query_string={"since": at})) == [job["id"]]
    assert ids(client.get("/v1/jobs", query_string={"until": at})) == []
    assert ids(client.get("/v1/jobs?since=2020-01-01T01:00:00%2B01:00&state=queued")) == [job["id"]]


@pytest.mark.parametrize(
    ("query", "pointer", "hint"),
    [
        ("since=yesterday", "/query/since", "RFC 3339"),
        ("until=2030-01-01T00:00:00", "/query/until", "its zone"),
        ("fingerprint=A", "/query/fingerprint", "pattern"),
        (f"fingerprint={'a' * 16}&state=succeeded", "/query", "Only dead jobs have a fingerprint"),
        ("fingerprnt=a", "/query/fingerprnt", "Did you mean 'fingerprint'?"),
    ],
)
def test_wrong_condition_is_named(client: FlaskClient, query: str, pointer: str, hint: str):
    answer = client.get(f"/v1/jobs?{query}")
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["pointer"] == pointer
    assert hint in error["detail"]
