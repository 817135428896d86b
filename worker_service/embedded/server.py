"""The server process: a child with a configuration that loses no job, append-only file, never evicting.

It listens on a unix socket only its user may open, or on a loopback port. It must not outlive a SIGKILL of this
process, and that needs more than a `finally`: a watcher (`sh`, blocked in `read` on a pipe from us) terminates it
once the pipe closes. Linux's PR_SET_PDEATHSIG would do without a process, but it acts when the *thread* that
started the server ends, and has to be set between fork and exec, where a threaded parent may run no Python.

The server and its watcher run in sessions of their own: Ctrl-C reaches us alone, and workers can finish their
jobs before the store goes.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from .binary import find_server
from .claim import claimed
from .errors import EmbeddedServerError, start_failure, unusable

_START_DEADLINE_S = 30.0  # loading a large append-only file counts too
_STOP_DEADLINE_S = 10.0
_PING_TIMEOUT_S = 1.0
_SOCKET_NAME = "server.sock"
_WATCH = 'read -r _; kill -TERM "$1"'


class EmbeddedServer:
    """A server process of our own, at one address from the first start() on.

        with EmbeddedServer(data_dir=Path("data")) as server:
            redis.Redis.from_url(server.url)

    Not for use by several threads at once.

    Arguments:
        data_dir: where the data and `server.log` live, made when missing. None: a temporary directory,
            removed by stop().
        port: listen on this loopback TCP port, 0 for a free one. None: a unix socket in a temporary
            directory.
        appendonly: write every change to a file, once a second to the disk. False: nothing is ever saved.
        maxmemory: in the server's notation; a full server refuses writes, it never evicts.
        binary: see find_server().
        extra: more of the server's configuration, by its names; wins over ours.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        port: int | None = None,
        appendonly: bool = True,
        maxmemory: str = "256mb",
        binary: str | Path | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self._asked_data_dir = data_dir
        self._port = port
        self._binary = binary
        self._config = {
            "appendonly": "yes" if appendonly else "no",
            "appendfsync": "everysec",
            "maxmemory": maxmemory,
            "maxmemory-policy": "noeviction",
            "save": "",
            **(extra or {}),
        }
        self._runtime_dir: Path | None = None  # the socket's, and the data's when it is temporary
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for redis-py, known from the first start() on: `unix://<path>?db=0` or `redis://...`."""
        if self._port is not None:
            return f"redis://127.0.0.1:{self._port}/0"
        return f"unix://{self._socket_path}?db=0"

    @property
    def pid(self) -> int | None:
        """Process id of the server, None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def data_dir(self) -> Path:
        """Where the data and `server.log` live; a temporary one is known from the first start() on."""
        return self._asked_data_dir.absolute() if self._asked_data_dir else self._runtime_path / "data"

    def start(self) -> None:
        """Start the server, again after stop() or kill() too, and return once it answers.

        Raises:
            ServerNotFound: see find_server().
            DataDirInUse: another server has the data directory.
            ServerStartFailed: it did not come up; the message ends with its log.
        """
        if self.pid is not None:
            return
        self._end_watcher()
        binary = find_server(self._binary)
        if self._port == 0:
            self._port = _free_port()
        try:
            self._make_directories()
            with claimed(self.data_dir) as lock, self._open_log() as log:
                log_begin = log.tell()
                self._process = subprocess.Popen(
                    [binary, *self._arguments()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[lock],
                    start_new_session=True,
                )
            self._watcher = _watch(self._process.pid)
            self._wait_until_it_answers(log_begin)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server in order, with all data written; kill it when that takes longer than ten seconds."""
        self._end(signal.SIGTERM)
        if self._runtime_dir:
            shutil.rmtree(self._runtime_dir, ignore_errors=True)

    def kill(self) -> None:
        """End the server as a crash would, with SIGKILL; even temporary data stay for the next start()."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _runtime_path(self) -> Path:
        if self._runtime_dir is None:
            raise EmbeddedServerError("The embedded server has no address before its first start().")
        return self._runtime_dir

    @property
    def _socket_path(self) -> Path:
        return self._runtime_path / _SOCKET_NAME

    @property
    def _log_path(self) -> Path:
        return self.data_dir / "server.log"

    def _make_directories(self) -> None:
        if self._runtime_dir is None:
            self._runtime_dir = Path(tempfile.mkdtemp(prefix="jobs-", dir=_short_temp_dir()))
        elif not self._runtime_dir.exists():  # removed by stop(); made anew so that the address stays
            self._runtime_dir.mkdir(mode=0o700)
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise unusable(self.data_dir, error) from error

    def _open_log(self) -> BinaryIO:
        try:
            return self._log_path.open("ab")
        except OSError as error:
            raise unusable(self.data_dir, error) from error

    def _arguments(self) -> list[str]:
        if self._port is None:
            where = {"port": "0", "unixsocket": str(self._socket_path), "unixsocketperm": "700"}
        else:
            where = {"port": str(self._port), "bind": "127.0.0.1"}
        config = {**where, "dir": str(self.data_dir), **self._config}
        return [word for name, value in config.items() for word in (f"--{name}", value)]

    def _wait_until_it_answers(self, log_begin: int) -> None:
        answered = _wait_until(lambda: self.pid is None or self._answers(), _START_DEADLINE_S)
        if answered and self.pid is not None:
            return
        what = "ended at once" if answered else f"did not answer within {_START_DEADLINE_S:.0f} s"
        with self._log_path.open("rb") as log:
            log.seek(log_begin)
            raise start_failure(self.data_dir, what, log.read().decode(errors="replace"))

    def _answers(self) -> bool:
        try:
            with self._connect() as connection:
                # The process id too: on a port that was taken, somebody else's server may answer.
                connection.sendall(b"PING\r\nINFO server\r\n")
                with connection.makefile("rb") as reply:
                    pong = reply.readline() == b"+PONG\r\n"
                    return pong and b"process_id:%d\r\n" % (self.pid or 0) in reply
        except OSError:
            return False

    def _connect(self) -> socket.socket:
        if self._port is not None:
            return socket.create_connection(("127.0.0.1", self._port), timeout=_PING_TIMEOUT_S)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_PING_TIMEOUT_S)
        try:
            connection.connect(str(self._socket_path))
        except OSError:
            connection.close()
            raise
        return connection

    def _end(self, how: signal.Signals) -> None:
        # The watcher goes before the server is reaped: until then nobody else can have the server's id.
        if self._process is not None:
            self._process.send_signal(how)
            self._end_watcher()
            try:
                self._process.wait(_STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _end_watcher(self) -> None:
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None


def _watch(pid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "watch-embedded-server", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _short_temp_dir() -> str:
    """The usual directory, unless a socket's path in it could pass the 104 bytes that macOS allows."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) < 70 else "/tmp"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until(condition: Callable[[], bool], deadline_s: float) -> bool:
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
