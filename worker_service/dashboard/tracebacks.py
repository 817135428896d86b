"""A traceback for people: the frames in their own code first, the innermost of them on top."""

import re
from dataclasses import dataclass
from pathlib import PurePath

_FRAME = re.compile(r'^  File "(.+)", line (\d+), in (.+)$')
_INSTALLED = {"site-packages", "dist-packages"}
_LIBRARY = re.compile(r"/lib/python3[^/]*/|^<frozen ")
_BUILT_IN_ACTORS = ("worker_service", "tasks")


@dataclass(frozen=True, slots=True)
class OwnFrame:
    """One call in code that is neither a library's nor the service's."""

    file: str
    line: int
    function: str
    code: str


def own_frames(traceback: str) -> list[OwnFrame]:
    """Those of a traceback as text, the innermost first."""
    lines = traceback.splitlines()
    found = []
    for number, text in enumerate(lines):
        match = _FRAME.match(text)
        if match and _is_own(match[1]):
            following = lines[number + 1] if number + 1 < len(lines) else ""
            code = following.strip() if following.startswith("    ") else ""
            found.append(OwnFrame(match[1], int(match[2]), match[3], code))
    return found[::-1]


def _is_own(file: str) -> bool:
    parts = PurePath(file).parts
    if not _INSTALLED.isdisjoint(parts) or _LIBRARY.search(file):
        return False
    is_of_service = "worker_service" in parts[:-1]
    return not is_of_service or "/".join(_BUILT_IN_ACTORS) in file
