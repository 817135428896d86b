"""``worker-service check``: what the health checks of containers run."""

import http.server
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner, Result

from scheduler.clock import Clock
from scheduler.leadership import Leadership
from tests.up.service import free_port
from worker_service.check import Unhealthy, check_scheduler, check_self, check_web, check_worker
from worker_service.cli import main
from worker_service.commands import scheduler_command, web_command, worker_command
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.errors import StoreUnavailable
from worker_service.kept_processes import kept_processes
from worker_service.settings import Settings, settings
from worker_service.store import Schedules, Store, connect

LEASE_MS = 60_000


class TestWorker:
    @pytest.fixture
    def store(self, redis_url: str, namespace: str) -> Iterator[Store]:
        client = connect(redis_url)
        yield Store(client, namespace)
        client.close()

    @pytest.fixture
    def settings(self, redis_url: str, namespace: str) -> Settings:
        return Settings(redis_url=redis_url, namespace=namespace)

    def test_worker_of_this_host_with_a_lease_is_well(self, store: Store, settings: Settings):
        store.open_session("mine", LEASE_MS, {"host": socket.gethostname()})
        check_worker(settings)

    def test_worker_of_another_host_says_nothing_of_this_one(self, store: Store, settings: Settings):
        store.open_session("other", LEASE_MS, {"host": "another-host"})
        with pytest.raises(Unhealthy, match=socket.gethostname()):
            check_worker(settings)

    def test_worker_whose_lease_ran_out_is_not(self, store: Store, settings: Settings):
        store.open_session("silent", 0, {"host": socket.gethostname()})
        with pytest.raises(Unhealthy):
            check_worker(settings)

    def test_one_of_several_that_gets_nowhere_is_said(self, store: Store, settings: Settings):
        for name in ("well", "stuck"):
            store.open_session(name, LEASE_MS, {"host": socket.gethostname(), "pid": "17"})
        store.extend("stuck", LEASE_MS, stalled=(31_000, "claim"))
        with pytest.raises(Unhealthy, match=r"worker process 17 .* gets nowhere"):
            check_worker(settings)

    def test_server_that_is_away_is_said(self):
        with pytest.raises(StoreUnavailable):
            check_worker(Settings(redis_url="redis://127.0.0.1:1/0"))


class TestKeptProcesses:
    """A worker process that was stopped, or opens no session, is missing in the store: its keeper still runs."""

    OURS: ClassVar = {"JOBS_REDIS_URL": "redis://one", "JOBS_NAMESPACE": "jobs"}

    @pytest.fixture
    def processes(self, tmp_path: Path) -> Path:
        """As /proc shows them, five minutes after the machine was started."""
        (tmp_path / "uptime").write_text("300.00 900.00\n")
        return tmp_path

    def keeper(self, processes: Path, parent: int, started: int, **environment: str) -> None:
        """The keeper of a worker process, started so many seconds after the machine."""
        folder = processes / str(parent + 1)
        folder.mkdir()
        (folder / "cmdline").write_bytes(b"python3\0-m\0worker_service.broker.keeper\0" + b"7\0")
        numbers = ["S", str(parent), *["0"] * 17, str(started * os.sysconf("SC_CLK_TCK")), "0"]
        (folder / "stat").write_text(f"{parent + 1} (a (b) c) {' '.join(numbers)}\n")
        told = {**self.OURS, **environment, "PATH": "/bin"}
        (folder / "environ").write_text("".join(f"{name}={value}\0" for name, value in told.items()))

    def test_those_that_run_for_a_while_are_found(self, processes: Path):
        self.keeper(processes, 10, started=10)
        self.keeper(processes, 20, started=295)
        (processes / "30").mkdir()  # ended while it was looked at
        assert kept_processes(processes, self.OURS) == {"10"}

    def test_those_of_another_service_are_not_meant(self, processes: Path):
        self.keeper(processes, 10, started=10, JOBS_NAMESPACE="others")
        self.keeper(processes, 20, started=10, JOBS_REDIS_URL="redis://two")
        assert kept_processes(processes, self.OURS) == set()

    def test_where_no_server_is_named_nobody_knows_whose_they_are(self, processes: Path):
        self.keeper(processes, 10, started=10)
        assert kept_processes(processes, {}) == set()

    def test_one_without_a_lease_beside_one_with_is_said(
        self, processes: Path, redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
    ):
        for name, value in self.OURS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("REDIS_URL", raising=False)
        given = Settings(redis_url=redis_url, namespace=namespace)
        with connect(redis_url) as client:
            store = Store(client, namespace)
            store.open_session("mine", LEASE_MS, {"host": socket.gethostname(), "pid": "10"})
            self.keeper(processes, 10, started=10)
            check_worker(given, processes)
            self.keeper(processes, 20, started=10)
            with pytest.raises(Unhealthy, match=r"process 20 .* no lease"):
                check_worker(given, processes)


class TestScheduler:
    @pytest.fixture
    def schedules(self, redis_url: str, namespace: str) -> Iterator[Schedules]:
        client = connect(redis_url)
        yield Schedules(client, namespace)
        client.close()

    @pytest.fixture
    def settings(self, redis_url: str, namespace: str) -> Settings:
        return Settings(redis_url=redis_url, namespace=namespace)

    def test_scheduler_of_this_host_with_a_lease_is_well_though_another_one_leads(
        self, schedules: Schedules, settings: Settings
    ):
        assert schedules.lead("another-host:1:ab@1-0", LEASE_MS).leads
        with pytest.raises(Unhealthy, match=socket.gethostname()[:40]):
            check_scheduler(settings)
        assert not schedules.lead(Leadership(schedules, Clock(), "1-0").id, LEASE_MS).leads
        check_scheduler(settings)

    def test_scheduler_whose_lease_ran_out_is_not(self, schedules: Schedules, settings: Settings):
        schedules.lead(Leadership(schedules, Clock(), "1-0").id, LEASE_MS, now_ms=1_000)
        with pytest.raises(Unhealthy):
            check_scheduler(settings)

    def test_server_that_is_away_is_said(self):
        with pytest.raises(StoreUnavailable):
            check_scheduler(Settings(redis_url="redis://127.0.0.1:1/0"))


class TestWeb:
    @pytest.fixture
    def answers(self) -> Iterator[tuple[Settings, list[tuple[int, bytes]]]]:
        """Settings of a web process of the test's own, and what it answers next."""
        prepared: list[tuple[int, bytes]] = []

        class Prepared(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = prepared.pop()
                self.send_response(status if self.path == "/readyz" else 404)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Prepared) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield Settings(http_port=server.server_port), prepared
            server.shutdown()
            thread.join()

    def test_ready_web_is_well(self, answers: tuple[Settings, list[tuple[int, bytes]]]):
        answers[1].append((200, b"{}"))
        check_web(answers[0])

    @pytest.mark.parametrize(
        ("body", "said"),
        [(b'{"detail": "Redis does not answer."}', "Redis does not answer"), (b"<html>", "503")],
    )
    def test_web_that_is_not_says_why(
        self, answers: tuple[Settings, list[tuple[int, bytes]]], body: bytes, said: str
    ):
        answers[1].append((503, body))
        with pytest.raises(Unhealthy, match=said):
            check_web(answers[0])

    def test_web_that_does_not_answer_is_said(self):
        with pytest.raises(Unhealthy, match="does not answer"):
            check_web(Settings(http_port=1))


class TestSelf:
    @pytest.fixture
    def processes(self, tmp_path: Path) -> Path:
        """As /proc shows them, with what is no process among them."""
        (tmp_path / "uptime").touch()
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "cmdline").write_bytes(b"tini\0--\0")
        (tmp_path / "2").mkdir()  # ended while it was looked at
        return tmp_path

    def run(self, processes: Path, command: list[str]) -> None:
        (processes / "17").mkdir()
        (processes / "17" / "cmdline").write_bytes("\0".join([*command, ""]).encode())

    def test_where_nothing_of_ours_runs_nothing_is_well(self, processes: Path):
        self.run(processes, ["worker-service", "check", "self"])
        with pytest.raises(Unhealthy, match="runs here"):
            check_self(Settings(), processes)

    @pytest.mark.parametrize(
        "command",
        [
            worker_command(),
            ["dramatiq", "--processes", "2", "worker_service.actors"],
            ["/usr/bin/python3", "/opt/bin/worker-service", "worker", "-p", "2"],
        ],
    )
    def test_worker_is_checked_as_one(
        self, processes: Path, redis_url: str, namespace: str, command: list[str]
    ):
        self.run(processes, command)
        given = Settings(redis_url=redis_url, namespace=namespace)
        with pytest.raises(Unhealthy, match="worker process"):
            check_self(given, processes)
        with connect(redis_url) as client:
            Store(client, namespace).open_session("mine", LEASE_MS, {"host": socket.gethostname()})
        check_self(given, processes)

    def test_scheduler_is_checked_as_one(self, processes: Path, redis_url: str, namespace: str):
        self.run(processes, scheduler_command())
        with pytest.raises(Unhealthy, match="scheduler process"):
            check_self(Settings(redis_url=redis_url, namespace=namespace), processes)

    def test_web_is_checked_as_one(self, processes: Path):
        given = Settings(http_port=free_port())
        self.run(processes, web_command(given))
        with pytest.raises(Unhealthy, match="web process does not answer"):
            check_self(given, processes)


class TestCommand:
    @pytest.fixture(autouse=True)
    def fresh_settings(self) -> Iterator[None]:
        settings.cache_clear()
        yield
        settings.cache_clear()

    def run(self, *arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(main, ["check", *arguments], env=environment)

    def test_fit_server_is_said_to_be(self, redis_url: str):
        done = self.run("redis", JOBS_REDIS_URL=redis_url)
        assert (done.exit_code, done.stdout) == (0, "The server is fit for jobs.\n")

    def test_warning_is_no_failure(self, server_binary: str | None):
        with EmbeddedServer(binary=server_binary, appendonly=False) as server:
            done = self.run("redis", JOBS_REDIS_URL=server.url)
        assert done.exit_code == 0
        assert done.stderr.startswith("Warning: Redis keeps no append-only file")

    def test_server_that_is_away_is_an_error_with_a_way_out_also_for_programs(self):
        done = self.run("redis", "--json", JOBS_REDIS_URL="redis://127.0.0.1:1/0")
        assert done.exit_code == 1
        (finding,) = json.loads(done.stdout)["findings"]
        assert (finding["level"], finding["about"]) == ("error", "redis")
        assert "JOBS_REDIS_URL" in finding["text"]
