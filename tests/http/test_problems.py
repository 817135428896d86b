"""Everything that goes wrong is problem+json, with a pointer to the wrong part."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from worker_service.api.body import BODY_LIMIT
from worker_service.api.problems import STATUS
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.settings import Settings


def problem(answer: TestResponse, status: int, name: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.get_data())
    assert body["type"] == f"urn:worker-service:problem:{name}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


def post(client: FlaskClient, body: str | bytes) -> TestResponse:
    return client.post("/v1/jobs", data=body, content_type="application/json")


class TestBody:
    @pytest.mark.parametrize(
        ("body", "why"),
        [
            ("", "not JSON"),
            ("{", "not JSON"),
            ('{"actor": "add"} x', "not JSON"),
            ('{"actor": NaN}', "NaN"),
            ('{"actor": -Infinity}', "-Infinity"),
            ('{"actor": 1e999}', "too large"),
            ('{"actor": "add", "actor": "add"}', "'actor' stands twice"),
            ('{"actor": "add", "args": {"x": 1, "x": 2}}', "'x' stands twice"),
            ("[]", "has to be a JSON object"),
            ("null", "has to be a JSON object"),
            ('{"args": ' + "[" * 65 + "]" * 65 + "}", "more than 64 levels"),
            ("[" * 100_000, "more than 64 levels"),
            (b"\xff\xfe", "not JSON"),
            (b'\xef\xbb\xbf{"actor": "add"}', "not JSON"),
            ('{"actor": ' + "1" * 5000 + "}", "not JSON"),
        ],
    )
    def test_broken_json_is_400(self, client: FlaskClient, body: str | bytes, why: str):
        assert why in problem(post(client, body), 400, "bad-request")["detail"]

    @pytest.mark.parametrize(
        "media_type",
        ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"],
    )
    def test_other_media_type_is_415(self, client: FlaskClient, media_type: str):
        answer = client.post("/v1/jobs", data="{}", content_type=media_type)
        assert "application/json" in problem(answer, 415, "unsupported-media-type")["detail"]

    def test_charset_utf_8_may_be_said(self, client: FlaskClient):
        body = '{"actor": "add", "args": {"x": 1}}'
        answer = client.post("/v1/jobs", data=body, content_type="application/json; charset=UTF-8")
        assert answer.status_code == 202

    def test_body_over_the_limit_is_413(self, client: FlaskClient):
        found = problem(post(client, " " * (BODY_LIMIT + 1)), 413, "request-entity-too-large")
        assert "1048576 bytes" in found["detail"]


class TestInvalidJob:
    @pytest.mark.parametrize(
        ("body", "pointer", "code", "detail"),
        [
            ({}, "/actor", "missing", "'actor' is missing"),
            ({"actor": "ad"}, "/actor", "unknown_actor", "No actor 'ad'. Did you mean 'add'?"),
            ({"actor": 1}, "/actor", "string_type", "valid string"),
            ({"actor": "add", "arg": {}}, "/arg", "unknown_field", "No field 'arg'. Did you mean 'args'?"),
            ({"actor": "add", "args": []}, "/args", "dict_type", "object"),
            ({"actor": "add", "args": {"x": False}}, "/args/x", "int_type", "valid integer"),
            ({"actor": "add", "args": {"x": "1"}}, "/args/x", "int_type", "valid integer"),
            ({"actor": "add", "args": {"x": 1.5}}, "/args/x", "int_type", "valid integer"),
            ({"actor": "add", "args": {}}, "/args/x", "missing", "argument 'x' is missing"),
            (
                {"actor": "add", "args": {"x": 1, "yy": 1}},
                "/args/yy",
                "unknown_argument",
                "Did you mean 'y'?",
            ),
            ({"actor": "add", "args": {"x": 1}, "queue": "othr"}, "/queue", "unknown_queue", "'other'?"),
            ({"actor": "add", "args": {"x": 1}, "priority": 101}, "/priority", "less_than_equal", "100"),
            ({"actor": "add", "args": {"x": 1}, "priority": True}, "/priority", "int_type", "integer"),
            ({"actor": "add", "args": {"x": 1}, "delay_ms": -1}, "/delay_ms", "greater_than_equal", "0"),
            ({"actor": "add", "args": {"x": 1}, "run_at": "tomorrow"}, "/run_at", "invalid", "RFC 3339"),
            (
                {"actor": "add", "args": {"x": 1}, "run_at": "2030-01-01T00:00:00"},
                "/run_at",
                "invalid",
                "zone",
            ),
            (
                {"actor": "add", "args": {"x": 1}, "run_at": "2030-02-30T00:00:00Z"},
                "/run_at",
                "invalid",
                "no such",
            ),
            (
                {"actor": "add", "args": {"x": 1}, "run_at": "1960-01-01T00:00:00Z"},
                "/run_at",
                "invalid",
                "1970",
            ),
            ({"actor": "add", "args": {"x": 1}, "run_at": 1900000000}, "/run_at", "string_type", "string"),
            ({"actor": "add", "delay_ms": 1, "run_at": "2030-01-01T00:00:00Z"}, "", "invalid", "not both"),
            (
                {"actor": "add", "args": {"x": 1}, "max_attempts": 0},
                "/max_attempts",
                "greater_than_equal",
                "1",
            ),
            ({"actor": "anything", "args": {"value": "\ud800"}}, "/args/value", "invalid_text", "surrogate"),
            (
                {"actor": "anything", "args": {"value": "x" * 70_000}},
                "/args",
                "too_large",
                "pass its id",
            ),
            ({"actor": "odd_names", "args": {"a/b~": 1}}, "/args/a~1b~0", "unknown_argument", "No argument"),
        ],
    )
    def test_mistake_is_422_with_a_pointer(
        self, client: FlaskClient, body: dict[str, Any], pointer: str, code: str, detail: str
    ):
        errors = problem(client.post("/v1/jobs", json=body), 422, "invalid-job")["errors"]
        found = {(each["pointer"], each["code"]): each["detail"] for each in errors}
        assert (pointer, code) in found, errors
        assert detail in found[pointer, code]

    def test_every_mistake_is_named_at_once(self, client: FlaskClient):
        body = {"actor": "add", "priority": 1000, "delay": 1, "max_attempts": "3"}
        errors = problem(client.post("/v1/jobs", json=body), 422, "invalid-job")["errors"]
        assert {each["pointer"] for each in errors} == {"/priority", "/delay", "/max_attempts"}

    def test_refused_job_leaves_nothing_behind(self, client: FlaskClient, broker: JobBroker):
        client.post("/v1/jobs", json={"actor": "add", "args": {"x": "one"}})
        assert broker.reads.depth("default") == 0

    @pytest.mark.parametrize("field", ["workflow", "tenant", "rate_limit"])
    def test_field_of_later_is_refused_and_not_ignored(self, client: FlaskClient, field: str):
        answer = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}, field: None})
        (error,) = problem(answer, 422, "invalid-job")["errors"]
        assert (error["pointer"], error["code"]) == (f"/{field}", "not_supported")
        assert "not supported yet" in error["detail"]


class TestRouting:
    @pytest.mark.parametrize("path", ["/nope", "/v1", "/v1/jobs/", "/v1//jobs", "/v1/jobs/x/y"])
    def test_unknown_path_is_404(self, client: FlaskClient, path: str):
        body = problem(client.get(path), 404, "not-found")
        assert body["detail"] == f"There is no address '{path}': /docs has all there are, such as /v1/jobs."

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [("PUT", "/v1/jobs", "POST"), ("PUT", "/v1/jobs/x", "GET"), ("POST", "/livez", "GET")],
    )
    def test_other_method_is_405_and_says_which_there_are(
        self, client: FlaskClient, method: str, path: str, allowed: str
    ):
        answer = client.open(path, method=method)
        problem(answer, 405, "method-not-allowed")
        assert allowed in answer.headers["Allow"]

    @pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:9", "[::1]:8000"])
    def test_loopback_names_are_answered(self, client: FlaskClient, host: str):
        assert client.get("/v1/actors", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:8000"])
    def test_other_host_names_are_refused(self, client: FlaskClient, host: str):
        problem(client.get("/v1/actors", headers={"Host": host}), 400, "bad-request")


def test_thousands_of_problems_are_counted_and_the_first_ones_told(client: FlaskClient):
    args = {f"x{number}": 1 for number in range(3000)}
    errors = problem(client.post("/v1/jobs", json={"actor": "add", "args": args}), 422, "invalid-job")[
        "errors"
    ]
    assert len(errors) == 51
    assert errors[-1]["detail"].startswith("There are 3001 problems")


class TestRequestId:
    def test_given_id_comes_back(self, client: FlaskClient):
        answer = client.get("/nope", headers={"X-Request-Id": "abc-123"})
        assert answer.headers["X-Request-Id"] == answer.get_json(force=True)["request_id"] == "abc-123"

    @pytest.mark.parametrize("given", ["", "with space", "x" * 129, '"quoted"'])
    def test_unusable_id_is_replaced(self, client: FlaskClient, given: str):
        assert client.get("/livez", headers={"X-Request-Id": given}).headers["X-Request-Id"] not in (
            "",
            given,
        )


class TestTrouble:
    @pytest.fixture
    def settings(self, broken_server: EmbeddedServer, namespace: str) -> Settings:
        return Settings(redis_url=broken_server.url, namespace=namespace)

    def test_store_that_is_away_is_503_and_the_process_lives(
        self, client: FlaskClient, broken_server: EmbeddedServer
    ):
        broken_server.kill()
        for answer in (
            client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}}),
            client.get("/v1/jobs/x"),
            client.get("/readyz"),
        ):
            problem(answer, 503, "store-unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        assert client.get("/livez").status_code == 200
        broken_server.start()
        assert client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}}).status_code == 202

    def test_store_that_is_read_only_is_503(self, client: FlaskClient, broker: JobBroker):
        """As in a failover: what can be read is."""
        id = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}}).get_json()["id"]
        broker.store.client.replicaof("127.0.0.1", "1")
        for answer in (
            client.post("/v1/jobs", json={"actor": "add", "args": {"x": 2}}),
            client.post(f"/v1/jobs/{id}/cancel"),
        ):
            problem(answer, 503, "store-unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        assert client.get(f"/v1/jobs/{id}").get_json()["state"] == "queued"
        broker.store.client.replicaof("NO", "ONE")
        assert client.post(f"/v1/jobs/{id}/cancel").get_json()["state"] == "cancelled"

    def test_store_without_memory_is_503(self, client: FlaskClient, broker: JobBroker):
        broker.store.client.config_set("maxmemory", "1")
        answer = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}})
        problem(answer, 503, "store-full")
        assert int(answer.headers["Retry-After"]) > 0

    def test_jobs_are_read_and_stopped_while_the_memory_is_full(self, client: FlaskClient, broker: JobBroker):
        id = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}}).get_json()["id"]
        broker.store.client.config_set("maxmemory", "1")
        assert client.get(f"/v1/jobs/{id}").get_json()["args"] == {"x": 1}
        assert len(client.get("/v1/jobs").get_json()["items"]) == 1
        assert client.post(f"/v1/jobs/{id}/cancel").get_json()["state"] == "cancelled"

    def test_mistake_of_ours_is_500_and_logged_with_the_request_id(
        self, app: Flask, broker: JobBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        monkeypatch.setattr(broker.reads, "check_fitness", lambda: 1 / 0)
        answer = app.test_client().get("/readyz", headers={"X-Request-Id": "find-me"})
        body = problem(answer, 500, "internal-error")
        assert "division" not in body["detail"]
        assert "find-me" in caplog.text
        assert "ZeroDivisionError" in caplog.text


def test_more_specific_errors_stand_before_their_base_in_the_table():

    classes = list(STATUS)
    assert all(not issubclass(b, a) for i, a in enumerate(classes) for b in classes[i + 1 :])
