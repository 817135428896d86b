"""Death of a process at a chosen point of an actor, simulated by an exception that nothing should catch."""

import dis
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

_RETURNS = ("RETURN_VALUE", "RETURN_CONST")


class ProcessKilled(BaseException):
    """Raised where the process dies, by `Jobs.crash` and `Jobs.kill`."""


class Point:
    """Where a process dies.

    Args:
        code: of the function that is watched.
        event: ``call`` (before it begins), ``return`` (after it has ended normally) or ``line``.
        line: number in its file.
        shown: for people.
    """

    def __init__(self, code: CodeType, event: str, line: int, shown: str) -> None:
        self._code, self._event, self._line = code, event, line
        self.shown = shown
        self.must_come = event != "line"

    def is_here(self, frame: FrameType, event: str) -> bool:
        """Whether this is the point that a trace function is told of."""
        if frame.f_code is not self._code or event != self._event:
            return False
        if event == "call":  # a coroutine that goes on is called as well
            return not _goes_on(frame)
        if event == "return":  # so is it told that it returns when it waits, or raises
            return dis.opname[self._code.co_code[frame.f_lasti]] in _RETURNS
        return frame.f_lineno == self._line


def point_of(before: Any, after: Any, at_line: tuple[Any, int] | None) -> Point:
    """The point that the arguments of `Jobs.crash` name.

    Raises:
        TypeError: not one of them is given, or it is no Python function.
    """
    given = [each for each in (before, after, at_line) if each is not None]
    if len(given) != 1:
        raise TypeError("say one of before=, after= and at_line=")
    if at_line is not None:
        code = code_of(at_line[0])
        return Point(code, "line", at_line[1], f"line {at_line[1]} of {code.co_qualname}")
    word, event = ("before", "call") if before is not None else ("after", "return")
    code = code_of(given[0])
    return Point(code, event, 0, f"{word} {code.co_qualname}")


def code_of(given: Any) -> CodeType:
    """The code of a function, a method or an actor.

    Raises:
        TypeError: it has none that Python can stop in.
    """
    function = inspect.unwrap(getattr(given, "fn", given))
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        raise TypeError(
            f"{given!r} is no Python function: wrap it in one, or let a stand-in of it call jobs.kill()"
        )
    return code


def lines_of(given: Any) -> list[int]:
    """Numbers of the lines of a function or of an actor: each a place where its process may die.

    For ``@pytest.mark.parametrize("line", lines_of(my_actor))`` with `Jobs.crash`.
    """
    code = code_of(given)
    return sorted({line for _, _, line in code.co_lines() if line is not None and line > code.co_firstlineno})


@contextmanager
def watched(
    point: Point | None, reached: Callable[[], None], elsewhere: Callable[[Any], None]
) -> Iterator[None]:
    """Raise `ProcessKilled` at a point, on this thread or elsewhere.

    A debugger or a measurement of coverage that uses trace functions sees nothing of it meanwhile.

    Args:
        reached: called when it is.
        elsewhere: sets the trace function of another thread.
    """
    if point is None:
        yield
        return

    def trace(frame: FrameType, event: str, _about: Any) -> Any:
        if point.is_here(frame, event):
            reached()
            raise ProcessKilled(point.shown)
        return trace

    before = sys.gettrace()
    elsewhere(trace)
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
        elsewhere(None)


def _goes_on(frame: FrameType) -> bool:
    """Whether a coroutine waited before; the last two bits of RESUME tell."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return at >= 0 and dis.opname[code[at]] == "RESUME" and code[at + 1] & 3 != 0
