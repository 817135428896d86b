"""A form made from the JSON schema of an actor's arguments, and the arguments that one says.

What is simple has a field of its own kind; whatever else there is, is typed as JSON. What is left empty is not sent, so
the actor's default holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..api.body import parsed
from .asking import Refused

PREFIX = "arg."
"""Before the names of arguments in forms."""

_SIMPLE = {"string": "text", "integer": "whole", "number": "number", "boolean": "choice"}


@dataclass(frozen=True, slots=True)
class FormField:
    """One argument.

    Attributes:
        kind: text, whole, number, choice (one of ``options``) or json.
        options: as JSON values.
        hint: its description, default and type.
        is_sensitive: is not shown while it is typed.
    """

    name: str
    kind: str
    options: tuple[Any, ...]
    hint: str
    is_required: bool
    is_sensitive: bool

    def read(self, text: str) -> Any:
        """The value that was typed.

        Raises:
            ValueError: it is none of this kind.
        """
        match self.kind:
            case "text":
                return text.replace("\r\n", "\n")
            case "whole":
                return int(text)
            case "number":
                return float(text) if "." in text or "e" in text.lower() else int(text)
        return parsed(text)


def fields_of(schema: Mapping[str, Any]) -> list[FormField]:
    """The fields for a schema."""
    required = set(schema.get("required", ()))
    definitions = schema.get("$defs", {})
    return [
        _field(name, part, definitions, is_required=name in required)
        for name, part in schema.get("properties", {}).items()
    ]


def arguments(schema: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """The arguments that a form says.

    Raises:
        Refused: one cannot be read.
    """
    found = {}
    for each in fields_of(schema):
        text = form.get(PREFIX + each.name, "")
        if not text and not (each.is_required and each.kind == "text"):
            continue
        try:
            found[each.name] = each.read(text)
        except ValueError as error:
            detail = f"{each.name}: {error}."
            raise Refused(
                {"type": "about:blank", "title": "This cannot be read", "status": 422, "detail": detail}, {}
            ) from None
    return found


def _field(
    name: str, part: Mapping[str, Any], definitions: Mapping[str, Any], *, is_required: bool
) -> FormField:
    plain = _resolved(part, definitions)
    options = tuple(plain["enum"]) if "enum" in plain else (plain["const"],) if "const" in plain else ()
    kind = "choice" if options else _SIMPLE.get(str(plain.get("type")), "json")
    if kind == "choice" and not options:
        options = (True, False)
    words = [str(part.get("description", "")), _type(plain)]
    if "default" in part:
        words.append(f"default {part['default']!r}")
    hint = ", ".join(word for word in words if word)
    return FormField(name, kind, options, hint, is_required, bool(part.get("x-sensitive")))


def _resolved(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference refers to, and of a type that may be null the other one."""
    if "$ref" in part:
        found: Mapping[str, Any] = definitions.get(str(part["$ref"]).rpartition("/")[2], {})
        return found
    choices = [each for each in part.get("anyOf", ()) if each.get("type") != "null"]
    return _resolved(choices[0], definitions) if len(choices) == 1 else part


def _type(plain: Mapping[str, Any]) -> str:
    kind = plain.get("format") or plain.get("type")
    return str(kind) if kind else ("" if "enum" in plain else "JSON")
