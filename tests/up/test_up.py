"""``worker-service up``: the way of a job through all of it, and every way in which it ends."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.up.service import RunningService
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="finds processes through /proc"
)

Start = Callable[..., RunningService]
README = (Path(__file__).parents[2] / "README.md").read_text()
PAGE = "<h1>A page</h1>"


@pytest.fixture
def page_url() -> Iterator[str]:
    """Address of a page on a server of this process."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def worker_pid(service: RunningService) -> int:
    """The process that runs the jobs: the one whose child is the keeper."""

    keeper = next(pid for pid, command in service.processes().items() if "broker.keeper" in command)
    return int(Path(f"/proc/{keeper}/stat").read_text().rpartition(")")[2].split()[1])


def id_from_printed_command(service: RunningService, **settings: str) -> str:
    """Paste the printed command into a shell that has these settings."""
    command = next(
        line for line in service.output().splitlines() if line.startswith("  curl") and "-d" in line
    )
    answer = subprocess.run(
        command, shell=True, env={**os.environ, **settings}, capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r'"id":"([^"]+)"', answer)
    assert found, answer
    return found[1]


@pytest.mark.xdist_group("one service for all of them")
class TestRunning:
    def test_posted_job_is_run_and_read_back(self, service: RunningService):
        job = service.wait_for_state(service.submit("add", x=2, y=3), "succeeded")
        assert job["result"] == 5

    def test_printed_command_works_as_pasted(self, service: RunningService):
        path = f"/v1/jobs/{id_from_printed_command(service)}"
        assert service.wait_for_state(path, "succeeded")["result"] == 5

    @pytest.mark.parametrize("setting", ["JOBS_ADMIN_KEY", "JOBS_ADMIN_KEY_FILE"])
    def test_printed_command_finds_the_key_but_does_not_show_it(
        self, start: Start, tmp_path: Path, setting: str
    ):
        key, file = "a-key-for-this-test", tmp_path / "the key"
        file.write_text(f"{key}\n")
        given = {setting: str(file) if setting.endswith("_FILE") else key}
        service = start(**given)
        service.wait_until_ready()
        assert id_from_printed_command(service, **given)
        assert key not in service.output()

    def test_printed_link_signs_a_browser_in_once(self, start: Start):
        service = start(JOBS_ADMIN_KEY="a-key-for-this-test")
        service.wait_until_ready()
        link = wait_until(lambda: re.search(r"http://\S+(/login\?code=(\S+))", service.output()))
        assert link
        assert service.http.get("/", headers={"Accept": "text/html"}).status_code == 303
        assert link[2] in service.http.get(link[1]).text
        assert service.http.post("/login", data={"code": link[2]}).status_code == 303
        assert service.http.get("/").status_code == 200  # the client keeps the cookie
        assert service.http.post("/login", data={"code": link[2]}).status_code == 401

    def test_without_keys_no_link_is_printed(self, service: RunningService):
        assert "/login" not in service.output()

    def test_page_on_this_machine_is_not_fetched_unless_that_is_allowed(
        self, service: RunningService, page_url: str
    ):
        job = service.wait_for_state(service.submit("fetch_remote", url=page_url), "dead")
        assert job["reason"] == "permanent_error"
        assert "JOBS_OUTBOUND_ALLOW=127.0.0.1" in job["error"]["message"]

    def test_page_is_fetched_and_read_back(self, start: Start, page_url: str):
        service = start(JOBS_OUTBOUND_ALLOW="127.0.0.1")
        service.wait_until_ready()
        job = service.wait_for_state(service.submit("fetch_remote", url=page_url), "succeeded")
        assert (job["result"]["status"], job["result"]["text"]) == (200, PAGE)

    def test_mail_is_written_to_a_file_that_the_log_names(self, service: RunningService):
        service.wait_for_state(service.submit("send_mail", recipient="someone@example.org"), "succeeded")
        line = wait_until(
            lambda: re.search(r"mail +\| to someone@example.org: Hello -> (\S+\.eml)", service.output())
        )
        assert line is not None
        assert Path(line[1]).is_relative_to(service.folder / "data" / "mail")
        assert b"\r\nThe text." in Path(line[1]).read_bytes()

    def test_python_program_in_this_folder_finds_the_embedded_server(self, service: RunningService):
        code = "from worker_service.settings import settings; print(settings().redis_url)"
        env = {"PATH": os.environ["PATH"], "JOBS_DATA_DIR": str(service.folder / "data")}
        python = service.main.args[0].parent / "python"  # type: ignore[union-attr,index]
        printed = subprocess.run(
            [python, "-c", code], env=env, capture_output=True, text=True, check=True
        ).stdout
        assert printed.strip() in service.output()
        assert printed.startswith("unix://")

    @pytest.mark.bound
    def test_job_of_a_killed_worker_runs_again_within_five_seconds(
        self, service: RunningService, tmp_path: Path
    ):
        path = service.submit("wait_for_file", path=str(tmp_path / "go"))
        service.wait_for_state(path, "running")
        killed = worker_pid(service)
        os.kill(killed, signal.SIGKILL)
        wait_until(
            lambda: [each["outcome"] for each in service.job(path)["attempts"]] == ["crash", "running"],
            timeout=5,
            message="the job does not run again",
        )
        assert service.job(path)["crashes"] == 1
        (tmp_path / "go").touch()
        assert service.wait_for_state(path, "succeeded")["result"] not in (killed, None)

    def test_killed_web_process_is_started_again(self, service: RunningService):
        master = next(
            pid for pid, command in service.processes().items() if "granian" in command and "-m" in command
        )
        os.kill(master, signal.SIGKILL)
        wait_until(lambda: "web ended" in service.output())
        wait_until(service.is_ready, timeout=15, message="web does not come back")


class TestServer:
    def test_killed_server_is_started_again_with_its_jobs(self, start: Start):
        service = start()
        service.wait_until_ready()
        path = service.submit("add", x=1, y=1)
        service.wait_for_state(path, "succeeded")
        wait_until(lambda: service.submit("add", x=1, y=2))
        (server,) = [
            pid
            for pid, command in service.processes().items()
            if "unixsocket" in command or "-server" in command.split()[0]
        ]
        os.kill(server, signal.SIGKILL)
        wait_until(lambda: "The embedded server ended; starting it again." in service.output())
        wait_until(service.is_ready, timeout=20)
        job = service.wait_for_state(service.submit("add", x=2, y=2), "succeeded", timeout=20)
        assert job["result"] == 4


class TestEnding:
    @pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
    def test_asked_to_stop_it_lets_a_running_job_finish_and_leaves_nothing(
        self, start: Start, tmp_path: Path, how: signal.Signals
    ):
        service = start()
        service.wait_until_ready()
        path = service.submit("wait_for_file", path=str(tmp_path / "go"))
        service.wait_for_state(path, "running")
        worker = worker_pid(service)
        service.main.send_signal(how)
        wait_until(lambda: not any("granian" in command for command in service.processes().values()))
        assert not any("-m scheduler" in command for command in service.processes().values())
        assert worker in service.processes()
        (tmp_path / "go").touch()
        service.wait_until_gone()
        assert service.main.returncode == 0
        assert not (service.folder / "data" / "redis-url").exists()
        job = service.kept_job(path)
        assert (job.state, len(job.deliveries), job.crashes) == ("succeeded", 1, 0)

    def test_second_ctrl_c_does_not_wait_for_jobs_and_gives_them_back(self, start: Start, tmp_path: Path):
        service = start()
        service.wait_until_ready()
        path = service.submit("wait_for_file", path=str(tmp_path / "never"))
        service.wait_for_state(path, "running")
        service.main.send_signal(signal.SIGINT)
        wait_until(lambda: "Stopping" in service.output())
        service.main.send_signal(signal.SIGINT)
        service.wait_until_gone()
        assert service.main.returncode == 130
        job = service.kept_job(path)
        assert (job.state, job.attempts, job.crashes) == ("queued", 0, 0)

    def test_killed_supervisor_leaves_no_process(self, start: Start, tmp_path: Path):
        service = start()
        service.wait_until_ready()
        service.wait_for_state(service.submit("wait_for_file", path=str(tmp_path / "never")), "running")
        service.main.kill()
        service.wait_until_gone()


def test_idle_it_holds_less_than_300_megabytes(start: Start):
    """What its processes hold for themselves, and their part of what they share."""
    service = start()
    service.wait_until_ready()
    held = 0
    for pid in service.processes():
        (line,) = re.findall(r"^Pss: +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        held += int(line) * 1024
    assert held < 300_000_000
