"""The console at a terminal, beside a service with a worker of its own: the live view, bars, lines that follow."""

import contextlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal import ALTERNATE, Terminal, environment_of
from tests.up.service import COMMAND, HERE, RunningService
from tests.waiting import wait_until

Open = Callable[..., contextlib.AbstractContextManager[Terminal]]


@pytest.fixture
def environment(service: RunningService) -> dict[str, str]:
    """That finds the service."""
    return environment_of(
        JOBS_DATA_DIR=service.folder / "data", JOBS_ACTOR_MODULES="waiting_actor", PYTHONPATH=HERE
    )


@pytest.fixture
def at_terminal(environment: dict[str, str]) -> Open:
    """Runs ``worker-service`` at a terminal."""

    def at_terminal(*arguments: str, **size: int) -> Terminal:
        return Terminal([COMMAND, *arguments], environment, **size)

    return at_terminal


@pytest.fixture
def waiting_job(service: RunningService, tmp_path: Path) -> Iterator[str]:
    """The id of a job that runs until the end of the test."""
    path = service.submit("wait_for_file", path=str(tmp_path / "go"))
    service.wait_for_state(path, "running")
    yield path.rpartition("/")[2]
    (tmp_path / "go").touch()
    service.wait_for_state(path, "succeeded")


def scheduled_jobs(service: RunningService, number: int) -> None:
    """So many jobs that wait for their time."""
    items = [{"actor": "add", "args": {"x": 1, "y": each}, "delay_ms": 3_600_000} for each in range(number)]
    for begin in range(0, number, 5000):
        service.http.post("/v1/jobs:batch", json=items[begin : begin + 5000]).raise_for_status()


@contextlib.contextmanager
def paused(service: RunningService, queue: str) -> Iterator[None]:
    """While no job of a queue is started."""
    service.http.post(f"/v1/queues/{queue}/pause", json={"reason": "a test"}).raise_for_status()
    try:
        yield
    finally:
        service.http.post(f"/v1/queues/{queue}/resume").raise_for_status()


class TestTop:
    def test_it_shows_what_runs_and_leaves_the_terminal_as_it_was(
        self, at_terminal: Open, service: RunningService, waiting_job: str
    ):
        with at_terminal("top", "--interval-ms", "200") as terminal:
            terminal.wait_for(waiting_job)
            assert ALTERNATE in terminal.raw
            begun = len(terminal.raw)
            for number in range(20):
                service.submit("add", x=1, y=number)
            wait_until(lambda: re.search(r"succeeded +[1-9]", terminal.text(begun)), message="no throughput")
            terminal.type("q")
            assert terminal.end() == 0
            assert terminal.is_restored

    @pytest.mark.parametrize(("end", "code"), [("\x03", 130), ("SIGTERM", 143)])
    def test_however_it_ends_the_terminal_is_as_it_was(self, at_terminal: Open, end: str, code: int):
        with at_terminal("top") as terminal:
            terminal.wait_for("q quit")
            if end == "SIGTERM":
                terminal.interrupt()
            else:
                terminal.type(end)
            assert terminal.end() == code
            assert terminal.is_restored
            assert "Traceback" not in terminal.text()

    def test_another_size_of_the_window_is_painted_at_once(
        self, at_terminal: Open, environment: dict[str, str]
    ):
        environment |= {"COLUMNS": "150", "LINES": "40"}  # as a shell exports them
        with at_terminal("top", "--interval-ms", "60000", columns=150, rows=40) as terminal:
            terminal.wait_for("q quit")
            before = len(terminal.raw)
            terminal.resize(80, 20)
            terminal.wait_for("q quit", since=before, timeout=5)
            last = terminal.text().rpartition("queued ")[2]
            assert len(last.splitlines()) <= 20
            terminal.type("q")
            assert terminal.end() == 0

    def test_p_pauses_it_and_p_lets_it_go_on(self, at_terminal: Open):
        with at_terminal("top", "--interval-ms", "200") as terminal:
            terminal.wait_for("q quit")
            terminal.type("p")
            terminal.wait_for("paused")
            before = len(terminal.raw)
            terminal.type("p")
            wait_until(lambda: "q quit" in terminal.text(before) and "paused" not in terminal.text(before))
            terminal.type("q")
            assert terminal.end() == 0

    def test_terminal_that_cannot_move_its_cursor_gets_lines(
        self, at_terminal: Open, environment: dict[str, str]
    ):
        environment |= {"TERM": "dumb", "PYTHONIOENCODING": "ascii"}
        with at_terminal("top", "--interval-ms", "200") as terminal:
            terminal.wait_for("schedulers")
            again = len(terminal.raw)
            terminal.wait_for("schedulers", since=again)
            assert "\x1b" not in terminal.raw
            terminal.type("\x03")
            assert terminal.end() == 130
            assert "Traceback" not in terminal.text()

    def test_without_a_terminal_it_prints_again_and_again(self, environment: dict[str, str]):
        command = [str(COMMAND), "top", "--interval-ms", "200"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout
            heads = 0
            while heads < 2:
                line = running.stdout.readline()
                assert "\x1b" not in line
                heads += "queued" in line and "workers" in line
            running.terminate()


class TestBars:
    def test_bar_shows_why_it_waits_then_how_many_and_how_fast(
        self, at_terminal: Open, service: RunningService
    ):
        scheduled_jobs(service, 1000)
        with (
            paused(service, "service"),
            at_terminal("jobs", "cancel", "--actor", "add", "--state", "scheduled") as terminal,
        ):
            terminal.wait_for("a test")
            service.http.post("/v1/queues/service/resume").raise_for_status()
            terminal.wait_for("1000 of 1000 jobs.")
            assert terminal.end() == 0
            assert re.search(r"1000 of 1000 done .*100% [\d,]+ jobs/s", terminal.text())
            assert terminal.is_restored

    def test_programs_see_no_bar(self, service: RunningService, environment: dict[str, str]):
        scheduled_jobs(service, 10)
        command = [str(COMMAND), "jobs", "cancel", "--actor", "add", "--state", "scheduled"]
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert (found.stdout, found.stderr) == ("10 of 10 jobs.\n", "")

    def test_ctrl_c_says_that_the_work_goes_on(self, at_terminal: Open, service: RunningService):
        scheduled_jobs(service, 2)
        with (
            paused(service, "service"),
            at_terminal("jobs", "cancel", "--actor", "add", "--state", "scheduled") as terminal,
        ):
            terminal.wait_for("a test")
            terminal.type("\x03")
            assert terminal.end() == 130
            assert terminal.is_restored
            (id,) = re.findall(r"The work goes on, in the job ([0-9a-f-]{36})\.", terminal.text())
            assert f"worker-service jobs tail {id}" in terminal.text()
        service.wait_for_state(f"/v1/jobs/{id}", "succeeded")

    def test_very_many_ticks_have_a_bar(self, at_terminal: Open, service: RunningService):
        body = {"actor": "add", "args": {"x": 1, "y": 2}, "cron": "* * * * *"}
        service.http.put("/v1/schedules/often", json=body).raise_for_status()
        span = ("2026-01-31T00:00:00Z", "2026-01-31T18:00:00Z")
        with at_terminal("schedules", "backfill", "often", *span, "--all") as terminal:
            assert terminal.end(timeout=30) == 0
            assert re.search(r"1,081 ticks .*100%", terminal.text())
            assert terminal.is_restored
        service.http.delete("/v1/schedules/often").raise_for_status()

    def test_one_job_that_is_waited_for_has_a_bar_too(
        self, at_terminal: Open, service: RunningService, tmp_path: Path
    ):
        with at_terminal("submit", "wait_for_file", f"path={tmp_path / 'go'}", "--wait") as terminal:
            terminal.wait_for("running")
            (tmp_path / "go").touch()
            terminal.wait_for("succeeded")
            assert terminal.end() == 0
            assert terminal.is_restored


def test_tail_follows_all_jobs(at_terminal: Open, service: RunningService, waiting_job: str, tmp_path: Path):
    with at_terminal("jobs", "tail", "--state", "succeeded", "--state", "cancelled") as terminal:
        # It tells of what comes after its first look, of which it says nothing: so jobs come until it tells of one.
        wait_until(
            lambda: service.submit("add", x=1, y=2) and "succeeded  add  default" in terminal.text(),
            timeout=20,
            message="no line of a job",
        )
        (tmp_path / "go").touch()
        terminal.wait_for(f"succeeded  wait_for_file  default  {waiting_job}")
        assert "running" not in terminal.text()
        terminal.type("\x03")
        assert terminal.end() == 130


def test_tail_for_programs_has_a_json_object_a_line(service: RunningService, environment: dict[str, str]):
    command = [str(COMMAND), "jobs", "tail", "--json", "--actor", "add"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        lines: list[str] = []
        wait_until(
            lambda: service.submit("add", x=1, y=2) and _has_line(running, lines),
            timeout=20,
            message="no line",
        )
        found = json.loads(lines[0])
        assert found["data"]["actor"] == "add"
        assert found["event"] == found["data"]["state"]
        running.terminate()


def _has_line(running: "subprocess.Popen[str]", lines: list[str]) -> bool:
    import select

    assert running.stdout
    if select.select([running.stdout], [], [], 0)[0]:
        lines.append(running.stdout.readline())
    return bool(lines)
