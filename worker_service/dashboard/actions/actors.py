"""Sends a job of an actor, with the arguments from a form that its schema has made."""

from typing import Any

from ..asking import read
from ..schema_form import arguments, fields_of, takes_further
from .action import Action, Given
from .jobs import OPTIONS, job_body, job_page


def _schema(given: Given) -> dict[str, Any]:
    found: dict[str, Any] = read("actors.show", {"name": given.get("actor", "")})["args"]
    return found


def _body(given: Given) -> dict[str, Any]:
    return job_body(given, lambda: arguments(_schema(given), given))


def _about(given: Given) -> dict[str, Any]:
    schema = _schema(given)
    return {"arguments": fields_of(schema), "takes_further": takes_further(schema)}


SEND_JOB = Action(
    name="send-job",
    endpoint="submitting.create",
    button="Send",
    title="Send a job of {actor}",
    done="The job was accepted.",
    hidden=("actor",),
    fields=OPTIONS,
    form="send_job.html",
    about=_about,
    body=_body,
    leads=job_page,
    is_once=True,
)
ACTIONS = (SEND_JOB,)
