"""Actors with the signatures that people write."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel

if TYPE_CHECKING:
    from uuid import SafeUUID as Unknown


class Size(Enum):
    """An enumeration."""

    SMALL = "small"
    LARGE = "large"


class Address(BaseModel):
    """A model."""

    street: str
    number: int


def add(x: int, y: int = 1) -> int:
    """The sum."""
    return x + y


def anything(value, other=None):
    """Without annotations."""
    return value


def typed(
    day: date,
    id: UUID,
    price: Decimal,
    size: Size,
    home: Address,
    ratio: float = 1.0,
    tags: tuple[str, ...] = (),
) -> str:
    """With annotations that are more than JSON."""
    return f"{day:%d.%m.%Y} {id.hex[:4]} {price + 1} {size.name} {home.street} {ratio} {tags}"


def union(value: int | str | list[int]) -> str:
    """With a choice."""
    return repr(value)


def positional(first: int, second: int, /, third: int = 3, *rest: int, last: int = 0, **more: Any) -> int:
    """With every kind of parameter."""
    return first + second + third + last


def unresolved(value: "Unknown") -> None:
    """With an annotation that does not exist at run time."""


def nullable(value: int = None) -> None:  # type: ignore[assignment]  # noqa: RUF013 - people write such actors
    """With a default that its annotation does not allow."""


def odd_names(self: int, json: str, model_config: int, _hidden: int = 0) -> None:
    """With names that mean something to pydantic."""


ACTORS: dict[Callable[..., Any], dict[str, Any]] = {
    add: {"max_attempts": 4, "priority": 7},
    anything: {"queue_name": "other"},
    typed: {},
    union: {},
    positional: {},
    unresolved: {},
    nullable: {},
    odd_names: {},
}
