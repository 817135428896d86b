"""`worker-service new-actor`: what it writes where. That it runs is shown in tests/process/test_ways_in.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from worker_service.new_actor import CannotWrite, Written, new_actor

Write = Callable[..., Written]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return lambda name="greet", folder=None: new_actor(tmp_path, name, folder and Path(folder), {"add"})


def shown(written: Written, project: Path) -> list[str]:
    return [str(path.relative_to(project)) for path in written.files]


def test_empty_folder_becomes_a_project(write: Write, tmp_path: Path):
    written = write()
    assert written.module == "tasks.actors"
    assert shown(written, tmp_path) == [
        "conftest.py",
        "tasks/__init__.py",
        "tasks/actors/__init__.py",
        "tasks/actors/greet.py",
        "tasks/greet.py",
        "tests/test_greet.py",
    ]


def test_second_actor_leaves_what_is_there(write: Write, tmp_path: Path):
    write()
    (tmp_path / "conftest.py").write_text("mine = 1\n")
    assert shown(write("part"), tmp_path) == ["tasks/actors/part.py", "tasks/part.py", "tests/test_part.py"]
    assert (tmp_path / "conftest.py").read_text() == "mine = 1\n"


@pytest.mark.parametrize("root", ["", "src/"])
def test_actor_comes_into_the_package_of_the_project(write: Write, tmp_path: Path, root: str):
    for package in (f"{root}shop", "tests"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
    written = write()
    assert written.module == "shop.tasks.actors"
    assert f"{root}shop/tasks/greet.py" in shown(written, tmp_path)
    assert "from shop.tasks.actors.greet import greet" in (tmp_path / "tests/test_greet.py").read_text()


def test_folder_can_be_named(write: Write, tmp_path: Path):
    assert write(folder="src/shop/later").module == "shop.later.actors"
    assert (tmp_path / "src/shop/later/actors/greet.py").exists()


def test_what_imports_no_modules_by_itself_is_named(write: Write, tmp_path: Path):
    (tmp_path / "tasks/actors").mkdir(parents=True)
    (tmp_path / "tasks/actors/__init__.py").write_text("from . import other\n")
    assert write().to_add == tmp_path / "tasks/actors/__init__.py"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("send-Mail", "Did you mean 'send_mail'"),
        ("sendMail", "Did you mean 'send_mail'"),
        ("class", "use small letters"),
        ("../greet", "Did you mean 'greet'"),
        ("1st", "use small letters"),
        ("actors", "use small letters"),
        ("", "use small letters"),
        ("add", "There is an actor 'add' already"),
    ],
)
def test_name_that_cannot_be_used_is_refused(write: Write, tmp_path: Path, name: str, hint: str):
    with pytest.raises(CannotWrite, match=hint):
        write(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", ["tasks/greet.py", "tasks/actors/greet.py", "tests/test_greet.py"])
def test_file_that_is_there_stays_and_nothing_is_written(write: Write, tmp_path: Path, taken: str):
    (tmp_path / taken).parent.mkdir(parents=True)
    (tmp_path / taken).write_text("mine")
    with pytest.raises(CannotWrite, match=f"{taken} is there"):
        write()
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.py")] == [taken]
    assert (tmp_path / taken).read_text() == "mine"


def test_module_that_the_folder_would_hide_is_named(write: Write, tmp_path: Path):
    (tmp_path / "tasks.py").write_text("mine")
    with pytest.raises(CannotWrite, match=r"tasks\.py is there, .* --in tasks_jobs"):
        write()


def test_of_several_packages_one_has_to_be_named(write: Write, tmp_path: Path):
    for package in ("shop", "web"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    with pytest.raises(CannotWrite, match="--in shop/tasks"):
        write()


@pytest.mark.parametrize("folder", ["/tmp/x", "../x", "my-shop", ".", "src"])
def test_folder_that_is_no_package_is_refused(write: Write, folder: str):
    with pytest.raises(CannotWrite):
        write(folder=folder)
