"""Every example of a producer makes one job, although the first answer is lost."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.client.losing_proxy import LosingProxy
from tests.examples.running import RunningShop, answers
from tests.up.service import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("shop")

PRODUCERS = Path(__file__).parents[2] / "examples" / "producers"


@pytest.fixture
def losing(shop: RunningShop) -> Iterator[LosingProxy]:
    """The service's web process, behind what loses its first answer."""
    with LosingProxy(shop.jobs.port, cuts=[0]) as proxy:
        yield proxy


def job_json(number: int) -> str:
    args = {"to": f"o{number}@example.org", "subject": f"Order {number}", "text": "It is on its way."}
    return json.dumps({"actor": "send_email", "args": args})


class Script:
    """A program that is given a job, and prints the answer."""

    def __init__(self, *command: str) -> None:
        if shutil.which(command[0]) is None and os.environ.get("CI") != "true":
            pytest.skip(f"no {command[0]}")
        self._command = command

    def submit(self, url: str, number: int, job: str | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._command, f"order-{number}"],
            cwd=PRODUCERS,
            check=False,
            input=job or job_json(number),
            capture_output=True,
            text=True,
            timeout=60,
            env={"PATH": os.environ["PATH"], "WORKER_SERVICE_URL": url},
        )


@pytest.mark.parametrize("command", [("sh", "submit.sh"), ("node", "submit.mjs")], ids=["curl", "node"])
class TestScripts:
    def test_job_is_created_once(
        self, shop: RunningShop, losing: LosingProxy, command: tuple[str, ...]
    ) -> None:
        number = 1000 + len(command[0])
        told = Script(*command).submit(losing.url, number)
        assert told.returncode == 0, told.stderr
        assert losing.lost == 1
        assert shop.ended(json.loads(told.stdout)["id"])["state"] == "succeeded"
        assert len(shop.mails_to(f"o{number}@example.org")) == 1

    def test_what_is_refused_is_said(self, shop: RunningShop, command: tuple[str, ...]) -> None:
        url = f"http://127.0.0.1:{shop.jobs.port}"
        told = Script(*command).submit(url, 0, '{"actor": "send_emial", "args": {}}')
        assert told.returncode == 1
        assert "Did you mean 'send_email'?" in told.stdout + told.stderr


class Server:
    """A producer's web process, until the end of the ``with``."""

    def __init__(self, shop: RunningShop, url: str, program: str, *arguments: str, **settings: str) -> None:
        port = free_port()
        self._process = shop.run(
            program,
            *(argument.format(port=port) for argument in arguments),
            WORKER_SERVICE_URL=url,
            **settings,
        )
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)

    def __enter__(self) -> "Server":
        wait_until(lambda: answers(self.http), timeout=20, message="the producer does not answer")
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self._process.terminate()
        self._process.wait(10)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def order(self, number: int, email: str = "") -> httpx2.Response:
        body = {"number": number, "email": email or f"o{number}@example.org"}
        return self.http.post("/orders", json=body)


APPS: dict[str, tuple[str, ...]] = {
    "flask": ("flask", "--app", str(PRODUCERS / "flask_app.py"), "run", "--port", "{port}"),
    "fastapi": (
        "granian", "--interface", "asgi", "--working-dir", str(PRODUCERS), "--port", "{port}", "fastapi_app:app",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", APPS)
def test_app_asks_for_one_job(shop: RunningShop, losing: LosingProxy, name: str) -> None:
    number = 2000 + len(name)
    with Server(shop, losing.url, *APPS[name]) as server:
        answer = server.order(number)
        assert answer.status_code == 202, answer.text
        assert server.order(number).json() == answer.json()
    assert losing.lost == 1
    assert shop.ended(answer.json()["job"])["state"] == "succeeded"
    assert len(shop.mails_to(f"o{number}@example.org")) == 1


@pytest.mark.parametrize("name", APPS)
def test_app_says_that_the_service_is_away(shop: RunningShop, name: str) -> None:
    with Server(shop, f"http://127.0.0.1:{free_port()}", *APPS[name]) as server:
        assert server.order(1).status_code == 503


class TestDjango:
    """`transaction.on_commit`, and what is forgotten between commit and job."""

    @pytest.fixture
    def django(self, shop: RunningShop, tmp_path: Path) -> dict[str, Any]:
        settings = {"ORDERS": str(tmp_path / "orders.db")}
        assert self.manage(shop, settings, "", "migrate", "--run-syncdb").returncode == 0
        return settings

    def manage(
        self, shop: RunningShop, settings: dict[str, str], url: str, *arguments: str
    ) -> "subprocess.CompletedProcess[bytes]":
        process = shop.run(
            "python", str(PRODUCERS / "django" / "manage.py"), *arguments, WORKER_SERVICE_URL=url, **settings
        )
        return subprocess.CompletedProcess(arguments, process.wait(30))

    def served(self, shop: RunningShop, settings: dict[str, str], url: str) -> Server:
        manage = str(PRODUCERS / "django" / "manage.py")
        return Server(shop, url, "python", manage, "runserver", "--noreload", "{port}", **settings)

    def test_order_has_one_mail_and_one_that_is_rolled_back_has_none(
        self, shop: RunningShop, losing: LosingProxy, django: dict[str, str]
    ) -> None:
        with self.served(shop, django, losing.url) as server:
            assert server.order(3001).status_code == 201
            assert server.order(3001, "rolled-back@example.org").status_code == 409
        wait_until(lambda: shop.mails_to("o3001@example.org"), timeout=20)
        [job] = shop.jobs.http.get("/v1/jobs?q=o3001").json()["items"]
        assert shop.ended(job["id"])["state"] == "succeeded"
        assert len(shop.mails_to("o3001@example.org")) == 1
        assert shop.jobs.http.get("/v1/jobs?q=rolled-back").json()["items"] == []

    def test_order_that_was_forgotten_gets_its_mail_once(
        self, shop: RunningShop, django: dict[str, str]
    ) -> None:
        with self.served(shop, django, f"http://127.0.0.1:{free_port()}") as server:
            assert server.order(3002).status_code == 201
        here = f"http://127.0.0.1:{shop.jobs.port}"

        for _ in range(2):
            assert self.manage(shop, django, here, "submit_forgotten", "--older-than-s", "0").returncode == 0

        wait_until(lambda: shop.mails_to("o3002@example.org"), timeout=20)
        assert len(shop.jobs.http.get("/v1/jobs?q=o3002").json()["items"]) == 1

    def test_killed_between_commit_and_job_the_order_gets_its_mail_once(
        self, shop: RunningShop, django: dict[str, str]
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as pool:
            silent.settimeout(20)
            with self.served(shop, django, f"http://127.0.0.1:{silent.getsockname()[1]}") as server:
                ordering = pool.submit(server.order, 3003)
                silent.accept()[0].close()  # so it is committed, and the job asked for
                server.kill()
                assert isinstance(ordering.exception(20), httpx2.TransportError)
        here = f"http://127.0.0.1:{shop.jobs.port}"

        assert self.manage(shop, django, here, "submit_forgotten", "--older-than-s", "0").returncode == 0

        wait_until(lambda: shop.mails_to("o3003@example.org"), timeout=20)
        assert len(shop.jobs.http.get("/v1/jobs?q=o3003").json()["items"]) == 1
