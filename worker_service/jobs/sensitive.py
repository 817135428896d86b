"""Marks arguments that nobody shall see: ``Annotated[str, Sensitive()]``."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sensitive:
    """In an actor's signature, or in a model that it asks for: the worker gets the value, every view shows ``***``."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """What pydantic asks a mark for."""
        return {**handler(schema), "writeOnly": True, "x-sensitive": True}
