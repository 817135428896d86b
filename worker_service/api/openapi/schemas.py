"""Schemas of the models and types that operations are documented with."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic_core import core_schema

from ...jobs.signature import LenientJsonSchema, arguments_model
from ..requests import JobRequest

if TYPE_CHECKING:
    from .operation import Operation

SCHEMAS = "#/components/schemas/"
REF = SCHEMAS + "{model}"


class Schemas:
    """All schemas of a document, made at once, so that equal names of different models are told apart.

    Args:
        operations: whose bodies, queries and answers are described.
        functions: those of actors, whose arguments are.
    """

    def __init__(self, operations: "Iterable[Operation]", functions: Iterable[Callable[..., Any]]) -> None:
        documents = [each.document for each in operations]
        taken = [model for each in documents for model in (each.body, each.query) if model is not None]
        answers = [what for each in documents for what in each.answers.values() if not isinstance(what, str)]
        arguments = [arguments_model(fn) for fn in functions]
        wanted: list[tuple[Any, Literal["validation", "serialization"]]] = [
            *((model, "validation") for model in dict.fromkeys([JobRequest, *taken, *arguments])),
            *((what, "serialization") for what in dict.fromkeys(answers)),
        ]
        self._found, definitions = TypeAdapter.json_schemas(
            [(what, mode, TypeAdapter(what)) for what, mode in wanted],
            ref_template=REF,
            schema_generator=_Closed,
        )
        self.components: dict[str, dict[str, Any]] = definitions.get("$defs", {})

    def of_body(self, model: Any) -> dict[str, Any]:
        """What a request may say."""
        return self._found[model, "validation"]

    def of_query(self, model: type[BaseModel]) -> dict[str, Any]:
        """The object of its parameters. A parameter is there or not, and never null."""
        schema = self.components[self.name_of(model)]
        properties = {name: _without_null(each) for name, each in schema.get("properties", {}).items()}
        return {**schema, "properties": properties}

    def of_answer(self, what: Any) -> dict[str, Any]:
        """What an answer says."""
        return self._found[what, "serialization"]

    def name_of(self, model: type[BaseModel]) -> str:
        """The component that describes a model."""
        return str(self.of_body(model)["$ref"].rpartition("/")[2])


class _Closed(LenientJsonSchema):
    """Nothing but what is named; and no titles, which only repeat the names."""

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> dict[str, Any]:
        return {**super().typed_dict_schema(schema), "additionalProperties": False}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        found = super().default_schema(schema)
        if found.get("default", "") is None:  # as good as left out
            del found["default"]
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf" and value is not None}
    if len(choices) == 1:
        return {**choices[0], **rest}
    return {"anyOf": choices, **rest} if choices else rest
