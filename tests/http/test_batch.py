"""``POST /v1/jobs:batch``: many jobs in one request."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.test_problems import problem
from worker_service.api.batch import MOST_ATOMIC
from worker_service.api.batch_body import BATCH_LIMIT, ITEM_LIMIT, MOST_ITEMS
from worker_service.broker.broker import JobBroker
from worker_service.broker.intake import SLICE
from worker_service.jobs.errors import StoreUnavailable
from worker_service.settings import Settings
from worker_service.store import Store, durability
from worker_service.store.line import Line
from worker_service.web import create_app

BATCH = "/v1/jobs:batch"
UNIQUE = {"actor": "add", "args": {"x": 1}, "unique": {"key": "k"}}


def job(x: Any = 1, **fields: Any) -> dict[str, Any]:
    return {"actor": "add", "args": {"x": x}, **fields}


def post(client: FlaskClient, body: Any, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(BATCH, json=body, headers=named)


def items(answer: TestResponse) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def statuses(answer: TestResponse) -> list[int]:
    return [item["status"] for item in items(answer)]


def jobs_in(broker: JobBroker) -> int:
    return int(broker.store.client.zcard(broker.store.keys.jobs))


class TestItems:
    def test_each_job_is_answered_in_order(self, client: FlaskClient, broker: JobBroker):
        answer = post(client, [job(1), job("one"), job(3, delay_ms=60_000), {"actor": "ad"}])

        first, wrong, later, unknown = items(answer)
        assert (first["status"], later["status"]) == (202, 202)
        assert (first["job"]["state"], later["job"]["state"]) == ("queued", "scheduled")
        for item in (first, later):
            whole = client.get(item["job"]["links"]["self"]).get_json()
            assert item["job"] == {name: whole[name] for name in item["job"]}
        assert (wrong["status"], unknown["status"]) == (422, 422)
        assert wrong["problem"]["errors"][0]["pointer"] == "/args/x"
        assert "Did you mean 'add'?" in unknown["problem"]["detail"]
        assert unknown["problem"]["request_id"] == answer.headers["X-Request-Id"]
        assert jobs_in(broker) == 2

    @pytest.mark.parametrize("item", [5, None, "x", [], [job()]])
    def test_what_is_no_object_is_a_problem_of_its_own(self, client: FlaskClient, item: Any):
        answer = post(client, [job(), item, job()])
        assert statuses(answer) == [202, 422, 202]

    @pytest.mark.parametrize("body", [[], {"jobs": []}])
    def test_no_job_is_no_mistake(self, client: FlaskClient, body: Any):
        assert items(post(client, body)) == []

    def test_more_than_one_script_creates_them(self, client: FlaskClient, broker: JobBroker):
        answer = post(client, [job(n) for n in range(2 * SLICE + 1)])
        assert statuses(answer) == [202] * (2 * SLICE + 1)
        made = [broker.reads.job(item["job"]["id"]) for item in items(answer)]
        assert [made.message["kwargs"]["x"] for made in made if made] == list(range(2 * SLICE + 1))
        ids = [item["job"]["id"] for item in items(answer)]
        assert sorted(ids) == ids
        assert broker.reads.waiting("default") == ids

    def test_work_that_another_job_does_is_answered_with_that(self, client: FlaskClient, broker: JobBroker):
        reject = {**UNIQUE, "unique": {"key": "k", "on_conflict": "reject"}}
        first, again, rejected = items(post(client, [UNIQUE, UNIQUE, reject]))
        assert again == {
            "status": 200,
            "job": {
                **first["job"],
                "duplicate": True,
            },
        }
        assert rejected["status"] == 409
        assert rejected["problem"]["job_id"] == first["job"]["id"]
        assert jobs_in(broker) == 1

    def test_full_queue_is_told_for_each_job(self, client: FlaskClient):
        client.put("/v1/queues/default/limits", json={"max_depth": 1})
        found = items(post(client, [job(), job(), {"actor": "anything", "args": {"value": 1}}]))
        assert [item["status"] for item in found] == [202, 503, 202]
        assert found[1]["problem"]["type"].endswith(":queue-full")

    def test_trace_of_the_request_is_that_of_each_job(self, client: FlaskClient, broker: JobBroker):
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        found = items(post(client, [job(), job()], traceparent=trace))
        for item in found:
            record = broker.reads.job(item["job"]["id"])
            assert record is not None
            assert record.message["options"]["traceparent"] == trace


class TestForms:
    def test_lines(self, client: FlaskClient):
        body = "\n".join([json.dumps(job()), "", "{", json.dumps(job(2)) + "\r", "  ", "7"])
        answer = client.post(BATCH, data=body, content_type="application/x-ndjson; charset=utf-8")
        assert statuses(answer) == [202, 422, 202, 422]
        assert items(answer)[1]["problem"]["errors"][0]["code"] == "not_json"

    def test_object_around_them(self, client: FlaskClient):
        assert statuses(post(client, {"jobs": [job(), job("x")], "atomic": False})) == [202, 422]

    def test_white_space_does_not_matter(self, client: FlaskClient):
        for body in ([job(), job()], {"atomic": False, "jobs": [job(), job()]}):
            text = f"\n {json.dumps(body, indent=3)}\t\n"
            answer = client.post(BATCH, data=text, content_type="application/json")
            assert statuses(answer) == [202, 202]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "7",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1]]",
            "[1] x",
            '[{"a": NaN}]',
            '[{"a": 1, "a": 2}]',
            "[" * 100_000,
            f"[{'[' * 70}{']' * 70}]",
            '{"jobs": [1]',
            '{"jobs": [1] "atomic": true}',
            '{"jobs": [], "jobs": []}',
            "{jobs: []}",
            '{"jobs"; []}',
            '{"jobs": [],}',
            "{1: []}",
            '{"jobs": []} {}',
        ],
    )
    def test_what_is_no_json_is_400(self, client: FlaskClient, broker: JobBroker, text: str):
        problem(client.post(BATCH, data=text, content_type="application/json"), 400, "bad-request")
        assert jobs_in(broker) == 0

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/jobs"),
            ({"jobs": 7}, "/jobs"),
            ({"jobs": {}}, "/jobs"),
            ({"jobs": [], "atomic": 1}, "/atomic"),
            ({"jobs": [], "atomci": True}, "/atomci"),
        ],
    )
    def test_wrong_option_is_422(self, client: FlaskClient, body: Any, pointer: str):
        found = problem(post(client, body), 422, "invalid-query")
        assert found["errors"][0]["pointer"] == pointer

    def test_other_media_type_is_415(self, client: FlaskClient):
        answer = client.post(BATCH, data="[]", content_type="text/plain")
        assert "application/x-ndjson" in problem(answer, 415, "unsupported-media-type")["detail"]


class TestSizes:
    def test_more_jobs_than_allowed_are_413(self, client: FlaskClient, broker: JobBroker):
        found = problem(post(client, [7] * (MOST_ITEMS + 1)), 413, "request-entity-too-large")
        assert str(MOST_ITEMS) in found["detail"]
        lines = "7\n" * (MOST_ITEMS + 1)
        answer = client.post(BATCH, data=lines, content_type="application/x-ndjson")
        problem(answer, 413, "request-entity-too-large")
        assert len(items(post(client, [7] * MOST_ITEMS))) == MOST_ITEMS

    @pytest.mark.parametrize("text", ["x", "\u20ac"])
    @pytest.mark.parametrize("form", ["application/json", "application/x-ndjson"])
    def test_job_that_is_too_large_is_413_and_named(
        self, client: FlaskClient, broker: JobBroker, text: str, form: str
    ):
        def answer(size: int) -> TestResponse:
            frame = json.dumps({"a": ""})
            large = f'{{"a": "{text * ((size - len(frame)) // len(text.encode()))}'
            large = f'{large}{"x" * (size - len(large.encode()) - 2)}"}}'
            assert len(large.encode()) == size
            both = [json.dumps(job()), large]
            body = f"[{','.join(both)}]" if form == "application/json" else "\n".join(both)
            return client.post(BATCH, data=body.encode(), content_type=form)

        found = problem(answer(ITEM_LIMIT + 1), 413, "request-entity-too-large")
        assert "The job 1 of the batch" in found["detail"]
        assert jobs_in(broker) == 0
        assert statuses(answer(ITEM_LIMIT)) == [202, 422]

    def test_body_that_is_too_large_is_413(self, client: FlaskClient):
        body = b"[" + b" " * BATCH_LIMIT + b"]"
        problem(
            client.post(BATCH, data=body, content_type="application/json"), 413, "request-entity-too-large"
        )
        fits = b"[" + b" " * (BATCH_LIMIT - 2) + b"]"
        assert items(client.post(BATCH, data=fits, content_type="application/json")) == []

    def test_arguments_have_their_own_limit(self, client: FlaskClient):
        large = {"actor": "anything", "args": {"value": "x" * 70_000}}
        found = items(post(client, [large, job()]))
        assert found[0]["problem"]["errors"][0]["code"] == "too_large"
        assert found[1]["status"] == 202


class TestIdempotency:
    def test_batch_that_is_sent_again_makes_no_second_job(self, client: FlaskClient, broker: JobBroker):
        body = [job(1), job(1), job("x"), job(2, idempotency_key="mine")]
        first = items(post(client, body, Idempotency_Key="batch-1"))
        again = items(post(client, body, Idempotency_Key="batch-1"))

        assert [item["status"] for item in again] == [202, 202, 422, 202]
        for before, after in zip(first, again, strict=True):
            if "job" in before:
                assert after["replayed"] is True
                assert after["job"]["id"] == before["job"]["id"]
        assert jobs_in(broker) == 3

    def test_mended_batch_makes_only_what_was_refused(self, client: FlaskClient, broker: JobBroker):
        post(client, [job(1), job("x"), job(3)], Idempotency_Key="batch-1")
        found = items(post(client, [job(1), job(2), job(3), job(4)], Idempotency_Key="batch-1"))
        assert [item.get("replayed") for item in found] == [True, None, True, None]
        assert jobs_in(broker) == 4

    def test_other_job_in_the_same_place_is_refused(self, client: FlaskClient, broker: JobBroker):
        post(client, [job(1), job(2)], Idempotency_Key="batch-1")
        found = items(post(client, [job(1), job(3)], Idempotency_Key="batch-1"))
        assert found[1]["problem"]["type"].endswith(":idempotency-key-reused")
        assert jobs_in(broker) == 2

    def test_key_of_a_job_is_that_of_a_request_for_it_alone(self, client: FlaskClient, broker: JobBroker):
        alone = client.post("/v1/jobs", json=job(), headers={"Idempotency-Key": "k"}).get_json()
        (found,) = items(post(client, [job(idempotency_key="k")], Idempotency_Key="batch-1"))
        assert (found["replayed"], found["job"]["id"]) == (True, alone["id"])

    def test_same_key_twice_is_one_job(self, client: FlaskClient, broker: JobBroker):
        body = [job(n // 2, idempotency_key=f"k{n // 2}") for n in range(2 * SLICE + 2)]
        found = items(post(client, [*body, job(99, idempotency_key="k0")]))
        assert [item.get("replayed") for item in found] == [None, True] * (SLICE + 1) + [None]
        assert found[-1]["status"] == 422
        assert jobs_in(broker) == SLICE + 1

    @pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, 7, True])
    def test_malformed_key_of_a_job_is_a_problem_of_it(self, client: FlaskClient, key: Any):
        found = items(post(client, [job(idempotency_key=key), job(idempotency_key=None)]))
        assert found[0]["problem"]["errors"][0]["pointer"] == "/idempotency_key"
        assert found[1]["status"] == 202

    def test_malformed_key_of_the_request_is_400(self, client: FlaskClient):
        problem(post(client, [job()], Idempotency_Key="a b"), 400, "bad-request")

    def test_keys_can_be_required(self, broker: JobBroker, settings: Settings):
        strict = settings.model_copy(update={"require_idempotency_key": True})
        client = create_app(broker, strict).test_client()
        found = items(post(client, [job(), job(idempotency_key="k")]))
        assert [item["status"] for item in found] == [422, 202]
        assert statuses(post(client, [job()], Idempotency_Key="k")) == [202]


class TestAtomic:
    def post(self, client: FlaskClient, jobs: list[Any], **headers: str) -> TestResponse:
        return post(client, {"jobs": jobs, "atomic": True}, **headers)

    def pointers(self, answer: TestResponse) -> list[str]:
        return [error["pointer"] for error in problem(answer, 422, "invalid-batch")["errors"]]

    def test_all_are_created(self, client: FlaskClient, broker: JobBroker):
        assert statuses(self.post(client, [job(n) for n in range(MOST_ATOMIC)])) == [202] * MOST_ATOMIC
        assert jobs_in(broker) == MOST_ATOMIC

    def test_none_is_created_when_some_are_wrong(self, client: FlaskClient, broker: JobBroker):
        answer = self.post(client, [job(), job("x", priority="high"), {"actor": "ad"}, 7, job("y")])
        assert self.pointers(answer) == ["/jobs/1/priority", "/jobs/2/actor", "/jobs/3", "/jobs/4/args/x"]
        assert jobs_in(broker) == 0

    def test_none_is_created_when_the_store_refuses_one(self, client: FlaskClient, broker: JobBroker):
        post(client, [UNIQUE, job(1, idempotency_key="used")])
        refused = [
            job(idempotency_key="fresh"),
            {**UNIQUE, "unique": {"key": "k", "on_conflict": "reject"}},
            job(2, idempotency_key="used"),
            job(expires_at="2001-01-01T00:00:00Z"),
        ]
        found = problem(self.post(client, refused), 422, "invalid-batch")["errors"]
        assert [(each["pointer"], each["code"]) for each in found] == [
            ("/jobs/1", "duplicate_job"),
            ("/jobs/2", "idempotency_key_reused"),
            ("/jobs/3/expires_at", "too_late"),
        ]
        assert jobs_in(broker) == 2

    def test_jobs_for_which_there_is_no_room_may_come_again(self, client: FlaskClient, broker: JobBroker):
        client.put("/v1/queues/default/limits", json={"max_depth": 1})
        answer = self.post(client, [job(), job()])
        problem(answer, 503, "queue-full")
        assert answer.headers["Retry-After"]
        assert jobs_in(broker) == 0

    def test_what_is_there_already_is_no_obstacle(self, client: FlaskClient, broker: JobBroker):
        body = [job(1), UNIQUE]
        self.post(client, body, Idempotency_Key="batch-1")
        again = items(self.post(client, body, Idempotency_Key="batch-1"))
        assert [item["replayed"] for item in again] == [True, True]
        assert statuses(self.post(client, [job(), UNIQUE])) == [202, 200]
        assert jobs_in(broker) == 3

    @pytest.mark.parametrize("twin", [job(idempotency_key="k"), UNIQUE])
    def test_two_jobs_with_a_key_in_common_are_refused(
        self, client: FlaskClient, broker: JobBroker, twin: Any
    ):
        assert self.pointers(self.post(client, [twin, job(), twin])) == ["/jobs/2"]
        assert jobs_in(broker) == 0

    def test_more_than_one_script_can_take_are_422(self, client: FlaskClient, broker: JobBroker):
        assert self.pointers(self.post(client, [job()] * (MOST_ATOMIC + 1))) == ["/jobs"]
        assert jobs_in(broker) == 0


class TestDurability:
    def test_level_is_awaited_for_all_and_may_be_asked_for_again(
        self, client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        commands = {level: (*command[:-1], 50) for level, command in durability._COMMAND.items()}
        monkeypatch.setattr(durability, "_COMMAND", commands)
        body = [job(n) for n in range(SLICE + 1)]
        for _ in range(2):
            answer = post(client, body, Durability="replica", Idempotency_Key="k")
            problem(answer, 503, "not-durable")
        assert jobs_in(broker) == SLICE + 1

    def test_unknown_level_is_422(self, client: FlaskClient, broker: JobBroker):
        problem(post(client, [job()], Durability="safe"), 422, "invalid-job")
        assert jobs_in(broker) == 0


def breaking(error: Exception) -> Callable[[Line], Any]:
    """The second reply that is awaited on a line is lost."""
    reply, replies = Line.reply, []

    def breaks(line: Line) -> Any:
        replies.append(line)
        if len(replies) == 2:
            raise error
        return reply(line)

    return breaks


def away(*_: Any, **__: Any) -> Any:
    raise StoreUnavailable("away")


class TestTrouble:
    def test_jobs_before_the_outage_are_told_apart_from_those_after(
        self, client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        submit, submitted = Store.submit, []

        def goes_away(store: Store, jobs: Any, **more: Any) -> Any:
            submitted.append(jobs)
            return submit(store, jobs, **more) if len(submitted) == 1 else away()

        body = [job(n) for n in range(4 * SLICE)]
        with monkeypatch.context() as patched:
            patched.setattr(Line, "reply", breaking(redis.ConnectionError("lost")))
            patched.setattr(Store, "submit", goes_away)
            found = statuses(post(client, body, Idempotency_Key="k"))
        assert found == [202] * 2 * SLICE + [503] * 2 * SLICE
        assert len(submitted) == 2  # not each slice waits for Redis
        again = items(post(client, body, Idempotency_Key="k"))
        assert [item["status"] for item in again] == [202] * 4 * SLICE
        assert jobs_in(broker) == 4 * SLICE

    @pytest.mark.parametrize("broken", [redis.ConnectionError("lost"), redis.exceptions.NoScriptError()])
    def test_slices_whose_answers_were_lost_are_sent_again(
        self, client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch, broken: Exception
    ):
        monkeypatch.setattr(Line, "reply", breaking(broken))
        assert statuses(post(client, [job(n) for n in range(5 * SLICE)])) == [202] * 5 * SLICE
        assert jobs_in(broker) == 5 * SLICE

    def test_durable_batch_is_written_to_a_server_without_scripts(
        self, client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        commands = {level: (*command[:-1], 50) for level, command in durability._COMMAND.items()}
        monkeypatch.setattr(durability, "_COMMAND", commands)
        broker.store.client.script_flush()
        answer = post(client, [job(n) for n in range(2 * SLICE)], Durability="replica")
        problem(answer, 503, "not-durable")
        assert jobs_in(broker) == 2 * SLICE

    def test_durable_batch_whose_connection_is_lost_is_503(
        self, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(Line, "reply", breaking(redis.ConnectionError("lost")))
        problem(
            post(client, [job(n) for n in range(4 * SLICE)], Durability="replica"), 503, "store-unavailable"
        )

    def test_outage_at_once_is_503(
        self, client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(Line, "reply", away)
        monkeypatch.setattr(Store, "submit", away)
        problem(post(client, [job()]), 503, "store-unavailable")

    def test_nothing_is_taken_above_the_high_water_mark(
        self, client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(broker.vitals, "read", lambda: {"used_memory": 90, "maxmemory": 100})
        problem(post(client, [job()]), 503, "store-full")
