"""Tags, metadata, the trace and whether the result is kept: what a request says of a job beside its work."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.jobs.labels import METADATA_LIMIT

JOB = {"actor": "add", "args": {"x": 1}}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def posted(client: FlaskClient, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/jobs", json={**JOB, **fields}, headers=headers)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.get_json()
    assert client.get(answer.headers["Location"]).get_json() == made
    return made


def test_job_shows_its_tags_each_once_and_its_metadata(client: FlaskClient):
    metadata = {"customer": 7, "nested": {"list": [1.5, None, True, "ü"]}}
    made = posted(client, tags=["red", "a:b/c", "red"], metadata=metadata)
    assert (made["tags"], made["metadata"]) == (["red", "a:b/c"], metadata)


def test_job_without_labels_has_empty_ones(client: FlaskClient):
    for made in (
        posted(client),
        posted(client, tags=[], metadata={}),
        posted(client, tags=None, metadata=None),
    ):
        assert (made["tags"], made["metadata"], made["traceparent"]) == ([], {}, None)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"tags": "red"}, "/tags"),
        ({"tags": [""]}, "/tags/0"),
        ({"tags": ["fine", "not fine"]}, "/tags/1"),
        ({"tags": ["x" * 65]}, "/tags/0"),
        ({"tags": [1]}, "/tags/0"),
        ({"tags": ["line\n"]}, "/tags/0"),
        ({"tags": [f"t{number}" for number in range(21)]}, "/tags"),
        ({"metadata": []}, "/metadata"),
        ({"metadata": {"x": "y" * METADATA_LIMIT}}, "/metadata"),
        ({"store_result": 0}, "/store_result"),
    ],
)
def test_wrong_label_is_refused_with_its_place(client: FlaskClient, fields: dict[str, Any], pointer: str):
    answer = client.post("/v1/jobs", json={**JOB, **fields})
    assert [each["pointer"] for each in problem(answer, 422, "invalid-job")["errors"]] == [pointer]


def test_largest_labels_are_taken(client: FlaskClient):
    tags = [f"{number:02}" + "~" * 62 for number in range(20)]
    metadata = {"x": "y" * (METADATA_LIMIT - len('{"x":""}'))}
    made = posted(client, tags=tags, metadata=metadata)
    assert (made["tags"], made["metadata"]) == (tags, metadata)


def test_replay_with_other_arguments_keeps_the_labels(client: FlaskClient, broker: JobBroker):
    made = posted(client, {"traceparent": TRACE}, tags=["red"], metadata={"a": 1})
    broker.store.cancel(made["id"])
    again = client.post(f"/v1/jobs/{made['id']}/retry", json={"args": {"x": 2}}).get_json()
    assert (again["tags"], again["metadata"], again["traceparent"]) == (["red"], {"a": 1}, TRACE)


class TestTrace:
    def test_it_is_kept_with_the_job(self, client: FlaskClient):
        assert posted(client, {"traceparent": TRACE})["traceparent"] == TRACE

    def test_that_of_a_later_version_is_kept_as_far_as_it_is_known(self, client: FlaskClient):
        later = "cc" + TRACE[2:-2] + "ff-what-comes-later"
        assert posted(client, {"traceparent": later})["traceparent"] == TRACE

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "junk",
            TRACE.upper(),
            TRACE + "-more",
            TRACE + "\u00e9",
            "ff" + TRACE[2:],
            TRACE[:-1],
            "00-" + "0" * 32 + TRACE[35:],
            TRACE[:36] + "0" * 16 + TRACE[52:],
            "cc" + TRACE[2:] + "x",
            f"{TRACE}, {TRACE}",
        ],
    )
    def test_invalid_one_is_ignored(self, client: FlaskClient, given: str):
        assert posted(client, {"traceparent": given})["traceparent"] is None

    def test_it_is_no_part_of_what_an_idempotency_key_stands_for(self, client: FlaskClient):
        key = {"Idempotency-Key": "k-1"}
        made = client.post("/v1/jobs", json=JOB, headers={**key, "traceparent": TRACE}).get_json()
        again = client.post("/v1/jobs", json=JOB, headers=key)
        assert (again.status_code, again.get_json()["id"]) == (202, made["id"])


def test_version_is_another_one_whenever_the_job_is_shown_otherwise(client: FlaskClient, broker: JobBroker):
    made = posted(client)
    seen = [made["version"], posted(client)["version"]]
    broker.store.cancel(made["id"])
    seen += [client.get(f"/v1/jobs/{made['id']}").get_json()["version"] for _ in range(2)]
    assert len(set(seen)) == 3
    assert seen[2] == seen[3]
