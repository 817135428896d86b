"""What an actor's signature says about its arguments.

Arguments travel as JSON. The intake checks them against a pydantic model made from the signature
(`check_arguments`); a Python caller's are checked for their number and names only (`check_binding`); the
worker turns them into what the signature asks for (`typed_arguments`): dates, UUIDs, decimals, enums, models.
"""

import inspect
import json
import logging
import types
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from inspect import Parameter
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_jsonable_python

from ..names import did_you_mean
from .compact import compact
from .errors import InvalidArguments, InvalidJob
from .sensitive import Sensitive
from .validation import check, problems, summary

ARGUMENTS_LIMIT = 64 * 1024
"""Bytes of JSON."""

_logger = logging.getLogger(__name__)

_PLAIN = {Any, object, int, float, str, bool, None, types.NoneType, list, dict, Parameter.empty}
_BY_NAME = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


@lru_cache(maxsize=4096)
def _signature(fn: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(fn)


def parameters(fn: Callable[..., Any]) -> Mapping[str, Parameter]:
    """What a function takes, by name."""
    return _signature(fn).parameters


def binds(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the function can be called with these arguments."""
    try:
        _signature(fn).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


@lru_cache(maxsize=4096)
def _bind(fn: Callable[..., Any], count: int, names: frozenset[str]) -> bool:
    """Whether so many arguments and these named ones bind, which no value decides."""
    return binds(fn, (None,) * count, dict.fromkeys(names))


def check_binding(fn: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Check at the call what would fail in the worker.

    Raises:
        InvalidArguments: the arguments do not bind; a misspelt one comes with the nearest name.
    """
    if _bind(fn, len(args), frozenset(kwargs)):
        return
    try:
        _signature(fn).bind(*args, **kwargs)
    except TypeError as error:
        hint = "".join(
            did_you_mean(given, _signature(fn).parameters)
            for given in kwargs
            if given not in _signature(fn).parameters
        )
        problem = InvalidJob(f"{name}{_signature(fn)}: {error}.{hint}", pointer="/args", code="does_not_bind")
        raise InvalidArguments(str(problem), [problem]) from None


def check_arguments(fn: Callable[..., Any], given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Check arguments that came by name, as JSON.

    Returns:
        The positional and the named arguments to send, still as JSON values.

    Raises:
        InvalidArguments: with one problem per wrong argument.
    """
    try:
        _, given = check(arguments_model(fn), given, compact)
    except ValidationError as error:
        names = [name for name, parameter in _signature(fn).parameters.items() if parameter.kind in _BY_NAME]
        found = problems(error, given, known=names, noun="argument", pointer="/args")
        raise InvalidArguments(summary(found), found) from None
    named = dict(given)
    positional = []
    for name, parameter in _signature(fn).parameters.items():
        if parameter.kind is not Parameter.POSITIONAL_ONLY or name not in named:
            break
        positional.append(named.pop(name))
    check_binding(fn, fn.__name__, tuple(positional), named)
    return tuple(positional), named


def typed_arguments(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a delivery as the signature asks for them.

    Parameters whose annotation is a plain JSON type get the value as it came. Strictness is the intake's
    business: what a Python caller sent is converted as far as it can be.

    Raises:
        TypeError: the arguments do not bind.
        InvalidArguments: a value cannot become what its annotation asks for.
    """
    adapters = _adapters(fn)
    if not adapters:
        return args, kwargs
    bound = _signature(fn).bind(*args, **kwargs)
    found = []
    for name, adapter in adapters.items():
        if name in bound.arguments:
            value = bound.arguments[name]
            try:
                bound.arguments[name] = adapter.validate_json(json.dumps(value))
            except ValidationError as error:
                found += problems(error, value, known=(), noun="field", pointer=f"/args/{name}")
    if found:
        raise InvalidArguments(summary(found), found)
    return bound.args, bound.kwargs


def arguments_by_name(
    fn: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The arguments under the names of their parameters; under their positions when those are not known."""
    if fn is None or not args or not binds(fn, args, kwargs):
        return {**{str(position): value for position, value in enumerate(args)}, **kwargs}
    named = dict(_signature(fn).bind(*args, **kwargs).arguments)
    for name, parameter in _signature(fn).parameters.items():
        if parameter.kind is Parameter.VAR_KEYWORD:
            named.update(named.pop(name, {}))
    return named


def with_defaults(fn: Callable[..., Any], named: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name, and the defaults of those that are not given, as JSON values."""
    defaults = {
        name: to_jsonable_python(parameter.default, fallback=repr)
        for name, parameter in _signature(fn).parameters.items()
        if parameter.default is not Parameter.empty and name not in named
    }
    return {**named, **defaults}


@lru_cache(maxsize=4096)
def arguments_model(fn: Callable[..., Any]) -> type[BaseModel]:
    """A model of the arguments by name; fields stand under aliases, so that any parameter name will do.

    ``*args`` has no place in it: arguments come by name. ``**kwargs`` lets further names through.
    """
    extra: typing.Literal["allow", "forbid"] = "forbid"
    fields: dict[str, Any] = {}
    for name, parameter in _signature(fn).parameters.items():
        if parameter.kind is Parameter.VAR_KEYWORD:
            extra = "allow"
        elif parameter.kind in _BY_NAME:
            fields[f"argument_{len(fields)}"] = _field(fn, name, parameter)
    return create_model(
        fn.__name__,
        __config__=ConfigDict(extra=extra),
        __doc__=inspect.getdoc(fn),
        **fields,
    )


class LenientJsonSchema(GenerateJsonSchema):
    """What has no JSON schema accepts anything there."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:  # noqa: ARG002
        return {}


def arguments_schema(fn: Callable[..., Any]) -> dict[str, Any]:
    """JSON schema of the arguments by name."""
    schema = arguments_model(fn).model_json_schema(by_alias=True, schema_generator=LenientJsonSchema)
    schema.pop("description", None)  # the function's own docstring
    return schema


def _field(fn: Callable[..., Any], name: str, parameter: Parameter) -> tuple[Any, Any]:
    annotation = _annotation(fn, parameter)
    if annotation is Any and parameter.annotation not in (Any, "Any", Parameter.empty):
        _logger.warning(
            "%s: the annotation %r of %r is no type that is known here; any value is accepted for it.",
            fn.__name__,
            parameter.annotation,
            name,
        )
    if parameter.default is Parameter.empty:
        return annotation, Field(alias=name)
    if parameter.default is None:
        annotation = annotation | None if annotation is not Any else Any
    return annotation, Field(default=parameter.default, alias=name)


@lru_cache(maxsize=4096)
def _adapters(fn: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    """For each parameter whose annotation is more than plain JSON."""
    found = {}
    for name, parameter in _signature(fn).parameters.items():
        if parameter.kind in _BY_NAME:
            annotation = _annotation(fn, parameter)
            if not _is_plain(annotation):
                found[name] = TypeAdapter(annotation)
    return found


def _annotation(fn: Callable[..., Any], parameter: Parameter) -> Any:
    """What is asked for; Any for what cannot be resolved or is no type that JSON can become."""
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    scope = getattr(inspect.unwrap(fn), "__globals__", {})
    if parameter.annotation is Parameter.empty:
        return Any
    try:
        annotation = typing.get_type_hints(holder, globalns=scope, include_extras=True)["it"]
        TypeAdapter(annotation)
    except (NameError, TypeError, AttributeError, SyntaxError, PydanticUserError):
        return Any
    return annotation


def _is_plain(annotation: Any) -> bool:
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated and all(isinstance(mark, Sensitive) for mark in inside[1:]):
        return _is_plain(inside[0])
    if origin is None:
        return _is_hashable(annotation) and annotation in _PLAIN
    if origin is dict:
        return inside[0] is str and _is_plain(inside[1])
    return origin in (list, typing.Union, types.UnionType) and all(map(_is_plain, inside))


def _is_hashable(annotation: Any) -> bool:
    return getattr(annotation, "__hash__", None) is not None
