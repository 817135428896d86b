"""docs/from-celery.md, as a team reads it: every block of our side is so."""

import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.up import from_celery as page
from tests.up.service import PROGRAMS, RunningService
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("from_celery")

LASTING, ENDING = page.commands()
THREADS_OF_UP = 8


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The service in a team's folder, with the actors of the page."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "my").mkdir()
    (folder / "my" / "__init__.py").touch()
    (folder / "my" / "tasks.py").write_text(page.module())
    running = RunningService(folder, cwd=folder, JOBS_ACTOR_MODULES="my.tasks")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


def environment(service: RunningService) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "REDIS_"))}
    return {
        **own,
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "PYTHONPATH": str(service.folder),
        "JOBS_DATA_DIR": str(service.folder / "data"),
        "JOBS_ACTOR_MODULES": "my.tasks",
    }


def test_every_block_has_a_side_and_those_of_celery_are_python_too():
    assert {block.side for block in page.blocks()} == {"Celery", "Here"}
    theirs = [block for block in page.blocks() if (block.side, block.language) == ("Celery", "python")]
    assert len(theirs) >= 10
    for block in theirs:
        compile(block.text, str(page.PAGE), "exec")


def test_python_does_what_it_says_and_so_do_commands(service: RunningService):
    script = page.script(str(service.http.base_url))
    assert script.count("\nexpect(") >= 15
    for line in ENDING:
        words = shlex.split(line.replace(" ID", " {later.message_id}"))[1:]
        asks_whether_all_is_well = words == ["alerts"]  # it is not: a job of this page is dead
        codes = (0, 1) if asks_whether_all_is_well else (0,)
        script += f"\ncommand({', '.join(f'f{word!r}' for word in words)}, codes={codes})"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=service.folder,
        env=environment(service),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_processes_start_as_their_lines_say(service: RunningService):
    workers = [line for line in LASTING if "scheduler" not in line]
    wanted = Counter({THREADS_OF_UP: 1})
    for line in workers:
        wanted[number(line, "threads", 8)] += number(line, "processes", 1)

    def there() -> bool:
        found = Counter(each["threads"] for each in service.http.get("/v1/workers").json()["items"])
        schedulers = service.http.get("/v1/stats").json()["schedulers"]
        return found == wanted and schedulers == 1 + len(LASTING) - len(workers)

    started = [
        subprocess.Popen(
            ["sh", "-c", re.sub(r"^((\w+=\S+ )*)", r"\1exec ", line)],
            cwd=service.folder,
            env=environment(service),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for line in LASTING
    ]
    try:
        wait_until(there, timeout=60, message=f"not all are there of {LASTING}")
    finally:
        for each in started:
            each.terminate()
        assert [each.wait(30) for each in started] == [0] * len(LASTING)


def number(line: str, option: str, otherwise: int) -> int:
    found = re.search(rf"--{option} (\d+)", line)
    return int(found[1]) if found else otherwise


def test_old_name_forwards_once_however_often_celery_delivers_it(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
):
    def shared_task(**options: Any) -> Any:
        request = SimpleNamespace(request=SimpleNamespace(id="a-task-of-celery"))
        return lambda function: lambda *args: function(request, *args)

    celery = ModuleType("celery")
    celery.shared_task = shared_task  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "celery", celery)
    (forwarding,) = [block.text for block in page.blocks() if "idempotency_key=self.request.id" in block.text]
    names: dict[str, Any] = {}
    exec(forwarding.replace(page.USUAL_URL, str(service.http.base_url)), names)

    with names["client"]:
        for _ in range(2):
            names["multiply"](20, 30)

    jobs = service.http.get("/v1/jobs", params={"arg": "x:20"}).json()["items"]
    assert len(jobs) == 1
    service.wait_for_state(f"/v1/jobs/{jobs[0]['id']}", "succeeded")
