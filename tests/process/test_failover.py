"""Sentinels choose another primary under load: the service goes on by itself, and what was promised is there."""

import itertools
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.process.sentinels import PASSWORD, SENTINELS_PASSWORD, Sentinels
from tests.up.service import RunningService
from tests.waiting import wait_until

logger = logging.getLogger(__name__)
LEVELS = ("memory", "fsync", "replica")
MORE = 20


@pytest.fixture
def sentinels(server_binary: str | None) -> Iterator[Sentinels]:
    """Servers that this test may kill."""
    running = Sentinels(server_binary)
    yield running
    running.close()


@pytest.fixture
def service(sentinels: Sentinels, tmp_path: Path) -> Iterator[RunningService]:
    """The whole service, which knows only the sentinels."""
    running = RunningService(tmp_path, JOBS_REDIS_URL=sentinels.url, JOBS_ACTOR_MODULES="")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


class Sender:
    """Submits jobs at one level of durability, each again until it is accepted; use it in a ``with``."""

    def __init__(self, service: RunningService, level: str) -> None:
        self.accepted: list[str] = []
        self._accepted_at: list[float] = []
        self._http = httpx2.Client(base_url=service.http.base_url, timeout=15)
        self._level = level
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send_all)

    def __enter__(self) -> "Sender":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._http.close()

    def first_after_gap(self, begin: float) -> float:
        """Seconds from an instant to the end of the longest pause after it in which nothing was accepted."""
        instants = [begin, *(at for at in self._accepted_at if at > begin)]
        return max(itertools.pairwise(instants), key=lambda pair: pair[1] - pair[0])[1] - begin

    def _send_all(self) -> None:
        number = 0
        while not self._stopped.is_set():
            number += 1
            while not self._is_accepted(number) and not self._stopped.is_set():
                time.sleep(0.05)

    def _is_accepted(self, number: int) -> bool:
        headers = {"Idempotency-Key": f"{self._level}-{number}", "Durability": self._level}
        answer = self._http.post(
            "/v1/jobs", json={"actor": "add", "args": {"x": 1, "y": number}}, headers=headers
        )
        if answer.status_code == 202:
            self._accepted_at.append(time.monotonic())
            self.accepted.append(answer.headers["Location"])
        else:
            assert answer.status_code == 503, answer.text
        return answer.status_code == 202


def last_tick(service: RunningService) -> str:
    """When the schedule was fired last."""
    return str(service.http.get("/v1/schedules/beat").json()["last_tick"])


@pytest.mark.soak
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "cut_off"])
def test_service_follows_to_the_new_primary_and_loses_nothing_that_two_servers_had(
    service: RunningService, sentinels: Sentinels, how: signal.Signals
):
    schedule = {"actor": "add", "args": {"x": 1, "y": 1}, "every_ms": 1000}
    assert service.http.put("/v1/schedules/beat", json=schedule).status_code in (200, 201)
    with all_sending(service) as senders:
        wait_for_more(senders)
        begin = time.monotonic()
        chosen_after = sentinels.lose_host(how)
        wait_for_more(senders)
        back_after = max(sender.first_after_gap(begin) for sender in senders.values())
    ran_after = seconds_until_one_runs(service, begin)
    logger.info(
        "another primary after %.1f s, jobs accepted after %.1f s, run after %.1f s",
        chosen_after,
        back_after,
        ran_after,
    )
    assert max(back_after, ran_after) < 30
    assert lost(service, senders)["replica"] == 0
    before = last_tick(service)
    wait_until(lambda: last_tick(service) > before, timeout=15, message="schedules are not fired any more")
    assert PASSWORD not in service.output()
    assert SENTINELS_PASSWORD not in service.output()


@pytest.mark.soak
def test_what_no_other_server_had_is_lost_and_was_not_accepted_as_replicated(
    service: RunningService, sentinels: Sentinels
):
    with all_sending(service) as senders:
        wait_for_more(senders)
        others = {level: senders[level] for level in ("memory", "fsync")}
        sentinels.lose_primary_with_what_no_replica_has(lambda: wait_for_more(others))
        wait_for_more(senders)
    found = lost(service, senders)
    assert found["memory"] >= MORE
    assert found["fsync"] >= MORE
    assert found["replica"] == 0


@contextmanager
def all_sending(service: RunningService) -> Iterator[dict[str, Sender]]:
    """Submit at each level meanwhile."""
    senders = {level: Sender(service, level) for level in LEVELS}
    with ExitStack() as stack:
        for sender in senders.values():
            stack.enter_context(sender)
        yield senders


def lost(service: RunningService, senders: Mapping[str, Sender]) -> dict[str, int]:
    """How many of the accepted jobs of each level are not there; waits until all others have succeeded."""
    found = {}
    for level, sender in senders.items():
        kept = [path for path in sender.accepted if service.http.get(path).status_code != 404]
        found[level] = len(sender.accepted) - len(kept)
        for path in kept:
            service.wait_for_state(path, "succeeded", timeout=30)
        logger.info("%s: accepted %d, lost %d", level, len(sender.accepted), found[level])
    return found


def seconds_until_one_runs(service: RunningService, begin: float) -> float:
    """From an instant until a job that is submitted now has succeeded; those before it are run first or beside it."""
    service.wait_for_state(service.submit("add", x=1, y=1), "succeeded", timeout=30)
    return time.monotonic() - begin


def wait_for_more(senders: Mapping[str, Sender]) -> None:
    """Until each has some more accepted."""
    marks = {level: len(sender.accepted) + MORE for level, sender in senders.items()}
    wait_until(
        lambda: all(len(senders[level].accepted) >= mark for level, mark in marks.items()),
        timeout=60,
        message="nothing is accepted any more",
    )
