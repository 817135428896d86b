"""What an actor's signature says about its arguments."""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .errors import InvalidArguments, InvalidJob
from .names import did_you_mean


@lru_cache(maxsize=4096)
def _signature(fn: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(fn)


def binds(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the function can be called with these arguments."""
    try:
        _signature(fn).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def check_binding(fn: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Check at the call what would fail in the worker.

    Raises:
        InvalidArguments: the arguments do not bind; a misspelt one comes with the nearest name.
    """
    try:
        _signature(fn).bind(*args, **kwargs)
    except TypeError as error:
        hint = "".join(
            did_you_mean(given, _signature(fn).parameters) for given in kwargs if given not in _signature(fn).parameters
        )
        problem = InvalidJob(f"{name}{_signature(fn)}: {error}.{hint}", pointer="/args", code="does_not_bind")
        raise InvalidArguments(str(problem), [problem]) from None
