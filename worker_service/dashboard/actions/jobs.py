"""What is done to one job."""

from collections.abc import Callable
from typing import Any

from flask import url_for

from ..asking import Reply
from ..unreadable import gathered
from .action import Action, Field, Given, read_fields

ID = ("id",)


def job_page(reply: Reply) -> str:
    """That of the job that an answer tells of."""
    return url_for("dashboard.job", id=reply.json["id"])


def job_body(given: Given, args: Callable[[], Any]) -> dict[str, Any]:
    """The body of a new job; what was left empty is up to the actor.

    Args:
        args: reads its arguments.

    Raises:
        Refused: names all that cannot be read.
    """
    body = gathered([lambda: {"args": args()}, lambda: read_fields(OPTIONS, given)])
    if "tags" in body:
        body["tags"] = body["tags"].split()
    return {"actor": given.get("actor", ""), **body}


ARGS = Field("args", "Arguments, as JSON", kind="json", required=True)
OPTIONS = (
    Field("queue", "Queue", hint="Left out: that of the actor."),
    Field("run_at", "Not before (UTC)", kind="instant"),
    Field("priority", "Priority", kind="number", hint="-100 to 100, the lower first."),
    Field("max_attempts", "Most attempts", kind="number"),
    Field("tags", "Tags", hint="Parted by spaces."),
)
"""What can be said of a new job beside its actor and its arguments."""

RETRY_JOB = Action(
    name="retry-job",
    endpoint="operations.retry",
    button="Retry",
    title="Retry job {id}",
    done="The job is put back, with a new round of attempts.",
    places=ID,
    is_once=True,
)
RUN_JOB_NOW = Action(
    name="run-job-now",
    endpoint="operations.run_now",
    button="Run now",
    title="Run job {id} now",
    done="The job waits for its time no longer.",
    places=ID,
)
CANCEL_JOB = Action(
    name="cancel-job",
    endpoint="operations.cancel",
    button="Cancel",
    title="Cancel job {id}?",
    text="It is stopped; while it runs, by an interrupt.",
    done="The job is cancelled, or was asked to stop.",
    places=ID,
    is_grave=True,
)
DELETE_JOB = Action(
    name="delete-job",
    endpoint="operations.delete",
    button="Delete",
    title="Delete job {id}?",
    text="Its record, result and log are removed for good.",
    done="The job is removed.",
    places=ID,
    leads=lambda _: url_for("dashboard.jobs"),
    is_grave=True,
)
RUN_JOB_AGAIN = Action(
    name="run-job-again",
    endpoint="operations.retry",
    button="Run again with other arguments",
    title="Run job {id} again, with other arguments",
    text="A new job is made; this one stays as it is. What is hidden (***) has to be typed anew.",
    done="A new job is made.",
    places=ID,
    fields=(ARGS,),
    leads=job_page,
    is_once=True,
)
SUBMIT_JOB = Action(
    name="submit-job",
    endpoint="submitting.create",
    button="Send",
    title="Send a job of {actor}",
    done="The job was accepted.",
    hidden=("actor",),
    fields=(ARGS, *OPTIONS),
    body=lambda given: job_body(given, lambda: ARGS.read(given.get("args", ""))),
    leads=job_page,
    is_once=True,
)
STEP_RESULT = Field(
    "result", "What it came to, as JSON", kind="json", hint="What the job goes on with; left out: null."
)
STEP_DONE = Action(
    name="step-done",
    endpoint="steps.settle",
    button="It happened",
    title="Did {name} happen?",
    text="The step is in doubt. If it happened, it is not done again when the job goes on.",
    done="The step counts as done.",
    places=("id", "name"),
    fields=(STEP_RESULT,),
    body=lambda given: {"outcome": "done", "result": STEP_RESULT.read(given.get("result", ""))},
    is_asked_back=True,
)
STEP_NOT_DONE = Action(
    name="step-not-done",
    endpoint="steps.settle",
    button="It did not happen",
    title="Did {name} not happen?",
    text="The step is in doubt. If it did not happen, it is done when the job goes on.",
    done="The step will be done when the job goes on.",
    places=("id", "name"),
    body=lambda _: {"outcome": "not_done"},
    is_asked_back=True,
)
ACTIONS = (
    RETRY_JOB,
    RUN_JOB_NOW,
    CANCEL_JOB,
    DELETE_JOB,
    RUN_JOB_AGAIN,
    SUBMIT_JOB,
    STEP_DONE,
    STEP_NOT_DONE,
)
