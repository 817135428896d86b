"""``worker-service check``: what the health checks of containers run."""

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from scheduler.clock import Clock
from scheduler.leadership import Leadership
from worker_service.check import Unhealthy, check_scheduler, check_web, check_worker
from worker_service.jobs.errors import StoreUnavailable
from worker_service.settings import Settings
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

    def test_server_that_is_away_is_said(self):
        with pytest.raises(StoreUnavailable):
            check_worker(Settings(redis_url="redis://127.0.0.1:1/0"))


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
