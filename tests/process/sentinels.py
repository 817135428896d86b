"""One primary, two replicas and three sentinels on loopback, which a test may kill."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis

from tests.up.service import free_port
from tests.waiting import wait_until
from worker_service.embedded import bundled_server

SERVICE = "jobs-primary"
PASSWORD, SENTINELS_PASSWORD = "of-the-servers", "of-the-sentinels"
HOST = "127.0.0.1"
AWAY_MS = 1000
"""How long a primary may be silent before the sentinels choose another one."""


class Sentinels:
    """The servers and who watches them. Close it.

    Args:
        binary: of the server; by default the bundled one.
        certificate: file with a key and the certificate of this address, where all speak TLS only.
    """

    def __init__(self, binary: str | None, certificate: Path | None = None) -> None:
        found = binary or bundled_server()
        assert found is not None
        self._binary = str(found)
        self._certificate = certificate
        self._folder = tempfile.TemporaryDirectory(prefix="sentinels-")
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.ports = [free_port() for _ in range(3)]
        self.sentinel_ports = [free_port() for _ in range(3)]
        for port in self.ports:
            self._start_server(port)
        for port in self.sentinel_ports:
            self._start_sentinel(port)
        try:
            # One that was kept from running for two seconds does nothing for thirty (TILT).
            wait_until(self._is_complete, timeout=75, message="the sentinels do not find each other")
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The address for the service."""
        hosts = ",".join(f"{HOST}:{port}" for port in self.sentinel_ports)
        encrypted = f"&ssl_ca_certs={self._certificate}" if self._certificate else ""
        return (
            f"redis{'s' if encrypted else ''}+sentinel://:{PASSWORD}@{hosts}/{SERVICE}/0"
            f"?sentinel_password={SENTINELS_PASSWORD}{encrypted}"
        )

    def primary_port(self) -> int:
        """Which server is the primary, as a sentinel says."""
        with self._ask(self.sentinel_ports[-1]) as sentinel:
            return int(sentinel.sentinel_get_master_addr_by_name(SERVICE)[1])

    def lose_host(self, how: signal.Signals) -> float:
        """Lose the primary and a sentinel, as if they ran on one host, and wait for the next primary.

        Args:
            how: SIGKILL, as a crash of both; or SIGSTOP, after which connections stay open and nothing answers.

        Returns:
            The seconds that took.
        """
        lost, begin = self.primary_port(), time.monotonic()
        for port in (lost, self.sentinel_ports[0]):
            self._processes[port].send_signal(how)
        self.wait_for_another_than(lost)
        return time.monotonic() - begin

    def wait_for_another_than(self, port: int) -> None:
        """Until another server is the primary."""
        wait_until(lambda: self.primary_port() != port, timeout=60, message="no other primary is chosen")

    def lose_primary_with_what_no_replica_has(self, written: Callable[[], None]) -> None:
        """Hold the replicas off, let something be written, and kill the primary before they have got it.

        Args:
            written: returns when that is so.
        """
        primary = self.primary_port()
        with ExitStack() as stack:
            for port in self.ports:
                if port != primary:
                    stack.enter_context(self.silenced(port))
            with redis.Redis(HOST, primary, password=PASSWORD) as client:
                client.client_kill_filter(_type="replica")  # else the system would keep for them what is sent
            written()
            self._processes[primary].kill()
        self.wait_for_another_than(primary)

    @contextmanager
    def silenced(self, port: int) -> Iterator[None]:
        """What listens at a port hangs meanwhile."""
        self._processes[port].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._processes[port].send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End all of them."""
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._folder.cleanup()

    def _start_server(self, port: int) -> None:
        first = self.ports[0]
        lines = [
            "appendonly yes",
            "appendfsync everysec",
            f"requirepass {PASSWORD}",
            f"masterauth {PASSWORD}",
        ]
        lines += ["maxmemory-policy noeviction", "repl-diskless-sync-delay 0"]
        self._start(port, lines + ([f"replicaof {HOST} {first}"] if port != first else []))

    def _start_sentinel(self, port: int) -> None:
        lines = [
            f"requirepass {SENTINELS_PASSWORD}",
            f"sentinel sentinel-pass {SENTINELS_PASSWORD}",
            f"sentinel monitor {SERVICE} {HOST} {self.ports[0]} 2",
            f"sentinel auth-pass {SERVICE} {PASSWORD}",
            f"sentinel down-after-milliseconds {SERVICE} {AWAY_MS}",
            f"sentinel failover-timeout {SERVICE} 10000",
        ]
        self._start(port, lines, "--sentinel")

    def _start(self, port: int, lines: list[str], *arguments: str) -> None:
        folder = Path(self._folder.name) / str(port)
        folder.mkdir()
        file = folder / "server.conf"
        usual = [*self._way_in(port), f"bind {HOST}", f"dir {folder}", "save ''"]
        file.write_text("\n".join([*usual, *lines]) + "\n")
        with (folder / "log").open("wb") as log:
            self._processes[port] = subprocess.Popen(
                [self._binary, file, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def _way_in(self, port: int) -> list[str]:
        if self._certificate is None:
            return [f"port {port}"]
        files = [f"tls-{name}-file {self._certificate}" for name in ("cert", "key", "ca-cert")]
        return ["port 0", f"tls-port {port}", "tls-replication yes", "tls-auth-clients no", *files]

    def _ask(self, port: int) -> redis.Redis:
        return redis.Redis(
            HOST,
            port,
            password=SENTINELS_PASSWORD,
            socket_timeout=2,
            ssl=self._certificate is not None,
            ssl_ca_certs=str(self._certificate),
        )

    def _is_complete(self) -> bool:
        try:
            for port in self.sentinel_ports:
                with self._ask(port) as sentinel:
                    state = sentinel.sentinel_master(SERVICE)
                    if (state["num-slaves"], state["num-other-sentinels"]) != (2, 2):
                        return False
        except redis.exceptions.RedisError:
            return False
        return True
