"""Which jobs do the same work, and what is to happen when one of them is asked for while another is there."""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from .backoff import CENTURY_MS
from .errors import InvalidJob
from .spelling import one_spelling
from .validation import read_option

MOST_POINTERS = 20
DIGEST_CHARACTERS = 32


def _pointer(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is no JSON pointer: write '/user_id' for the argument user_id.")
    return text


Pointer = Annotated[str, AfterValidator(_pointer)]


class Unique(BaseModel):
    """The option ``unique`` of an actor, of a message and of a request.

    Attributes:
        key: names the work; or
        on: JSON pointers (RFC 6901) into the arguments that name it. Without both, all arguments do.
        scope: among which jobs: those of the actor, those of the queue, or all.
        until: how long no other job may do it: until the job starts, until it ends (done), until it succeeds (a dead
            one bars the others until it is put back or removed), or for a window of time.
        window_ms: the length of the window.
        on_conflict: what a further request gets: the job that is there (return), an error (reject), its arguments
            in the job that waits (replace), the same and that job waits anew (debounce), or, while one runs, a job
            that follows it, of which only the newest is kept (keep_last).
        max_wait_ms: how long after its creation a job is debounced at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str | None = Field(default=None, min_length=1, max_length=1000)
    on: list[Pointer] | None = Field(default=None, min_length=1, max_length=MOST_POINTERS)
    scope: Literal["actor", "queue", "global"] = "actor"
    until: Literal["start", "success", "done", "window"] = "done"
    window_ms: int | None = Field(default=None, ge=1, le=CENTURY_MS)
    on_conflict: Literal["return", "reject", "replace", "debounce", "keep_last"] = "return"
    max_wait_ms: int | None = Field(default=None, ge=1, le=CENTURY_MS)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.key is not None and self.on is not None:
            raise ValueError("Give key or on, not both.")
        if (self.until == "window") != (self.window_ms is not None):
            raise ValueError("until: window and window_ms belong together.")
        if self.max_wait_ms is not None and self.on_conflict != "debounce":
            raise ValueError("max_wait_ms belongs to on_conflict: debounce.")
        if self.until in ("window", "success") and self.on_conflict == "keep_last":
            raise ValueError("keep_last waits for the end of a job: use until: start or done.")
        return self

    @property
    def term(self) -> str:
        """How long the lock lasts, as the store writes it; see `Lock`."""
        return self.until if self.window_ms is None else str(self.window_ms)

    def digest(self, actor: str, queue: str, arguments: dict[str, Any]) -> str:
        """The name of the work, the same for whoever asks for it.

        Args:
            arguments: by name, as JSON values.

        Raises:
            InvalidJob: a pointer leads nowhere, or an argument is not JSON.
        """
        within = {"actor": actor, "queue": queue, "global": ""}[self.scope]
        work: Any = self.key
        if self.key is None:
            work = arguments if self.on is None else [_at(pointer, arguments) for pointer in self.on]
        work = one_spelling(work)
        kind = "key" if self.key is not None else self.on or "args"
        try:
            text = json.dumps(
                [self.scope, within, kind, work], sort_keys=True, separators=(",", ":"), allow_nan=False
            )
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidJob(
                f"unique: an argument is not JSON ({error}). Pass plain values, or the id of what is meant.",
                pointer="/args",
                code="not_json",
            ) from error
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:DIGEST_CHARACTERS]


def read_unique(given: Any) -> Unique:
    """Check what an actor or a message says.

    Args:
        given: a `Unique`, or a dictionary of its fields.

    Raises:
        InvalidJob: with one problem per wrong field.
    """
    return read_option(Unique, given, "unique", "{'on': ['/user_id'], 'until': 'done'}")


def written(given: Any) -> Any:
    """The option as JSON, so that `read_unique` reads the same of it; None stays None.

    Raises:
        InvalidJob: see `read_unique`.
    """
    return None if given is None else read_unique(given).model_dump(mode="json", exclude_defaults=True)


def _at(pointer: str, arguments: dict[str, Any]) -> Any:
    """The value a JSON pointer leads to (RFC 6901, section 4)."""
    found: Any = arguments
    for part in pointer[1:].split("/"):
        token = part.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(token)] if isinstance(found, list | tuple) else found[token]
        except (KeyError, IndexError, ValueError, TypeError):
            raise InvalidJob(
                f"unique: there is nothing at {pointer!r} in the arguments.",
                pointer="/unique/on",
                code="no_such_argument",
            ) from None
    return found
