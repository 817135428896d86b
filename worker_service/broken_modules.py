"""What people are told when an actor module of theirs cannot be used: one line, and where in their code."""

import functools
import multiprocessing
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

from .settings import WrongSettings

P = ParamSpec("P")
R = TypeVar("R")

SHOWN_FRAMES = 5
_NOT_THEIRS = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


class ActorModuleFailed(ImportError):
    """Raised at start when a module of ``JOBS_ACTOR_MODULES`` cannot be used; says which, why and where."""

    @classmethod
    def because(cls, module: str, error: BaseException) -> Self:
        """The import raised an error."""
        frames = _their_frames(error)
        if isinstance(error, SyntaxError):
            kind, where = (
                f"{type(error).__name__}: {error.msg}",
                [_at(error.filename or module, error.lineno)],
            )
            lines = [f"{where[0]}: {(error.text or '').strip()}"]
        else:
            kind = traceback.format_exception_only(error)[-1].strip()
            where = [_at(frame.filename, frame.lineno) for frame in frames[-1:]]
            lines = [f"{_at(frame.filename, frame.lineno)} in {frame.name}: {frame.line}" for frame in frames]
        if isinstance(error, ModuleNotFoundError) and not frames:
            where = [f"looked for in {Path.cwd()} and among the installed packages"]
        place = f" ({where[0]})" if where else ""
        return cls("\n  ".join([f"Actor module {module} cannot be imported: {kind}{place}", *lines]))

    @classmethod
    def on_another_broker(cls, module: str, actor_name: str, broker: object, fn: object) -> Self:
        """The module has an actor of which this service would never hear."""
        code = getattr(fn, "__code__", None)
        place = f" ({_at(code.co_filename, code.co_firstlineno)})" if code else ""
        return cls(
            f"Actor module {module}: actor {actor_name!r} is on another broker ({type(broker).__name__}){place}.\n  "
            "Declare it with 'from worker_service import actor', and do not call dramatiq.set_broker()."
        )


def short_in_workers(function: Callable[P, R]) -> Callable[P, R]:
    """Let a mistake of the set-up end Dramatiq's and granian's worker processes with its text alone.

    Both are processes of multiprocessing, which prints the text of a `SystemExit`, but fifty lines of importlib
    for any other exception. Elsewhere the exception passes, for the program that imports us to handle.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (ActorModuleFailed, WrongSettings) as error:
            if multiprocessing.parent_process() is None:
                raise
            title = "The settings are wrong.\n" if isinstance(error, WrongSettings) else ""
            raise SystemExit(f"{title}{error}") from None

    return wrapped


def _their_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """The innermost frames, without those of importlib, of this package and of installed libraries."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    theirs = [frame for frame in frames if not frame.filename.startswith(_NOT_THEIRS)]
    return (theirs or frames)[-SHOWN_FRAMES:]


def _is_ours(filename: str) -> bool:
    ours = Path(filename).is_relative_to(Path(__file__).parent)
    return ours or filename.startswith("<frozen importlib") or "/importlib/" in filename


def _at(filename: str, line: int | None) -> str:
    path = Path(filename)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}:{line}"
