"""The stage of one measurement: a server of its own, workers, a producer, and what they used.

Every measurement starts a new server (append-only file, written once a second), so no contestant inherits
another one's memory, files or fragmentation. Reads /proc: Linux only.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import redis

from worker_service.embedded import EmbeddedServer

from .contestants import Contestant
from .environments import ROOT
from .jobs import STAMP, STAMPS_VARIABLE

LOOK_SECONDS = 0.005
START_SECONDS, STOP_SECONDS = 60.0, 30.0
SERVER_MEMORY = "2gb"
LONGEST_SILENCE_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Stage:
    """A running server and one contestant's processes on it; see `stage`."""

    def __init__(self, contestant: Contestant, server: EmbeddedServer, folder: Path) -> None:
        self.contestant = contestant
        self.client: redis.Redis = redis.Redis.from_url(server.url, socket_timeout=LONGEST_SILENCE_SECONDS)
        self.stamps = folder / "stamps"
        self._url = server.url
        self._server_pid = server.pid or 0
        self._log = folder / "worker.log"
        self.environment = {
            **os.environ,
            **contestant.environment(server.url),
            STAMPS_VARIABLE: str(self.stamps),
            "PYTHONPATH": str(ROOT),
        }

    def produce(self, task: str, *words: object) -> dict[str, Any]:
        """Run one task of produce.py in the contestant's environment; returns what it measured."""
        done = subprocess.run(
            [*self.contestant.producer, task, *map(str, words)],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"{self.contestant.name}: producing failed\n{done.stderr[-3000:]}\n{self._tail()}"
            )
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result

    @contextmanager
    def workers(self, count: int = 1) -> Iterator["Workers"]:
        """A number of workers, each a command with its processes, ended when the block ends."""
        command = [word.replace("{url}", self._url) for word in self.contestant.worker]
        started: list[subprocess.Popen[bytes]] = []
        try:
            with self._log.open("ab") as log:
                started.extend(self._start(command, log) for _ in range(count))
            yield Workers(started)
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                _end(process)

    def _start(self, command: list[str], log: BinaryIO) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def wait(self, condition: Callable[[], bool], seconds: float, what: str) -> float:
        """Look until the condition holds; returns the instant (time.monotonic) at which it did.

        Raises:
            TimeoutError: it did not within ``seconds``; shows the worker's log.
        """
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{self.contestant.name}: {what} took over {seconds:g} s\n{self._tail()}")
            time.sleep(LOOK_SECONDS)
        return time.monotonic()

    def server_cpu(self) -> float:
        """CPU seconds that the server has used."""
        return _cpu(self._server_pid)

    def used_memory(self) -> int:
        """Bytes that the server holds for its data."""
        info: dict[str, Any] = self.client.info("memory")  # type: ignore[assignment]
        return int(info["used_memory"])

    def warm_up(self, jobs: int = 20) -> None:
        """Run a few jobs, so that processes have started and connections are open; forget their stamps."""
        self.produce("fill", "stamp", jobs, 0)
        self.wait(lambda: self.count_stamps() >= jobs, START_SECONDS, "the first jobs")
        os.truncate(self.stamps, 0)

    def count_stamps(self) -> int:
        """How many jobs have noted their start."""
        return self.stamps.stat().st_size // STAMP.size if self.stamps.exists() else 0

    def stamps_of_jobs(self) -> list[tuple[int, int]]:
        """What each job noted: the instant at which it was wanted (or its process), and when it started; ns."""
        whole = self.stamps.read_bytes() if self.stamps.exists() else b""
        return list(STAMP.iter_unpack(whole))

    def lateness_ms(self) -> list[float]:
        """For each job that noted its start, how long after the wanted instant that was."""
        return [(started - wanted) / 1e6 for wanted, started in self.stamps_of_jobs()]

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""


class Workers:
    """The commands of workers and their children, which are all that run in their sessions."""

    def __init__(self, processes: "list[subprocess.Popen[bytes]]") -> None:
        self._sessions = {process.pid for process in processes}

    def pids(self) -> list[int]:
        """All processes of the commands: the main ones, the workers, and what those started."""
        return [pid for pid, fields in _processes() if int(fields[3]) in self._sessions]

    def session_of(self, pid: int) -> int:
        """The command that a process belongs to."""
        return int(_stat(pid)[3])

    def cpu(self) -> float:
        """CPU seconds that they have used."""
        return sum(_cpu(pid) for pid in self.pids())

    def memory(self) -> int:
        """Bytes of memory that they hold; what they share is counted once (PSS)."""
        return sum(_pss(pid) for pid in self.pids())


@contextmanager
def stage(contestant: Contestant) -> Iterator[Stage]:
    """A new server, and nothing else running yet."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        EmbeddedServer(maxmemory=SERVER_MEMORY) as server,
    ):
        yield Stage(contestant, server, Path(folder))


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finally:
        _end_what_is_left(process.pid)


def _end_what_is_left(session: int) -> None:
    """Children of a command that was killed."""
    for pid, fields in _processes():
        if int(fields[3]) == session:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Each process with the fields of its /proc/<pid>/stat from the third one (state) on."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), _stat(int(entry.name))
            except OSError:
                continue  # it ended while we looked


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu(pid: int) -> float:
    try:
        fields = _stat(pid)
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
