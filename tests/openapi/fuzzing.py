"""Schemathesis over a document: requests that it allows and requests that it does not, and what is wrong with the
answers."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from schemathesis import SerializationContext, serializer
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.engine import events, from_schema

if TYPE_CHECKING:
    from schemathesis.schemas import BaseSchema

ALLOWED = ["2xx", "3xx", "400", "401", "403", "404", "409", "411", "412", "422", "429", "503"]
"""Of requests that the schema allows: it cannot say that a cursor is one of ours, an instant still to come, a version
the present one, an Idempotency-Key new, a queue not full, a server with a replica, a
body of no bytes sent with its Content-Length."""

REFUSED = ["400", "401", "403", "404", "405", "409", "411", "412", "413", "415", "422", "429"]
"""Of requests that it does not."""


@serializer("application/x-ndjson")
def lines(context: "SerializationContext", value: Any) -> bytes:
    """One JSON text per line; a text as it is."""
    values = value if isinstance(value, list) else [value]
    return "\n".join(each if isinstance(each, str) else json.dumps(each) for each in values).encode(
        errors="replace"
    )


def configured(key: str, *, examples: int, in_process: bool) -> SchemathesisConfig:
    """All phases and all checks. The same requests whenever it runs, as far as they do not depend on answers.

    Args:
        key: shown with every request.
        examples: random requests of each operation.
        in_process: without the network; then requests without a key cannot be made (as of schemathesis 4.32).
    """
    return SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {key}"},
            "seed": 1,
            "workers": 1,
            "request-timeout": 5,
            "max-stream-events": 1,  # the first one comes at once
            "generation": {"deterministic": True, "max-examples": examples, "database": "none"},
            "checks": {
                "not_a_server_error": {"expected-statuses": [*ALLOWED, *REFUSED]},
                "ignored_auth": {"enabled": not in_process},
                "positive_data_acceptance": {"expected-statuses": ALLOWED},
                "negative_data_rejection": {"expected-statuses": REFUSED},
            },
        }
    )


def failures_of(schema: "BaseSchema") -> tuple[list[str], set[str]]:
    """Runs all phases.

    Returns:
        What is wrong, and the operations that were asked for.
    """
    found: list[str] = []
    asked: set[str] = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            asked |= {f"{case.method} {case.path}" for case in _cases(event)}
            found += _failures(event)
        elif isinstance(event, events.NonFatalError):
            found.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            found.append(repr(event.exception))
    return found, asked


def labels(schema: "BaseSchema") -> set[str]:
    """Method and path of all operations."""
    found = {each.ok().label for each in schema.get_all_operations() if isinstance(each, Ok)}
    assert found
    return found


def _cases(event: events.ScenarioFinished) -> Iterator[Any]:
    for node in event.recorder.cases.values():
        yield node.value


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                interaction = event.recorder.interactions.get(id)
                answer = interaction.response if interaction else None
                said = answer.content[:500].decode(errors="replace") if answer and answer.content else ""
                info = check.failure_info
                yield f"{event.recorder.label}: {check.name}: {info.failure}\n  {info.code_sample}\n  {said}"
