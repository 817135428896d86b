"""Hides sensitive arguments: in views, and wherever else their values occur.

Which they are follows from the JSON schema of the actor's arguments, because that goes through models, lists and unions
as the arguments do. Where it leaves a doubt the value is hidden: a name that the schema does not know beside one that
is sensitive, a branch of a union, all arguments of an actor that is not known here.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from inspect import Parameter
from typing import Any
from urllib.parse import quote, quote_plus

from .errors import InvalidArguments, InvalidJob
from .signature import arguments_schema, check_arguments, parameters
from .validation import summary

MASK = "***"
SHORTEST = 4
"""Characters of a value that is looked for in texts: a shorter one would stand there by chance."""

Function = Callable[..., Any]
Schema = dict[str, Any]


def is_sensitive(fn: Function | None) -> bool:
    """Whether an actor has arguments to hide; one that is not known may have."""
    return fn is None or _plan(fn) is not None


def masked(fn: Function | None, named: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name as anybody may see them.

    Args:
        fn: the actor's function; None when it is not known here, and then all are hidden.
    """
    if fn is None:
        return dict.fromkeys(named, MASK)
    plan = _plan(fn)
    if plan is None:
        return named
    found: dict[str, Any] = _Walk(plan, lambda _: MASK).through(named, [plan])
    return found


def secrets_of(fn: Function | None, named: dict[str, Any]) -> tuple[str, ...]:
    """The texts to hide elsewhere: each sensitive value, also as other texts write it, the longest first."""
    values: list[Any] = []
    if fn is None:
        values.append(named)
    elif plan := _plan(fn):
        _Walk(plan, values.append).through(named, [plan])
    texts = {text for value in values for leaf in _leaves(value) for text in _written(leaf)}
    return tuple(
        sorted((text for text in texts if len(text) >= SHORTEST), key=lambda text: (-len(text), text))
    )


def scrubbed(value: Any, secrets: Iterable[str]) -> Any:
    """A text, or JSON with texts, without any of these."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {scrubbed(name, secrets): scrubbed(inner, secrets) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrubbed(inner, secrets) for inner in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and str(value) in secrets:
        return MASK
    return value


def check_shown_arguments(fn: Function, given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """`check_arguments` for whoever may have seen arguments in a view: no error tells a sensitive one, and what stands
    for one in a view is none.

    Raises:
        InvalidArguments: with one problem per wrong argument.
    """
    try:
        checked = check_arguments(fn, given)
    except InvalidArguments as error:
        raise _without(secrets_of(fn, given), error) from None
    hidden: list[Any] = []
    if plan := _plan(fn):
        _Walk(plan, hidden.append).through(given, [plan])
    if MASK in hidden:
        problem = InvalidJob(
            f"{MASK!r} stands for a sensitive argument in answers: send its value.",
            pointer="/args",
            code="masked",
        )
        raise InvalidArguments(str(problem), [problem])
    return checked


def _without(secrets: tuple[str, ...], error: InvalidArguments) -> InvalidArguments:
    found = [
        InvalidJob(scrubbed(str(each), secrets), pointer=scrubbed(each.pointer, secrets), code=each.code)
        for each in error.problems
    ]
    return InvalidArguments(summary(found), found)


@lru_cache(maxsize=4096)
def _plan(fn: Function) -> Schema | None:
    """The schema of the arguments, ``*args`` and ``**kwargs`` too; None when nothing in it is sensitive."""
    schema = arguments_schema(fn)
    properties = dict(schema.get("properties", {}))
    plan = {**schema, "properties": properties}
    for name, parameter in parameters(fn).items():
        if parameter.kind is Parameter.VAR_POSITIONAL:
            properties[name] = {"x-sensitive": True} if _is_marked(parameter) else {}
        elif parameter.kind is Parameter.VAR_KEYWORD:
            plan["additionalProperties"] = {"x-sensitive": True} if _is_marked(parameter) else {}
        elif _is_marked(parameter):  # also where the rest of the annotation is no type that is known
            properties.setdefault(name, {})
            if properties[name] == {} or set(properties[name]) <= {"title", "default"}:
                properties[name] = {"x-sensitive": True}
    return plan if '"x-sensitive"' in json.dumps(plan, default=str) else None


def _is_marked(parameter: Parameter) -> bool:
    """As text, because what cannot be resolved may be marked too."""
    annotation = parameter.annotation
    return "Sensitive" in f"{annotation} {getattr(annotation, '__annotations__', '')}"


class _Walk:
    """Goes through a value as its schema does, and replaces what is sensitive by what ``hit`` makes of it."""

    def __init__(self, plan: Schema, hit: Callable[[Any], Any]) -> None:
        self._definitions: Schema = plan.get("$defs", {})
        self._hit = hit

    def through(self, value: Any, schemas: list[Any]) -> Any:
        """The value with its parts replaced; ``schemas`` are all that may be meant for it."""
        branches = list(self._branches(schemas, set()))
        if any(branch.get("x-sensitive") for branch in branches):
            return self._hit(value)
        if isinstance(value, dict):
            return {name: self._field(name, inner, branches) for name, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.through(inner, _of_item(branches, place)) for place, inner in enumerate(value)]
        return value

    def _field(self, name: str, value: Any, branches: list[Schema]) -> Any:
        known = [branch["properties"][name] for branch in branches if name in branch.get("properties", {})]
        more = [branch.get("additionalProperties") for branch in branches]
        if not known and any(map(self._has_sensitive_field, branches)):
            return self._hit(value)
        return self.through(value, known or more)

    def _has_sensitive_field(self, branch: Schema) -> bool:
        fields = branch.get("properties", {}).values()
        return any(each.get("x-sensitive") for field in fields for each in self._branches([field], set()))

    def _branches(self, schemas: Iterable[Any], seen: set[str]) -> Iterator[Schema]:
        """Each schema, and what it refers to or is made of."""
        for schema in schemas:
            if not isinstance(schema, dict):
                continue
            yield schema
            reference = schema.get("$ref")
            if reference is not None and reference not in seen:
                seen.add(reference)
                yield from self._branches([self._definitions.get(reference.rpartition("/")[2])], seen)
            for word in ("anyOf", "oneOf", "allOf"):
                yield from self._branches(schema.get(word, ()), seen)


def _of_item(branches: list[Schema], place: int) -> list[Any]:
    first = [
        branch["prefixItems"][place] for branch in branches if place < len(branch.get("prefixItems", ()))
    ]
    return first + [branch.get("items") for branch in branches]


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _written(text: str) -> Iterator[str]:
    """A value as it stands in JSON, in Python's errors, in addresses; and each of its lines."""
    for line in {text, *text.splitlines()}:
        yield line
        yield json.dumps(line)[1:-1]
        yield json.dumps(line, ensure_ascii=False)[1:-1]
        yield repr(line)[1:-1]
        encoded = line.encode(errors="replace")
        yield quote(encoded, safe="")
        yield quote_plus(encoded)
