"""What a request for a job may say."""

import time
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from werkzeug.datastructures import Headers

from ..broker.intake import WantedJob
from ..jobs import instants
from ..jobs.backoff import CENTURY_MS
from ..jobs.compact import compact
from ..jobs.errors import InvalidJob
from ..jobs.labels import Metadata, Tags
from ..jobs.traceparent import read_traceparent
from ..jobs.uniqueness import Unique
from ..jobs.validation import check, problems, summary
from ..jobs.webhooks import Webhook
from .principal import current_principal
from .problems import request_id

WEEK_MS = 7 * 24 * 3600 * 1000

#: Refused rather than ignored: who sends one counts on what it does.
NOT_YET = frozenset(
    {
        "batch",
        "concurrency",
        "depends_on",
        "encryption",
        "rate_limit",
        "tenant",
        "workflow",
    }
)

ABOUT_THE_TRACE = {
    "traceparent": "The trace that the job belongs to (W3C Trace Context); an invalid one is ignored."
}
"""For documents of operations that take one."""


def _instant(text: str) -> str:
    if instants.to_ms(text) > time.time() * 1000 + CENTURY_MS:
        raise ValueError("The instant is more than a hundred years away.")
    return text


Instant = Annotated[str, AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"})]


class JobRequest(BaseModel):
    """The body of ``POST /v1/jobs``."""

    model_config = ConfigDict(extra="forbid")

    actor: str = Field(min_length=1)
    args: dict[str, Any] = Field(default_factory=dict)
    queue: str | None = Field(default=None, min_length=1)
    delay_ms: int | None = Field(default=None, ge=0, le=CENTURY_MS)
    run_at: Instant | None = None
    expires_at: Instant | None = None
    expires_in_ms: int | None = Field(default=None, ge=1, le=CENTURY_MS)
    priority: int | None = Field(default=None, ge=-100, le=100)
    max_attempts: int | None = Field(default=None, ge=1, le=1_000_000)
    time_limit_ms: int | None = Field(default=None, ge=1, le=WEEK_MS)
    tags: Tags | None = None
    metadata: Metadata | None = None
    unique: Unique | None = None
    store_result: bool | None = None
    webhook: Webhook | None = None

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> Self:
        if self.delay_ms is not None and self.run_at is not None:
            raise ValueError("Give delay_ms or run_at, not both.")
        if self.expires_in_ms is not None and self.expires_at is not None:
            raise ValueError("Give expires_in_ms or expires_at, not both.")
        return self

    def wanted(self) -> WantedJob:
        """The same for the intake."""
        options: dict[str, Any] = {
            "priority": self.priority,
            "max_attempts": self.max_attempts,
            "time_limit": self.time_limit_ms,
            "tags": self.tags,
            "metadata": self.metadata,
            "store_result": self.store_result,
            "webhook": self.webhook,
        }
        wanted = {name: value for name, value in options.items() if value is not None}
        if "unique" in self.model_fields_set:
            wanted["unique"] = self.unique  # null: without what the actor declares
        return WantedJob(
            actor=self.actor,
            args=self.args,
            queue=self.queue,
            run_at_ms=instants.to_ms(self.run_at) if self.run_at else None,
            delay_ms=self.delay_ms,
            expires_at_ms=instants.to_ms(self.expires_at) if self.expires_at else None,
            expires_in_ms=self.expires_in_ms,
            options=wanted,
        )


def read_job_request(
    given: dict[str, Any], headers: Headers, model: type[JobRequest] = JobRequest
) -> WantedJob:
    """What a request asks for.

    Args:
        headers: of it.
        model: of the request.

    Raises:
        InvalidJob: with one problem per wrong field.
        ActorNotAllowed: the key is for other actors.
    """
    missing = [
        InvalidJob(f"The field {name!r} is not supported yet.", pointer=f"/{name}", code="not_supported")
        for name in given
        if name in NOT_YET
    ]
    if missing:
        raise InvalidJob(summary(missing), problems=missing)
    try:
        request, _ = check(model, given, compact)
    except ValidationError as error:
        found = problems(error, given, known=model.model_fields, noun="field")
        raise InvalidJob(summary(found), problems=found) from None
    current_principal().check_actor(request.actor)
    wanted = request.wanted()
    trace = read_traceparent(headers.get("traceparent"))
    if trace:
        wanted.options["traceparent"] = trace
    if (
        "X-Request-Id" in headers
    ):  # one that the sender knows; ours is in the log of this process, with the job
        wanted.options["request_id"] = request_id()
    return wanted
