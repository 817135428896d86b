"""Watches Python files, and tells once per burst of changes."""

import importlib.util
import threading
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from watchfiles import Change, watch

QUIET_MS = 200
"""A burst is over when nothing has changed for so long."""
_LEFT_OUT = {
    "__pycache__",
    "node_modules",
    "venv",
}  # and all whose name begins with a dot: .venv, .git, .data


def sources(modules: Iterable[str]) -> list[Path]:
    """The current folder, and the packages of modules that lie elsewhere and are not installed ones."""
    here = Path.cwd()
    specs = [importlib.util.find_spec(name) for name in sorted({name.partition(".")[0] for name in modules})]
    found = [folder for spec in specs if spec for folder in _folders(spec)]
    outside = [path for path in found if not path.is_relative_to(here) and "site-packages" not in path.parts]
    return [here, *outside]


def _folders(spec: ModuleSpec) -> Iterable[Path]:
    if spec.submodule_search_locations:
        return [Path(place).resolve() for place in spec.submodule_search_locations]
    return [Path(spec.origin).resolve().parent] if spec.origin and spec.has_location else []


class Reloader:
    """Calls ``on_change`` with the changed files, in a thread of its own, from `start` to `stop`.

    Changes during a call are one burst for the next one.

    Args:
        watched: folders, with all below them.
        left_out: a folder in which nothing counts.
        on_change: gets sorted paths.
        say: called with a line when files cannot be watched.
    """

    def __init__(
        self,
        watched: Sequence[Path],
        left_out: Path,
        on_change: Callable[[list[Path]], None],
        say: Callable[[str], None],
    ) -> None:
        self._watched = watched
        self._left_out = left_out.absolute()
        self._on_change = on_change
        self._say = say
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reloader", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Call no more; a call that is under way ends by itself."""
        self._enough.set()

    def _run(self) -> None:
        try:
            for changes in watch(
                *self._watched, watch_filter=self._counts, step=QUIET_MS, stop_event=self._enough
            ):
                self._on_change(sorted({Path(path) for _, path in changes}))
        except (OSError, RuntimeError) as error:  # of the system (too many folders, say), and of watchfiles
            self._say(f"Changes are watched no more: {error}")

    def _counts(self, _: Change, name: str) -> bool:
        path = Path(name)
        if path.suffix != ".py" or path.is_relative_to(self._left_out):
            return False
        root = next((folder for folder in self._watched if path.is_relative_to(folder)), path.parent)
        return not any(part.startswith(".") or part in _LEFT_OUT for part in path.relative_to(root).parts)
