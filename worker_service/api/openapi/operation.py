"""One operation of the document."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ..documented import Document
from ..scopes import Scope
from ..streams import MEDIA_TYPE as EVENT_STREAM
from .headers import REQUEST_ID, header_refs, header_schema
from .problems import problem_names, response_ref
from .schemas import Schemas

EVENT = {
    "description": "One event of the stream.",
    "type": "object",
    "additionalProperties": False,
    "required": ["event", "data"],
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}, "id": {"type": "string"}},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an address.

    Attributes:
        parameters: names that stand in the address.
    """

    id: str
    path: str
    method: str
    document: Document
    scope: Scope | None
    parameters: tuple[str, ...]

    @property
    def problems(self) -> dict[int, list[str]]:
        """Status -> what can go wrong with it; see `problem_names`."""
        return problem_names(self.document, self.scope)

    @property
    def tag(self) -> str:
        """What it is about: the word behind /v1."""
        words = self.path.replace(":", "/").strip("/").split("/")
        if words[0] == "v1":
            return words[1]
        return words[0] if words[0] == "jobs" else "service"


def operation_json(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    """The Operation Object of OpenAPI."""
    document = operation.document
    found: dict[str, Any] = {
        "operationId": operation.id,
        "summary": document.summary,
        "tags": [operation.tag],
        "security": [{"key": [operation.scope]}] if operation.scope else [],
    }
    parameters = [*_in_path(operation), *_in_query(document, schemas), *_in_headers(document)]
    if parameters:
        found["parameters"] = parameters
    if document.body is not None:
        found["requestBody"] = _body(document, schemas)
    answers = {
        str(status): _answer(status, what, document, schemas) for status, what in document.answers.items()
    }
    problems = {str(status): response_ref(names) for status, names in operation.problems.items()}
    found["responses"] = dict(sorted({**answers, **problems}.items()))
    return found


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in operation.parameters
    ]


def _in_query(document: Document, schemas: Schemas) -> list[dict[str, Any]]:
    if document.query is None:
        return []
    model = schemas.of_query(document.query)
    required = model.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in model.get("properties", {}).items()
    ]


def _in_headers(document: Document) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "description": sentence, "schema": header_schema(name)}
        for name, sentence in document.headers.items()
    ]


def _body(document: Document, schemas: Schemas) -> dict[str, Any]:
    assert document.body is not None
    content: dict[str, Any] = {"application/json": {"schema": schemas.of_body(document.body)}}
    for media_type, example in document.text_bodies.items():
        content[media_type] = {"schema": {"examples": [example]}}  # each line is judged by itself
    return {"required": document.body_required, "content": content}


def _answer(status: int, what: Any, document: Document, schemas: Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "headers": header_refs(REQUEST_ID, *document.sends),
    }
    if what == "":
        return found
    if isinstance(what, str):
        schema = EVENT if what == EVENT_STREAM else {"type": "string"}
        return {**found, "content": {what: {"schema": schema}}}
    return {**found, "content": {"application/json": {"schema": schemas.of_answer(what)}}}
