"""The whole service in containers, and what it did to the world."""

import socket
from pathlib import Path
from typing import Any

import httpx2

from tests.containers.podman import Containers
from tests.process.effects import Effects
from tests.waiting import wait_until

GRACE_SECONDS = {"web": 15, "worker": 65, "scheduler": 15}
"""Those of compose.yaml."""

KEY_FILE = "/keys/admin-key"
COMMANDS = {
    "web": ("sh", "-c", f"worker-service first-key {KEY_FILE} && exec worker-service web"),
    "worker": ("worker-service", "worker"),
    "scheduler": ("python3", "-m", "scheduler"),
}

SERVER = (
    "valkey-server --dir /data --appendonly yes --appendfsync everysec --save '' "
    "--maxmemory 512mb --maxmemory-policy noeviction --protected-mode no"
)


class Deployment:
    """Two of each role, named ``web-1`` and so on. Close it.

    Attributes:
        key: the first key, which the first web process made.
        urls: where the web processes answer, on loopback.
    """

    def __init__(self, name: str, server_image: str, folder: Path) -> None:
        self.ports = {f"web-{number}": _free_port() for number in (1, 2)}
        self.urls = [f"http://127.0.0.1:{port}" for port in self.ports.values()]
        self.bank = Effects(folder)
        self.bank.file.touch()
        _open_to_containers(Path(self.bank.address).parent, Path(self.bank.address), folder, self.bank.file)
        self.containers = Containers(name)
        self._server_image = server_image
        self.key = ""
        self.http = httpx2.Client(base_url=self.urls[0], timeout=10)

    def start(self, image: str) -> None:
        """Start all of it, and wait until it is healthy."""
        options = ("--volume", f"{self.containers.volume('store')}:/data", "--user", "999:999")
        self.containers.start("valkey", self._server_image, "sh", "-c", f"exec {SERVER}", options=options)
        for role in COMMANDS:
            for number in (1, 2):
                self.start_one(f"{role}-{number}", image)
        for role in COMMANDS:
            for number in (1, 2):
                self.wait_until_healthy(f"{role}-{number}")
        self.key = self.containers.tell("web-2", "cat", KEY_FILE)
        self.http.headers["Authorization"] = f"Bearer {self.key}"

    def start_one(self, one: str, image: str) -> None:
        """Start one container of a role."""
        role = one.partition("-")[0]
        options = ["--env", "JOBS_REDIS_URL=redis://valkey:6379/0"]
        if role == "web":
            options += ["--publish", f"127.0.0.1:{self.ports[one]}:8000"]
            options += ["--volume", f"{self.containers.volume('keys')}:/keys"]
            options += ["--env", f"JOBS_ADMIN_KEY_FILE={KEY_FILE}"]
        socket_folder, books = Path(self.bank.address).parent, self.bank.file
        options += ["--volume", f"{socket_folder}:/bank:ro", "--volume", f"{books}:/books:ro"]
        options += ["--env", "EFFECTS_SINK=/bank/socket", "--env", "EFFECTS_FILE=/books"]
        self.containers.start(one, image, *COMMANDS[role], options=options)

    def is_healthy(self, one: str) -> bool:
        """What the image's own health check says."""
        try:
            self.containers.tell(one, "worker-service", "check", "self")
        except AssertionError:
            return False
        return True

    def wait_until_healthy(self, one: str) -> None:
        """Until it does its work."""
        wait_until(lambda: self.is_healthy(one), timeout=40, message=f"{one} is not healthy")

    def stop(self, one: str) -> int:
        """Stop one as compose does; returns its exit code."""
        return self.containers.stop(one, GRACE_SECONDS[one.partition("-")[0]])

    def replace(self, one: str, image: str) -> int:
        """Stop one in order and start it with another image; returns the exit code of the old one."""
        code = self.stop(one)
        self.start_one(one, image)
        self.wait_until_healthy(one)
        return code

    def job(self, id: str) -> dict[str, Any]:
        """What the service says of a job."""
        found: dict[str, Any] = self.http.get(f"/v1/jobs/{id}").json()
        return found

    def ended(self, ids: list[str], timeout: float = 60) -> list[dict[str, Any]]:
        """The jobs, once all have ended."""
        left = set(ids)

        def none_left() -> bool:
            left.difference_update([id for id in left if self.job(id)["finished_at"]])
            return not left

        wait_until(none_left, timeout=timeout, message=f"not all of {len(ids)} jobs end")
        return [self.job(id) for id in ids]

    def close(self) -> None:
        """Remove all of it."""
        self.containers.close()
        self.http.close()
        self.bank.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _open_to_containers(*paths: Path) -> None:
    """The user of the image is none of this machine."""
    for path in paths:
        path.chmod(0o644 if path.is_file() else 0o777)
