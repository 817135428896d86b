"""A form made from the JSON schema of an actor's arguments, and the arguments that one says.

What is simple has a field of its own kind; whatever else there is, is typed as JSON. What is left empty is not sent, so
the actor's default holds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..api.body import parsed
from .asking import Refused
from .unreadable import gathered, wrong

PREFIX = "arg."
"""Before the names of arguments in forms."""
FURTHER = "args"
"""What a schema does not name, as a JSON object; all arguments of an actor that is not known here."""

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
            case "whole" | "number":
                return _number(text, is_whole=self.kind == "whole")
        return parsed(text)

    def said(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The value under its name; nothing where a form leaves it empty, but of a text that is needed.

        Raises:
            Refused: see `read`.
        """
        text = form.get(PREFIX + self.name, "")
        if not text and not (self.is_required and self.kind == "text" and not self.is_sensitive):
            return {}
        try:
            return {self.name: self.read(text)}
        except ValueError as error:
            raise wrong(f"/args/{self.name}", f"{self.name}: {error}.") from None

    def typed(self, value: Any) -> str:
        """The text that is read as this value; of one that is hidden nothing: it is not known."""
        if self.is_sensitive:
            return ""
        return value if self.kind == "text" and isinstance(value, str) else option_text(value)


def _number(text: str, *, is_whole: bool) -> float:
    try:
        return int(text) if is_whole or not {".", "e"} & set(text.lower()) else float(text)
    except ValueError:
        raise ValueError("use a whole number" if is_whole else "use a number") from None


def option_text(value: Any) -> str:
    """A value as JSON: what a choice sends; a filter of templates."""
    return json.dumps(value, ensure_ascii=False)


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
        Refused: names each that cannot be read.
    """
    further = partial(_further, form)
    fields = [
        each for each in fields_of(schema) if form.get(PREFIX + each.name) or not _is_further(each, form)
    ]
    return gathered([further, *(partial(each.said, form) for each in fields)])


def typed_arguments(schema: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, str]:
    """What a form says for these arguments: what its fields cannot say stands among the further ones."""
    found: dict[str, str] = {}
    further = dict(args)
    for each in fields_of(schema):
        if each.name not in args:
            continue
        typed = {PREFIX + each.name: each.typed(args[each.name])}
        if each.is_sensitive or _says(each, typed, args[each.name]):
            found |= typed
            del further[each.name]
    return {**found, FURTHER: json.dumps(further, ensure_ascii=False, indent=2)} if further else found


def _says(field: FormField, form: Mapping[str, str], value: Any) -> bool:
    try:
        return field.said(form) == {field.name: value}
    except Refused:
        return False


def _is_further(field: FormField, form: Mapping[str, str]) -> bool:
    try:
        return field.name in _further(form)
    except Refused:
        return False


def takes_further(schema: Mapping[str, Any]) -> bool:
    """Whether there may be arguments that it does not name."""
    return bool(schema.get("additionalProperties", True))


def _further(form: Mapping[str, str]) -> dict[str, Any]:
    text = form.get(FURTHER, "")
    if not text.strip():
        return {}
    try:
        found = parsed(text)
    except ValueError as error:
        raise wrong("/args", f"Further arguments: {error}.") from None
    if not isinstance(found, dict):
        raise wrong("/args", "Further arguments have to be a JSON object.")
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
        words.append(f"default {option_text(part['default'])}")
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
