"""What compose.yaml describes, in containers, and what it did to the world."""

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2

from tests.containers import compose
from tests.containers.podman import Containers
from tests.process.effects import Effects
from tests.waiting import wait_until


class Deployment:
    """A server, and two of each role, named ``web-1`` and so on. Close it.

    Attributes:
        key: the first key, which the first web process made.
        urls: where the web processes answer, on loopback.
        bank: where charges are written down, outside of the containers.
    """

    def __init__(self, name: str, server_image: str, folder: Path) -> None:
        self.key = ""
        self._ports = {f"web-{number}": _free_port() for number in (1, 2)}
        self.urls = [f"http://127.0.0.1:{port}" for port in self._ports.values()]
        self._server_image = server_image
        self._open = ExitStack()
        self.bank = Effects(folder)
        self._open.callback(self.bank.close)
        self.bank.file.touch()
        _open_to_containers(folder, self.bank.file, Path(self.bank.address).parent, Path(self.bank.address))
        self.http = self._open.enter_context(httpx2.Client(base_url=self.urls[0], timeout=10))
        self.containers = Containers(name)
        self._open.callback(self.containers.close)

    def start(self, image: str) -> None:
        """Start all of it, and wait until it is healthy."""
        for network, internal in compose.INTERNAL.items():
            self.containers.network(network, internal=internal)
        for volume in compose.VOLUMES:
            self.containers.volume(volume)
        self._start(compose.SERVER, compose.SERVER, self._server_image)
        for one in self.ours():
            self.start_one(one, image)
        for one in self.ours():
            self.wait_until_healthy(one)
        self.key = self.containers.tell("web-2", "cat", compose.KEY_FILE)
        self.http.headers["Authorization"] = f"Bearer {self.key}"

    def ours(self) -> list[str]:
        """All that run the image."""
        return [f"{role}-{number}" for role in compose.ROLES for number in (1, 2)]

    def start_one(self, one: str, image: str) -> None:
        """Start one that runs an image of ours, in the place of an earlier one."""
        bank = Path(self.bank.address)
        outside = (
            *("--volume", f"{bank.parent}:/bank:ro", "--env", f"EFFECTS_SINK=/bank/{bank.name}"),
            *("--volume", f"{self.bank.file}:/books:ro", "--env", "EFFECTS_FILE=/books"),
        )
        # Podman leaves it to systemd to check in intervals, which is not everywhere.
        self._start(one, one.partition("-")[0], image, "--health-interval=disable", *outside)

    def _start(self, one: str, service: str, image: str, *more: str) -> None:
        values = {"JOBS_HTTP_PORT": str(self._ports.get(one))}
        options = compose.options(service, self.containers.name, values)
        known_as = ("--hostname", one, "--network-alias", service)
        self.containers.start(one, image, *compose.command(service), options=[*options, *known_as, *more])

    def wait_until_healthy(self, one: str) -> None:
        """Until it does its work."""
        wait_until(lambda: self.containers.is_healthy(one), timeout=40, message=f"{one} is not healthy")

    def replace(self, one: str, image: str) -> int:
        """Stop one in order and start it with another image; returns the exit code of the old one."""
        code = self.containers.stop(one)
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
        self._open.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _open_to_containers(*paths: Path) -> None:
    """The user of the image is none of this machine."""
    for path in paths:
        path.chmod(0o644 if path.is_file() else 0o777)
