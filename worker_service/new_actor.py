"""`worker-service new-actor`: the files of an actor in a team's own project, ready to be tested and run."""

import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

FOLDER = "tasks"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TAKEN = {"actors"}

_FUNCTION = '''"""The work of the job {name}: plain Python, which knows no queue."""


def {name}(name: str) -> str:
    """Your work here. A job may run again after it was done, so do what may be done twice, or see `once`."""
    return f"{name}: {{name}}"
'''

_ACTOR = '''"""The actor of the job {name}: what it is called with, and how its jobs run."""

from worker_service import actor

from ..{name} import {name} as _{name}


@actor(max_attempts=5)
def {name}(name: str) -> str:
    """What one job does, for people who look at the dashboard."""
    return _{name}(name)
'''

_TEST = '''"""The job {name}. The fixture `jobs` keeps what is sent in memory: no Redis, no worker."""

from {package}.actors.{name} import {name}


def test_job_does_its_work(jobs):
    {name}.send("Ann")
    jobs.assert_enqueued({name}, {{"name": "Ann"}})
    jobs.drain()
    assert jobs.one({name}).result == "{name}: Ann"


def test_job_whose_worker_is_killed_runs_again(jobs):
    {name}.send("Ann")
    jobs.crash(after={name})
    assert jobs.drain() == {{"crash": 1, "complete": 1}}
'''

_PACKAGE = '"""What this project does in the background."""\n'

_ACTORS = '''"""The actors of this project, for JOBS_ACTOR_MODULES: all modules of this folder."""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
'''

_CONFTEST = '"""Where pytest finds this file it finds the packages beside it."""\n'


class CannotWrite(Exception):
    """Raised when no actor can be written as asked; nothing was. Says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What there is now.

    Attributes:
        files: that were written.
        module: for JOBS_ACTOR_MODULES.
        to_add: a file that was there, to which a line has to be added by hand; None when all is done.
    """

    files: list[Path]
    module: str
    to_add: Path | None


def new_actor(project: Path, name: str, folder: Path | None, known: Collection[str]) -> Written:
    """Write a function, its actor and its test.

    Args:
        project: folder of the project.
        name: of the actor.
        folder: of the package that it comes into; by default ``tasks`` in the only package of the project, or by
            itself.
        known: names of actors that are there.

    Raises:
        CannotWrite: the name or the folder cannot be used, or a file is there.
    """
    _check_name(name, known)
    root, place = _place(project, folder)
    package = ".".join(place.parts)
    texts = {
        root / place / f"{name}.py": _FUNCTION.format(name=name),
        root / place / "actors" / f"{name}.py": _ACTOR.format(name=name),
        project / "tests" / f"test_{name}.py": _TEST.format(name=name, package=package),
    }
    there = [path for path in texts if path.exists()]
    if there:
        raise CannotWrite(
            f"{_shown(there[0], project)} is there, and is not overwritten. Choose another name."
        )
    actors = root / place / "actors" / "__init__.py"
    to_add = actors if actors.exists() and "iter_modules" not in actors.read_text() else None
    around = {path / "__init__.py": _PACKAGE for path in _packages(root, place)} | {actors: _ACTORS}
    if root == project:
        around[project / "conftest.py"] = _CONFTEST
    texts |= {path: text for path, text in around.items() if not path.exists()}
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            file.write(text)
    return Written(sorted(texts), f"{package}.actors", to_add)


def _check_name(name: str, known: Collection[str]) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in _TAKEN:
        likely = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
        usable = _NAME.fullmatch(likely) and not keyword.iskeyword(likely) and likely not in _TAKEN
        hint = f" Did you mean {likely!r}?" if usable else ""
        raise CannotWrite(
            f"{name!r} cannot be the name of a function here: use small letters, digits and _, a letter first, "
            f"such as send_invoice.{hint}"
        )
    if name in known:
        raise CannotWrite(f"There is an actor {name!r} already. Choose another name.")


def _place(project: Path, folder: Path | None) -> tuple[Path, Path]:
    """The folder that imports begin in, and that of the package below it."""
    if folder is not None:
        names = folder.parts[1:] if folder.parts[:1] == ("src",) else folder.parts
        if not names or not all(name.isidentifier() for name in names):
            raise CannotWrite(f"{folder} cannot be a package: name a folder of this one, such as shop/tasks.")
        root, place = project if names == folder.parts else project / "src", Path(*names)
    else:
        root, place = _usual_place(project)
    if (root / place).with_suffix(".py").exists():
        raise CannotWrite(
            f"{place}.py is there, which a folder of this name would hide. Name another one: --in {place}_jobs"
        )
    return root, place


def _usual_place(project: Path) -> tuple[Path, Path]:
    for root in (project, project / "src"):
        if not root.is_dir():
            continue
        packages = [path.parent.name for path in root.glob("*/__init__.py") if path.parent.name != "tests"]
        if FOLDER in packages:
            return root, Path(FOLDER)
        if len(packages) == 1:
            return root, Path(packages[0], FOLDER)
        if packages:
            raise CannotWrite(
                f"There are several packages: {', '.join(sorted(packages))}. Say which: --in {min(packages)}/{FOLDER}"
            )
    return project, Path(FOLDER)


def _packages(root: Path, place: Path) -> list[Path]:
    return [root / path for path in (place, *place.parents) if path.parts]


def _shown(path: Path, project: Path) -> str:
    return str(path.relative_to(project))
