"""Vitals: what the server says of itself, asked at most once a second."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from worker_service.embedded import EmbeddedServer
from worker_service.jobs.errors import StoreFull
from worker_service.store import Vitals, connect
from worker_service.store.vitals import AGE_SECONDS


class Clock:
    """Moved by the test."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vitals(limited_server: EmbeddedServer, clock: Clock) -> Iterator[Vitals]:
    with connect(limited_server.url) as client:
        yield Vitals(client, clock)
        client.config_set("maxmemory", "0")


def use(vitals: Vitals, part: float) -> None:
    """Set the limit so that this part of it is used."""
    used = vitals._client.info("memory")["used_memory"]
    vitals._client.config_set("maxmemory", int(used / part))


def test_jobs_are_taken_up_to_the_high_water_mark(vitals: Vitals, clock: Clock):
    use(vitals, 0.7)
    vitals.check_memory()
    use(vitals, 0.9)
    clock.now += AGE_SECONDS
    with pytest.raises(StoreFull, match=r"uses \d\d % of its memory limit: from 80 % on"):
        vitals.check_memory()


def test_server_without_a_limit_is_never_full(vitals: Vitals):
    vitals.check_memory()


def test_it_asks_once_a_second(vitals: Vitals, clock: Clock):
    def calls() -> int:
        return int(vitals._client.info("commandstats")["cmdstat_info"]["calls"])

    vitals._client.info()
    before = calls()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: vitals.check_memory(), range(50)))
    assert calls() == before + 1 + 4  # the first look here; four sections
    clock.now += AGE_SECONDS
    vitals.check_memory()
    assert calls() == before + 1 + 4 + 1 + 4
