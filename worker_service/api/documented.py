"""What the OpenAPI document says of an operation beyond its address and scope; written at the view it is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from ..jobs.errors import WorkerServiceError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Document:
    """One operation.

    Attributes:
        summary: one sentence.
        answers: status -> what the body is, a TypedDict of answers or the media type of what is no JSON ("" for
            none).
        body: the model that the request's JSON body is checked against, or a choice of some.
        text_bodies: other media types that the body may have -> an example.
        body_required: whether it has to be there.
        query: the model of the parameters behind ``?``.
        headers: request headers that mean something here -> a sentence about each; openapi/headers.py says what they
            may hold.
        sends: headers that answers may have, of those in openapi/headers.py.
        problems: errors that this operation raises, as problem+json; those that every operation may raise are added.
    """

    summary: str
    answers: Mapping[int, Any]
    body: Any = None
    text_bodies: Mapping[str, str] = field(default_factory=dict)
    body_required: bool = True
    query: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    sends: tuple[str, ...] = ()
    problems: tuple[type[WorkerServiceError], ...] = ()


def documented(summary: str, answers: Mapping[int, Any], **more: Any) -> Callable[[F], F]:
    """Attach a `Document`; stands between the route and the view."""

    def attach(view: F) -> F:
        view.document = Document(summary, answers, **more)  # type: ignore[attr-defined]
        return view

    return attach
