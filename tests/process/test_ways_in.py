"""A team's own actors: from an empty folder, with the installed wheel, by each of the ways in."""

import os
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_until
from worker_service.jobs.states import State
from worker_service.settings import Settings
from worker_service.store import Queries, connect

ROOT = Path(__file__).parents[2]

OWN_TASKS = """
from worker_service import actor


@actor
def greet(name: str) -> str:
    return f"hello {name}"


if __name__ == "__main__":
    print(greet.send("world").message_id)
"""

PLAIN_DRAMATIQ_TASKS = OWN_TASKS.replace("from worker_service import actor", "from dramatiq import actor")

PERIODIC_TASKS = """
from datetime import timedelta
from pathlib import Path

from dramatiq import actor


@actor(every=timedelta(milliseconds=200), queue_name="mine")
def tidy():
    with Path("ran").open("a") as file:
        file.write("x")
"""

FOREIGN_TASKS = """
import dramatiq
from dramatiq.brokers.stub import StubBroker


@dramatiq.actor(broker=StubBroker())
def lost():
    pass
"""


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the built wheel of this project; the rest comes from the one we run in."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = (folder / "dist").glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    [site] = (folder / "venv").glob("lib/python*/site-packages")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--no-index",
            "--target",
            str(site),
            str(wheel),
        ],
        check=True,
        capture_output=True,
    )
    [ours] = {path for path in sys.path if path.endswith("site-packages") and sys.prefix in path}
    (site / "dependencies.pth").write_text(f"{ours}\n")
    return folder / "venv" / "bin" / "python"


class Project:
    """An empty folder of a team, and commands run in it."""

    def __init__(self, folder: Path, python: Path, env: dict[str, str]) -> None:
        self.folder, self.python, self.env = folder, python, env
        self.started: list[subprocess.Popen[bytes]] = []

    def start_worker(self, module: str, **env: str) -> subprocess.Popen[bytes]:
        return self.start("worker.log", "dramatiq", module, "-p", "1", "-t", "2", **env)

    def start(self, log_name: str, *module: str, **env: str) -> subprocess.Popen[bytes]:
        with (self.folder / log_name).open("ab") as log:
            process = subprocess.Popen(
                [self.python, "-m", *module],
                cwd=self.folder,
                env={**self.env, **env},
                stdout=log,
                stderr=log,
            )
        self.started.append(process)
        return process

    def run(self, *arguments: str, **env: str) -> str:
        done = subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            check=True,
            capture_output=True,
        )
        return done.stdout.decode().strip()


@pytest.fixture
def project(installed: Path, redis_url: str, namespace: str, tmp_path: Path) -> Iterator[Project]:
    folder = tmp_path / "empty"
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "PYTHON"))}
    made = Project(folder, installed, {**kept, "JOBS_REDIS_URL": redis_url, "JOBS_NAMESPACE": namespace})
    yield made
    for process in made.started:
        process.terminate()
        process.wait(20)


@pytest.fixture
def result_of(redis_url: str, namespace: str) -> Iterator[Callable[[str], object]]:
    client = connect(Settings(redis_url=redis_url).redis_url)
    reads = Queries(client, namespace)

    def result(id: str) -> object:
        wait_until(lambda: reads.state(id) == State.SUCCEEDED, timeout=20)
        job = reads.job(id)
        assert job is not None
        return job.result

    yield result
    client.close()


def test_the_wheel_is_what_runs(project: Project) -> None:
    where = project.run("-c", "import worker_service; print(worker_service.__file__)")
    assert str(ROOT) not in where


def test_the_wheel_has_the_pages_and_what_they_load(project: Project) -> None:
    ask = "from worker_service.web import create_app; client = create_app().test_client(); "
    ask += "print(*(client.get(path).status_code for path in ('/', '/static/css/tokens.css', '/static/icon.svg')))"
    assert project.run("-c", ask) == "200 200 200"


def test_dramatiq_runs_a_module_that_imports_our_actor(
    project: Project, result_of: Callable[[str], object]
) -> None:
    (project.folder / "my").mkdir()
    (project.folder / "my" / "tasks.py").write_text(OWN_TASKS)
    project.start_worker("my.tasks")
    assert result_of(project.run("-m", "my.tasks")) == "hello world"


@pytest.mark.parametrize(
    "tasks", [OWN_TASKS, PLAIN_DRAMATIQ_TASKS], ids=["our actor", "plain dramatiq.actor"]
)
def test_the_service_imports_the_modules_it_is_told(
    project: Project, result_of: Callable[[str], object], tasks: str
) -> None:
    (project.folder / "tasks.py").write_text(tasks)
    project.start_worker("worker_service.actors", JOBS_ACTOR_MODULES="tasks")
    send = "from worker_service.registry import load; load(); import tasks; print(tasks.greet.send('world').message_id)"
    assert result_of(project.run("-c", send, JOBS_ACTOR_MODULES="tasks")) == "hello world"


def test_the_scheduler_fires_an_actor_that_says_how_often(project: Project) -> None:
    (project.folder / "tasks.py").write_text(PERIODIC_TASKS)
    project.start("scheduler.log", "scheduler", JOBS_ACTOR_MODULES="tasks")
    project.start_worker("worker_service.actors", JOBS_ACTOR_MODULES="tasks")

    ran = project.folder / "ran"
    wait_until(lambda: ran.exists() and len(ran.read_text()) >= 3, timeout=20)
    where = project.run("-c", "import scheduler; print(scheduler.__file__)")
    assert str(ROOT) not in where


def test_a_new_actor_is_tested_and_runs_as_it_was_written(
    project: Project, result_of: Callable[[str], object]
) -> None:
    said = project.run("-m", "worker_service.cli", "new-actor", "greet")
    assert "JOBS_ACTOR_MODULES=tasks.actors" in said
    others = [word for name in ("cloudcoil", "schemathesis", "valkey") for word in ("-p", f"no:{name}")]
    assert "2 passed" in project.run("-m", "pytest", "-W", "error", *others)
    project.start_worker("worker_service.actors", JOBS_ACTOR_MODULES="tasks.actors")
    send = "from tasks.actors.greet import greet; print(greet.send('Ann').message_id)"
    assert result_of(project.run("-c", send)) == "greet: Ann"


def test_own_modules_may_import_built_in_actors_and_each_other_in_any_order(project: Project) -> None:
    (project.folder / "first.py").write_text(f"from worker_service.actors import add\n{OWN_TASKS}")
    second = (
        "from worker_service.actors import add\nfrom first import greet\nfrom worker_service import actor\n"
    )
    (project.folder / "second.py").write_text(f"{second}\n@actor\ndef other(): ...\n")
    ask = "import first; from worker_service import registry; print(*{'greet', 'other'} - {*registry.load().actors})"
    assert project.run("-c", ask, JOBS_ACTOR_MODULES="second,first", JOBS_ROUTES="greet=mine") == ""


def test_an_actor_on_another_broker_stops_the_start_with_its_name(project: Project) -> None:
    (project.folder / "tasks.py").write_text(FOREIGN_TASKS)
    process = project.start_worker("worker_service.actors", JOBS_ACTOR_MODULES="tasks")
    assert process.wait(20) != 0
    log = (project.folder / "worker.log").read_text()
    assert "Actor module tasks: actor 'lost' is on another broker (StubBroker) (tasks.py:" in log
    assert "from worker_service import actor" in log


def test_importing_the_package_loads_neither_dramatiq_nor_flask(project: Project) -> None:
    loaded = project.run("-c", "import worker_service, sys; print(*sorted(sys.modules))").split()
    assert not {"dramatiq", "flask", "redis", "pydantic"} & set(loaded)


def test_a_worker_that_does_not_know_an_actor_leaves_its_jobs_to_one_that_does(
    project: Project, result_of: Callable[[str], object]
) -> None:
    (project.folder / "tasks.py").write_text(OWN_TASKS)
    (project.folder / "others.py").write_text(OWN_TASKS.replace("greet", "part"))
    project.start_worker("others")
    ids = [project.run("-m", "tasks") for _ in range(3)]
    project.start_worker("tasks")
    assert [result_of(id) for id in ids] == ["hello world"] * 3


def test_a_route_for_an_unknown_actor_stops_the_start_with_the_nearest_name(project: Project) -> None:
    process = project.start_worker("worker_service.actors", JOBS_ROUTES="ad=math")
    assert process.wait(20) != 0
    log = (project.folder / "worker.log").read_text()
    assert "JOBS_ROUTES: No actor 'ad'. Did you mean 'add'?" in log
