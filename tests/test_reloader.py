"""What counts as a change of source, and where it is looked for."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_until
from worker_service.reloader import Reloader, sources

Bursts = list[list[Path]]


@pytest.fixture
def bursts(tmp_path: Path) -> Iterator[Bursts]:
    """What a reloader over the temporary folder tells, its first change included."""
    for folder in (".venv/lib", ".git", "__pycache__", "data", "src/node_modules", "src/tasks"):
        (tmp_path / folder).mkdir(parents=True)
    told: Bursts = []
    reloader = Reloader([tmp_path], tmp_path / "data", told.append, print)
    reloader.start()

    def is_watching() -> bool:
        with (tmp_path / "probe.py").open("a") as probe:
            probe.write("#")
        return bool(told)

    wait_until(is_watching)
    yield told
    reloader.stop()


def test_only_python_files_outside_of_data_and_environments_count(bursts: Bursts, tmp_path: Path):
    for folder in (".venv/lib", ".git", "__pycache__", "data", "src/node_modules"):
        (tmp_path / folder / "module.py").touch()
    (tmp_path / "src/tasks/text.txt").touch()
    changed = tmp_path / "src/tasks/module.py"
    changed.touch()
    wait_until(lambda: any(changed in burst for burst in bursts))
    assert {path for burst in bursts for path in burst} == {tmp_path / "probe.py", changed}


def test_file_that_an_editor_puts_in_place_counts(bursts: Bursts, tmp_path: Path):
    changed = tmp_path / "src/tasks/module.py"
    (tmp_path / "unfinished.tmp").touch()
    (tmp_path / "unfinished.tmp").rename(changed)
    wait_until(lambda: any(changed in burst for burst in bursts))


def test_changes_together_are_one_burst(bursts: Bursts, tmp_path: Path):
    names = {tmp_path / f"src/tasks/module{number}.py" for number in range(50)}
    for name in names:
        name.touch()
    wait_until(lambda: any(names & set(burst) for burst in bursts))
    assert sum(1 for burst in bursts if names & set(burst)) == 1


def test_packages_elsewhere_are_watched_and_installed_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for folder in ("here/mine", "elsewhere/theirs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "single.py").touch()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(
        sys, "path", [*(str(tmp_path / name) for name in ("here", "elsewhere", "alone")), *sys.path]
    )
    found = sources(["mine.tasks", "theirs.tasks", "single", "dramatiq", "no_such"])
    assert found == [tmp_path / "here", tmp_path / "alone", tmp_path / "elsewhere/theirs"]
