"""`up --reload`: a changed Python file restarts web, worker and scheduler."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.up.service import RunningService
from tests.waiting import wait_until

Start = Callable[..., RunningService]

ACTORS = """
import time
from pathlib import Path
from worker_service import actor

@actor
def version(path: str = "") -> str:
    while path and not Path(path).exists():
        time.sleep(0.01)
    return "one"
"""


def changes(service: RunningService) -> int:
    return service.output().count("changed; restarting.")


def answer(service: RunningService) -> object:
    """What the actor answers now; None while web is being restarted."""
    try:
        return service.wait_for_state(service.submit("version"), "succeeded", timeout=20)["result"]
    except httpx2.TransportError:
        return None


@pytest.mark.soak
def test_changes_restart_all_once_and_broken_ones_nothing(start: Start, tmp_path: Path):
    source = tmp_path / "versions.py"
    source.write_text(ACTORS)
    service = start(arguments=("up", "--reload"), cwd=tmp_path, JOBS_ACTOR_MODULES="versions")
    service.wait_until_ready()
    parts = ("-m scheduler", "-m granian", "-m dramatiq")
    before = {pid for pid, command in service.processes().items() if any(part in command for part in parts)}

    running = service.submit("version", path=str(tmp_path / "go"))
    service.wait_for_state(running, "running")
    for name in ("first.py", "second.py", "third.py", "notes.txt"):
        (tmp_path / name).touch()
    source.write_text(ACTORS.replace("one", "two"))
    wait_until(lambda: changes(service) == 1, timeout=20)
    (tmp_path / "go").touch()
    wait_until(lambda: not before & set(service.processes()), timeout=20, message="old processes are left")
    wait_until(service.is_ready, timeout=20)
    assert answer(service) == "two"
    job = service.job(running)
    assert (job["result"], [each["outcome"] for each in job["attempts"]]) == ("one", ["complete"])
    assert changes(service) == 1

    source.write_text(ACTORS.replace("one", "three") + "def broken(:\n")
    wait_until(lambda: "SyntaxError: invalid syntax (versions.py:" in service.output(), timeout=20)
    assert answer(service) == "two"
    assert changes(service) == 1

    source.write_text(ACTORS.replace("one", "four"))
    wait_until(lambda: changes(service) == 2, timeout=20)
    wait_until(lambda: answer(service) == "four", timeout=20)
