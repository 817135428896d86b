"""Steps over HTTP: a person says of one with an unknown outcome whether it happened."""

import uuid
from typing import Any, Literal, Self

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ..broker.broker import JobBroker
from ..jobs.errors import InvalidQuery, NotSettleable, ResultNotStorable, UnknownJob, UnknownStep
from ..jobs.results import result_json
from ..jobs.steps import STEP_RESULT_LIMIT
from ..jobs.validation import check, problems, summary
from ..settings import Settings
from .answers import JobJson
from .body import json_object
from .documented import documented
from .jobs import found, shown


class StepRequest(BaseModel):
    """The body of ``POST /v1/jobs/{id}/steps/{name}``."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"outcome": "done", "result": {"id": "ch_1"}}]}
    )

    outcome: Literal["done", "not_done"]
    result: Any = None

    @model_validator(mode="after")
    def _only_what_is_done_has_a_result(self) -> Self:
        if self.outcome == "not_done" and "result" in self.model_fields_set:
            raise ValueError("What was not done has no result.")
        return self

    def result_text(self) -> str:
        """The result as JSON; '' of a step that was not done.

        Raises:
            InvalidQuery: it is too large.
        """
        if self.outcome == "not_done":
            return ""
        try:
            return result_json(self.result, STEP_RESULT_LIMIT, "The result")
        except ResultNotStorable as error:
            raise InvalidQuery(f"{error}.", pointer="/result", code="too_large") from None


def steps(broker: JobBroker, settings: Settings) -> Blueprint:
    """The route that settles a step."""
    routes = Blueprint("steps", __name__)

    @routes.post("/v1/jobs/<id>/steps/<name>")
    @documented(
        "Say of a step whether it happened.",
        {200: JobJson},
        body=StepRequest,
        problems=(UnknownJob, UnknownStep, NotSettleable, InvalidQuery),
    )
    def settle(id: str, name: str) -> Response:
        wanted = _read_step(json_object(request))
        word = broker.store.settle_step(id, name, uuid.uuid4().hex, wanted.outcome, wanted.result_text())
        job = found(broker, settings, id)
        if word == "no_step":
            raise UnknownStep(f"The job {id} has begun no step {name!r}, or is known not to have done it.")
        if word == "done":
            raise NotSettleable(f"The step {name!r} of the job {id} is done already.")
        if word == "running":
            raise NotSettleable(
                f"The job {id} is running: it may still say itself how its step {name!r} ended."
            )
        return jsonify(shown(broker, job))

    return routes


def _read_step(given: dict[str, Any]) -> StepRequest:
    try:
        return check(StepRequest, given)[0]
    except ValidationError as error:
        wrong = problems(error, given, known=StepRequest.model_fields, noun="field")
        raise InvalidQuery(summary(wrong), problems=wrong) from None
