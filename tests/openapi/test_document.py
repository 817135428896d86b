"""The OpenAPI document is valid, says everything, and is the one that is checked in."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from tests.http.actors import ACTORS
from tests.openapi.documents import CHECKED_IN, PROBLEM, errors_of, operations, printed_document, resolved
from worker_service.api.openapi import document as make_document
from worker_service.api.scopes import SCOPES
from worker_service.broker.broker import JobBroker

NOT_OF_THE_CONTRACT = {"dashboard", "documentation", "login"}
"""Blueprints of pages for people, and of what these load."""

OPEN_OBJECTS = {"args", "metadata", "definition", "result"}
"""Fields of answers that hold what a user has put into them."""


def test_checked_in_document_is_that_of_the_code():
    assert json.loads(printed_document()) == json.loads(CHECKED_IN.read_text()), "run `make openapi`"


@pytest.mark.parametrize("whose", ["of the built-in actors", "of the tests' actors"])
def test_document_is_valid_openapi(document: dict[str, Any], whose: str):
    validate(json.loads(CHECKED_IN.read_text()) if whose == "of the built-in actors" else document)


def test_document_is_served(client: FlaskClient, document: dict[str, Any]):
    answer = client.get("/openapi.json")
    assert answer.content_type == "application/json"
    assert answer.get_json() == document


def test_it_is_the_same_whenever_it_is_made(app: Flask, broker: JobBroker, document: dict[str, Any]):
    assert json.dumps(make_document(app, broker)) == json.dumps(document)


def test_every_operation_has_a_document(app: Flask):
    without = {name for name, view in app.view_functions.items() if not hasattr(view, "document")}
    assert {name.partition(".")[0] for name in without} <= NOT_OF_THE_CONTRACT


def test_every_operation_has_an_id_of_its_own_and_names_its_scope(app: Flask, document: dict[str, Any]):
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    for path, method, operation in operations(document):
        endpoint, _ = app.url_map.bind("").match(path.replace("{", "").replace("}", ""), method.upper())
        scope = SCOPES[endpoint]
        assert operation["security"] == ([{"key": [scope]}] if scope else []), path


def test_every_operation_says_what_it_answers_when_it_succeeds(document: dict[str, Any]):
    for path, method, operation in operations(document):
        assert any(status.startswith(("2", "3")) for status in operation["responses"]), (method, path)


def test_every_object_in_an_answer_is_closed(document: dict[str, Any]):
    found: list[str] = []
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            for media_type, content in resolved(document, answer).get("content", {}).items():
                if path != "/openapi.json" or media_type == PROBLEM:
                    where = f"{method} {path} {status}"
                    found += _open_objects(document, content["schema"], where, set())
    assert found == []


def _open_objects(document: dict[str, Any], schema: Any, where: str, seen: set[str]) -> list[str]:
    if isinstance(schema, list):
        return [each for part in schema for each in _open_objects(document, part, where, seen)]
    if not isinstance(schema, dict) or schema.get("$ref", "") in seen:
        return []
    if "$ref" in schema:
        return _open_objects(document, resolved(document, schema), where, seen | {schema["$ref"]})
    is_open = schema.get("type") == "object" and schema.get("additionalProperties", True) is True
    found = [where] if is_open else []
    for name, part in schema.items():
        if name == "properties":
            for field, inner in part.items():
                if field not in OPEN_OBJECTS:
                    found += _open_objects(document, inner, f"{where} {field}", seen)
        else:
            found += _open_objects(document, part, where, seen)
    return found


def test_problems_name_the_types_that_they_may_have(document: dict[str, Any]):
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                schema = resolved(document, answer)["content"][PROBLEM]["schema"]
                assert schema["allOf"][1]["properties"]["type"]["enum"], (method, path, status)


class TestRequests:
    def test_every_body_has_an_example_that_its_schema_allows(self, document: dict[str, Any]):
        for path, method, operation in operations(document):
            for content in operation.get("requestBody", {}).get("content", {}).values():
                schema = resolved(document, content["schema"])
                branches = [resolved(document, each) for each in schema.get("oneOf", [schema])]
                for each in branches:
                    assert each.get("examples"), (method, path, each.get("title"))
                    for example in each["examples"]:
                        assert errors_of(document, content["schema"], example) == []

    def test_job_is_one_of_the_actors_with_its_arguments(self, document: dict[str, Any]):
        branches = document["components"]["schemas"]["JobRequest"]["oneOf"]
        assert len(branches) == len(ACTORS)
        add = document["components"]["schemas"]["JobRequest.add"]
        assert add["properties"]["actor"] == {"const": "add"}
        assert add["required"] == ["actor", "args"]
        assert resolved(document, add["properties"]["args"])["required"] == ["x"]
        assert add["properties"]["queue"]["default"] == "default"

    @pytest.mark.parametrize("actor", [fn.__name__ for fn in ACTORS])
    def test_example_of_every_actor_is_accepted(
        self, client: FlaskClient, document: dict[str, Any], actor: str
    ):
        (example,) = document["components"]["schemas"][f"JobRequest.{actor}"]["examples"]
        assert client.post("/v1/jobs", json=example).status_code == 202

    @pytest.mark.parametrize(
        "body",
        [
            {"actor": "nobody"},
            {"actor": "add", "args": {"x": "1"}},
            {"actor": "add", "args": {"x": 1, "z": 1}},
            {"actor": "add", "args": {}},
            {"actor": "add"},
            {"actor": "add", "args": {"x": 1}, "color": "red"},
            {"actor": "add", "args": {"x": 1}, "queue": "nowhere"},
            {"actor": "add", "args": {"x": 1}, "priority": 101},
        ],
    )
    def test_what_the_service_refuses_the_schema_does_not_allow(
        self, client: FlaskClient, document: dict[str, Any], body: dict[str, Any]
    ):
        assert errors_of(document, {"$ref": "#/components/schemas/JobRequest"}, body)
        assert client.post("/v1/jobs", json=body).status_code == 422


class TestPage:
    def page(self, client: FlaskClient) -> TestResponse:
        return client.get("/docs")

    def test_it_loads_nothing_from_elsewhere_and_has_no_script_of_its_own(self, client: FlaskClient):
        page = self.page(client)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "://" not in page.text
        assert page.text.count("<script ") == page.text.count("</script>") == page.text.count("<script src=")
        assert "<style" not in page.text

    def test_what_it_loads_is_there(self, client: FlaskClient):
        loaded = [part.partition('"')[0] for part in self.page(client).text.split('src="')[1:]]
        loaded += [
            part.partition('"')[0] for part in self.page(client).text.split('href="')[1:] if part[0] == "/"
        ]
        assert len(loaded) == 4
        for path in loaded:
            with client.get(path) as answer:
                assert answer.status_code == 200, path
