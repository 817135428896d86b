"""The whole document: paths, schemas and how to show who one is."""

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from flask import Flask
from werkzeug.routing import AnyConverter, Rule

from ...broker.broker import JobBroker
from ...broker.offered import offered
from ..documented import Document
from ..scopes import SCOPES, Scope
from .headers import ANSWER_HEADERS
from .jobs import job_schemas
from .operation import Operation, operation_json
from .problems import PROBLEM, problem_responses, problem_schema
from .schemas import SCHEMAS, Schemas

_PARAMETER = re.compile(r"<(?:[^<>:]+:)?(\w+)>")
_CHOICE = re.compile(r"<any\([^<>]*\):(\w+)>")

ABOUT = """\
Jobs that are run in the background. The schemas of `POST /v1/jobs` are those of this service's actors.

Errors are `application/problem+json` (RFC 9457); their types are explained in `docs/errors.md`. Instants are RFC 3339;
answers give them in UTC with milliseconds. What a request says that is not described here is refused, not ignored.
Every answer has an `X-Request-Id`, the one of the request if that has one.
"""

SCOPE_SENTENCES = {
    Scope.SUBMIT: "Send jobs.",
    Scope.READ: "Look at everything.",
    Scope.OPERATE: "Change jobs, queues, schedules and workers.",
    Scope.ADMIN: "All of these, and say who may do what.",
}


def document(app: Flask, broker: JobBroker) -> dict[str, Any]:
    """The OpenAPI 3.1 document of an application; the same for the same routes and actors.

    Args:
        app: has all its routes.
        broker: whose actors may be asked for.
    """
    operations = sorted(_operations(app), key=lambda each: (each.path, each.method))
    schemas = Schemas(operations, [actor.fn for actor in offered(broker.actors).values()])
    paths: dict[str, dict[str, Any]] = {}
    responses: dict[str, dict[str, Any]] = {}
    for each in operations:
        responses.update(problem_responses(each.problems))
        paths.setdefault(each.path, {})[each.method] = operation_json(each, schemas)
    components = {**schemas.components, **job_schemas(schemas, broker), PROBLEM: problem_schema()}
    components = {name: components[name] for name in sorted(_needed([paths, responses], components))}
    return {
        "openapi": "3.1.0",
        "info": {"title": "worker-service", "version": version("worker-service"), "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in sorted({each.tag for each in operations})],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": dict(sorted(responses.items())),
            "headers": ANSWER_HEADERS,
            "securitySchemes": {"key": _security_scheme()},
        },
    }


def _operations(app: Flask) -> Iterator[Operation]:
    for rule in app.url_map.iter_rules():
        found = getattr(app.view_functions[rule.endpoint], "document", None)
        if isinstance(found, Document):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                operation = Operation(
                    id=rule.endpoint.replace(".", "_"),
                    path=_PARAMETER.sub(r"{\1}", rule.rule),
                    method=method.lower(),
                    document=found,
                    scope=SCOPES[rule.endpoint],
                    parameters=tuple(_PARAMETER.findall(rule.rule)),
                )
                yield from _each_choice(rule, _other_name(app, rule, operation))


def _other_name(app: Flask, rule: Rule, operation: Operation) -> Operation:
    """An operation that has several addresses is named after the one below /v1."""
    addresses = [each.rule for each in app.url_map.iter_rules(rule.endpoint)]
    if len(addresses) > 1 and not rule.rule.startswith("/v1/"):
        return replace(operation, id=f"{operation.id}_alias")
    return operation


def _each_choice(rule: Rule, operation: Operation) -> Iterator[Operation]:
    """A part of an address that is one of several words makes several operations."""
    choice = _CHOICE.search(rule.rule)
    if choice is None:
        yield operation
        return
    name = choice[1]
    converter = rule._converters[name]
    assert isinstance(converter, AnyConverter)
    for word in sorted(converter.items):
        yield replace(
            operation,
            id=f"{operation.id}_{word}",
            path=operation.path.replace(f"{{{name}}}", word),
            parameters=tuple(each for each in operation.parameters if each != name),
        )


def _needed(part: Any, components: dict[str, Any]) -> set[str]:
    """Names of the components that a part of the document leads to."""
    found: set[str] = set()
    parts = [part]
    while parts:
        part = parts.pop()
        if isinstance(part, list):
            parts += part
        elif isinstance(part, dict):
            parts += part.values()
            to = part.get("$ref")
            name = to.removeprefix(SCHEMAS) if isinstance(to, str) else ""
            if name in components and name not in found:
                found.add(name)
                parts.append(components[name])
    return found


def _security_scheme() -> dict[str, Any]:
    scopes = " ".join(f"`{scope}`: {sentence}" for scope, sentence in SCOPE_SENTENCES.items())
    return {
        "type": "http",
        "scheme": "bearer",
        "description": f"A key with the scope that the operation names. {scopes} Without any key configured, the "
        "service answers programs of its own machine only, and asks for none.",
    }
