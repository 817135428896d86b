"""What makes two failures the same one: the actor, the kind of error, and the place in the team's own code.

No line number and no path of a machine goes in, so that a deploy does not split a group. A job that died without
an exception (its worker was lost, its group failed) belongs to a group by its actor and its reason.
"""

import hashlib
import sysconfig
from collections.abc import Iterable
from pathlib import PurePath
from typing import NamedTuple

_STANDARD = tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib"))
_INSTALLED = {"site-packages", "dist-packages"}
_RUNS_ACTORS = {"dramatiq", "worker_service"}
_BUILT_IN_ACTORS = ("worker_service.actors", "worker_service.tasks")


class Frame(NamedTuple):
    """One call of a traceback.

    Attributes:
        module: its name, ``my.tasks``; ``__main__`` or empty when nobody knows it by one.
        file: path of the code.
        function: qualified name, ``Order.pay``.
    """

    module: str
    file: str
    function: str

    @property
    def package(self) -> str:
        """The outermost package of the module."""
        return self.module.partition(".")[0]

    @property
    def is_installed(self) -> bool:
        """Whether somebody installed it as a library."""
        return not _INSTALLED.isdisjoint(PurePath(self.file).parts)

    @property
    def runs_actors(self) -> bool:
        """Whether it is part of what calls an actor: the standard library, Dramatiq, this service."""
        if not self.is_installed and self.file.startswith((*_STANDARD, "<frozen ")):
            return True
        return self.package in _RUNS_ACTORS and not self.module.startswith(_BUILT_IN_ACTORS)

    def __str__(self) -> str:
        known = self.module if self.module not in ("", "__main__") else PurePath(self.file).name
        return f"{known}:{self.function}"


def frames_of(error: BaseException) -> list[Frame]:
    """The calls of an exception's traceback, the outermost first."""
    found = []
    at = error.__traceback__
    while at is not None:
        code, module = at.tb_frame.f_code, at.tb_frame.f_globals.get("__name__")
        found.append(Frame(module if isinstance(module, str) else "", code.co_filename, code.co_qualname))
        at = at.tb_next
    return found


def own_frame(frames: Iterable[Frame]) -> str:
    """Where the team's own code was when it failed, as ``my.tasks:charge``: the innermost frame of no library.

    The package of the actor's function, which is the first one called, is their own even if it is installed.
    Empty when no code of an actor was running.
    """
    called = [frame for frame in frames if not frame.runs_actors]
    own = [frame for frame in called if not frame.is_installed or frame.package == called[0].package]
    return str(own[-1]) if own else ""


def fingerprint_of_error(actor: str, kind: str, frame: str) -> str:
    """The group of jobs of an actor that an exception ended.

    Args:
        actor: its name.
        kind: name of the exception's class.
        frame: see `own_frame`.

    Returns:
        16 hexadecimal digits.
    """
    return _digest("error", actor, kind, frame)


def fingerprint_of_reason(actor: str, reason: str) -> str:
    """The group of jobs of an actor that died without an exception, for this reason."""
    return _digest("reason", actor, reason)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:16]
