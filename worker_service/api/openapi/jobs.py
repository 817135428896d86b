"""The request for a job, once for each actor: with the arguments that its signature asks for."""

import re
from collections.abc import Callable
from typing import Any

from ...broker.broker import JobBroker
from ...broker.catalogue import ActorInfo, describe
from ...broker.offered import offered
from ...jobs.signature import arguments_model
from ..requests import JobRequest
from .examples import example_of
from .schemas import REF, Schemas


def job_schemas(schemas: Schemas, broker: JobBroker) -> dict[str, dict[str, Any]]:
    """The component of `JobRequest`, which is one of several, and the components of these."""
    general = schemas.name_of(JobRequest)
    found: dict[str, dict[str, Any]] = {}
    mapping: dict[str, str] = {}
    for name, actor in sorted(offered(broker.actors).items()):
        component = _free_name(f"{general}.{name}", found)
        found[component] = _for_actor(describe(actor), actor.fn, schemas, sorted(broker.queues))
        mapping[name] = REF.format(model=component)
    found[general] = {
        "oneOf": [{"$ref": ref} for ref in mapping.values()],
        "discriminator": {"propertyName": "actor", "mapping": mapping},
    }
    return found


def _for_actor(
    actor: ActorInfo, fn: Callable[..., Any], schemas: Schemas, queues: list[str]
) -> dict[str, Any]:
    general = schemas.components[schemas.name_of(JobRequest)]
    arguments = schemas.of_body(arguments_model(fn))
    details = schemas.components[schemas.name_of(arguments_model(fn))]
    properties = {
        **general["properties"],
        "actor": {"const": actor.name},
        "args": arguments,
        "queue": {"anyOf": [{"enum": queues}, {"type": "null"}], "default": actor.queue},
    }
    found = {
        **general,
        "title": actor.name,
        "description": actor.description,
        "properties": properties,
        "required": ["actor", "args"] if details.get("required") else ["actor"],
    }
    example = {"actor": actor.name, "args": example_of(details, schemas.components)}
    return {**found, "examples": [example]}


def _free_name(wanted: str, taken: dict[str, Any]) -> str:
    """A name that OpenAPI allows for a component."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", wanted)
    while name in taken:
        name += "_"
    return name
