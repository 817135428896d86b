"""Sends a job of an actor, with the arguments from a form that its schema has made."""

from typing import Any

from ..asking import read
from ..schema_form import arguments
from .action import Action, Given
from .jobs import OPTIONS, job_body, job_page


def _body(given: Given) -> dict[str, Any]:
    schema = read("actors.show", {"name": given.get("actor", "")})["args"]
    return job_body(given, arguments(schema, given))


SEND_JOB = Action(
    name="send-job",
    endpoint="submitting.create",
    button="Send",
    title="Send a job",
    done="The job was accepted.",
    hidden=("actor",),
    fields=OPTIONS,
    body=_body,
    leads=job_page,
    is_once=True,
)
ACTIONS = (SEND_JOB,)
