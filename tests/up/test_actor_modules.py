"""An actor module that cannot be used: one clear line from `up`, `web`, `worker` and a worker started directly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.up.service import COMMAND, free_port

BROKEN = {
    "division": (
        "def helper():\n    return 1 / 0\n\nhelper()\n",
        """cannot be imported: ZeroDivisionError: division by zero (division.py:2)
  division.py:4 in <module>: helper()
  division.py:2 in helper: return 1 / 0""",
    ),
    "syntax": (
        "import os\ndef broken(:\n",
        "cannot be imported: SyntaxError: invalid syntax (syntax.py:2)\n  syntax.py:2: def broken(:",
    ),
    "library": (
        "import json\njson.loads('{')\n",
        "line 1 column 2 (char 1) (library.py:2)\n  library.py:2 in <module>: json.loads('{')",
    ),
    "uninstalled": (
        "import no_such_library\n",
        "cannot be imported: ModuleNotFoundError: No module named 'no_such_library' (uninstalled.py:1)",
    ),
    "exiting": ("import sys\nsys.exit(3)\n", "cannot be imported: SystemExit: 3 (exiting.py:2)"),
    "foreign": (
        """
import dramatiq
from dramatiq.brokers.stub import StubBroker
dramatiq.set_broker(StubBroker())
@dramatiq.actor
def lost(): ...
""",
        "actor 'lost' is on another broker (StubBroker) (foreign.py:5).\n  Declare it with",
    ),
    "duplicate": (
        "from worker_service import actor\n@actor\ndef add(): ...\n",
        "cannot be imported: ValueError: An actor named 'add' is already registered. (duplicate.py:2)",
    ),
    "option": (
        "from worker_service import actor\n@actor(max_retrys=3)\ndef mine(): ...\n",
        "Did you mean 'max_retries'? (option.py:2)",
    ),
}
CHECK = "from worker_service import registry; registry.check()"
WORKER = [sys.executable, "-m", "dramatiq", "worker_service.actors", "-p", "1", "-t", "1"]


def run(command: list[str | Path], folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "REDIS_"))}
    return subprocess.run(
        command,
        cwd=folder,
        env={**env, "JOBS_HTTP_PORT": str(free_port()), "JOBS_LOG_FORMAT": "console", **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("module", BROKEN)
def test_message_names_module_error_and_place(module: str, tmp_path: Path):
    source, message = BROKEN[module]
    (tmp_path / f"{module}.py").write_text(source)
    done = run([sys.executable, "-c", CHECK], tmp_path, JOBS_ACTOR_MODULES=module)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Actor module {module}")
    assert message in done.stderr
    assert "importlib" not in done.stderr


def test_up_says_it_once_before_anything_starts(tmp_path: Path):
    source, message = BROKEN["division"]
    (tmp_path / "division.py").write_text(source)
    done = run([COMMAND, "up"], tmp_path, JOBS_ACTOR_MODULES="division")
    assert done.returncode == 1
    assert done.stderr == f"Error: Actor module division {message}\n"
    assert done.stdout == ""


def test_module_without_actors_is_a_warning_and_a_package_whose_modules_have_some_is_none(tmp_path: Path):
    (tmp_path / "plain.py").write_text("def forgotten(): ...\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("import package.mine\n")
    (tmp_path / "package" / "mine.py").write_text(
        "from worker_service import actor\n@actor\ndef mine(): ...\n"
    )
    told = "from worker_service import registry; registry.load(); registry.tell_idle_modules()"
    done = run([sys.executable, "-c", told], tmp_path, JOBS_ACTOR_MODULES="plain,package")
    assert done.returncode == 0
    assert done.stderr == "plain of JOBS_ACTOR_MODULES declares no actor, and imports none.\n"


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        ("", "tells: on_success: No actor 'nobody'. There are: "),
        ("tell=mail", "JOBS_ROUTES: No actor 'tell'. Did you mean 'tells'?"),
    ],
)
def test_up_says_in_a_line_that_a_name_of_an_actor_is_wrong(routes: str, message: str, tmp_path: Path):
    source = "from worker_service import actor\n@actor(on_success='nobody')\ndef tells(): ...\n"
    (tmp_path / "telling.py").write_text(source)
    done = run([COMMAND, "up"], tmp_path, JOBS_ACTOR_MODULES="telling", JOBS_ROUTES=routes)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {message}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command", [[COMMAND, "web"], [COMMAND, "worker"], WORKER], ids=["web", "worker", "dramatiq"]
)
def test_processes_started_by_themselves_say_it_without_a_traceback(
    command: list[str | Path], tmp_path: Path
):
    source, message = BROKEN["division"]
    (tmp_path / "division.py").write_text(source)
    done = run(command, tmp_path, JOBS_ACTOR_MODULES="division")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert said.count(f"Actor module division {message}") == 1
    assert "Traceback" not in said
    assert "importlib" not in said


def test_missing_module_names_the_places_that_were_searched(tmp_path: Path):
    done = run([COMMAND, "up"], tmp_path, JOBS_ACTOR_MODULES="no_such_module")
    assert done.returncode == 1
    assert (
        "Error: Actor module no_such_module cannot be imported: ModuleNotFoundError: No module named "
        f"'no_such_module' (looked for in {tmp_path} and among the installed packages)"
    ) in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        WORKER,
        [
            sys.executable,
            "-m",
            "granian",
            "--interface",
            "wsgi",
            "--factory",
            "worker_service.web:create_app",
        ],
    ],
    ids=["dramatiq", "granian"],
)
def test_wrong_setting_is_one_message_when_dramatiq_or_granian_are_started_directly(
    command: list[str | Path], tmp_path: Path
):
    port = ["--port", str(free_port())] if "granian" in command else []
    done = run([*command, *port], tmp_path, JOBS_LEASE_MS="soon")
    assert done.returncode == 1
    assert done.stderr.count("The settings are wrong.\nJOBS_LEASE_MS: Input should be a valid integer") == 1
    assert "Traceback" not in done.stderr


def test_commands_of_the_console_find_a_module_in_the_folder_where_they_are_called(tmp_path: Path):
    (tmp_path / "here.py").write_text("from worker_service import actor\n@actor\ndef mine(): ...\n")
    done = run([COMMAND, "openapi"], tmp_path, JOBS_ACTOR_MODULES="here")
    assert done.returncode == 0, done.stderr
    assert '"mine"' in done.stdout
