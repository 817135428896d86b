"""The block of a step: what once() gives. It is of use in a plain ``with`` only, and says so elsewhere."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Generic, NoReturn, TypeVar

from ..jobs.errors import StepMisused
from .step import Step

S = TypeVar("S", bound=Step)


class Block(Generic[S]):
    """A step that begins when it is entered.

    Args:
        name: of the step.
        within: begins and ends it.
    """

    __slots__ = ("_name", "_within")

    def __init__(self, name: str, within: AbstractContextManager[S]) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_within", within)

    def __enter__(self) -> S:
        return self._within.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._within.__exit__(kind, error, trace)

    async def __aenter__(self) -> NoReturn:
        raise TypeError(f"use a plain `with` for step {self._name!r}, without async, also in an async actor")

    async def __aexit__(self, *error: object) -> None:
        """Never reached; without it Python has words of its own for what is wrong."""

    def __getattr__(self, attribute: str) -> NoReturn:
        raise AttributeError(self._outside(attribute))

    def __setattr__(self, attribute: str, value: Any) -> NoReturn:
        raise StepMisused(self._outside(attribute))

    def _outside(self, attribute: str) -> str:
        return f"step {self._name!r} has no {attribute} outside of its block: `with once(...) as step:`"
