"""A running ``worker-service up`` and what it answers."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2

from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer
from worker_service.store import Job, Queries, connect

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
COMMAND = PROGRAMS / "worker-service"


class RunningService:
    """The command in a data directory of its own, which every process of it has in its environment.

    Args:
        folder: for its data and its log.
        command: a program of this environment.
        arguments: of the command.
        cwd: where it is started; by default where `waiting_actor` is.
        settings: environment variables.
    """

    def __init__(
        self,
        folder: Path,
        *,
        command: str = "worker-service",
        arguments: Sequence[str] = ("up",),
        cwd: Path = HERE,
        **settings: str,
    ) -> None:
        self.folder = folder
        self.log = folder / "up.log"
        self.port = int(settings.get("JOBS_HTTP_PORT") or free_port())
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "REDIS_"))
        }
        with self.log.open("wb") as log:
            self.main = subprocess.Popen(
                [PROGRAMS / command, *arguments],
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **inherited,
                    "JOBS_DATA_DIR": str(folder / "data"),
                    "JOBS_HTTP_PORT": str(self.port),
                    "JOBS_ACTOR_MODULES": "waiting_actor",
                    "JOBS_LOG_FORMAT": "console",
                    **settings,
                },
            )
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10)

    def wait_until_ready(self) -> None:
        """Until it has printed that it is."""
        wait_until(
            lambda: "Ready: " in self.output() or self.main.poll() is not None,
            timeout=30,
            message="not ready",
        )
        assert self.main.poll() is None, self.output()

    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text()

    def submit(self, actor: str, **args: Any) -> str:
        """POST a job; returns its path."""
        answer = self.http.post("/v1/jobs", json={"actor": actor, "args": args})
        assert answer.status_code == 202, answer.text
        return str(answer.headers["Location"])

    def job(self, path: str) -> dict[str, Any]:
        """GET a job."""
        found: dict[str, Any] = self.http.get(path).json()
        return found

    def kept_job(self, path: str) -> Job:
        """A job as it is kept after the service has ended."""
        with EmbeddedServer(self.folder / "data" / "server") as server:
            client = connect(server.url)
            found = Queries(client, "jobs").job(path.rpartition("/")[2])
            client.close()
        assert found is not None
        return found

    def wait_for_state(self, path: str, state: str, timeout: float = 10) -> dict[str, Any]:
        """The job once it is in a state."""
        wait_until(lambda: self.job(path)["state"] == state, timeout, message=f"the job is not {state}")
        return self.job(path)

    def processes(self) -> dict[int, str]:
        """All processes of the service that live: their ids and command lines."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self._owns(entry):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has just ended, or is a zombie
        return found

    def _owns(self, entry: Path) -> bool:
        """By its environment; the server has written its title over that, but works in a folder of ours."""
        by_environment = f"JOBS_DATA_DIR={self.folder}/".encode() in (entry / "environ").read_bytes()
        return by_environment or (entry / "cwd").readlink().is_relative_to(self.folder / "data")

    def is_ready(self) -> bool:
        """Whether its web process says so."""
        try:
            return bool(self.http.get("/readyz").status_code == 200)
        except httpx2.TransportError:
            return False

    def wait_until_gone(self, timeout: float = 15) -> None:
        """Until no process of it is left."""
        self.main.wait(timeout)
        wait_until(lambda: not self.processes(), timeout, message="processes are left")

    def close(self) -> None:
        """End it, whatever it does; with two signals, as it then leaves nothing behind, and soon."""
        self.http.close()
        for _ in range(2):
            self.main.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.main.wait(0.3)
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.wait_until_gone()
        self.main.kill()
        self.main.wait()
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
