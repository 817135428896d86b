"""The doctor has nothing to say of a healthy store, however much moves in it while it looks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dramatiq
import pytest

from tests.process.workers import Service
from tests.waiting import wait_until
from worker_service.broker.submission import encode
from worker_service.embedded import EmbeddedServer
from worker_service.store import NewJob
from worker_service.store.doctor import examine

MEMBERS, GROUPS = 10, 100


@pytest.fixture(scope="module")
def alone(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server without the keys of other tests, at all of which the doctor would look."""
    with EmbeddedServer(binary=server_binary, appendonly=False) as running:
        yield running


@pytest.fixture
def redis_url(alone: EmbeddedServer) -> str:
    """Its address."""
    return alone.url


def submit_groups(service: Service) -> None:
    for number in range(GROUPS):
        group = f"group{number}"
        message: dramatiq.Message[Any] = dramatiq.Message("default", "quick", (f"callback{number}",), {}, {})
        callback = NewJob(message.message_id, "default", "quick", encode(message))
        service.store.create_group(group, MEMBERS, 86_400_000)
        service.submit(
            "quick", group + "-{i}", count=MEMBERS, group=group, is_member=True, callbacks=(callback,)
        )


def submit_all(service: Service) -> int:
    """Submit jobs of every fate, some of which are cancelled; returns how many there will be."""
    for wave in range(5):
        ids = service.submit("quick", f"job{wave}-" + "{i}", count=1_000)
        service.submit("falter", f"second{wave}-" + "{i}", count=100)
        service.submit("quick", f"later{wave}-" + "{i}", count=400, delay_ms=1_500)
        for id in ids[::-10]:
            service.store.cancel(id)
    submit_groups(service)
    return 5 * 1_500 + GROUPS * (MEMBERS + 1)


def test_nothing_is_found_while_workers_work_and_a_repair_changes_nothing(service: Service) -> None:
    for _ in range(2):
        service.worker()
    wait_until(lambda: len(service.sessions()) == 2, timeout=30)
    looks = 0

    def look() -> bool:
        nonlocal looks
        report = examine(service.store.client, service.store.namespace, repair=looks % 2 == 1)
        assert report.findings == []
        looks += 1
        ended = service.in_state("succeeded") + service.in_state("cancelled")
        return looks >= 2 and submitting.done() and ended == submitting.result()

    with ThreadPoolExecutor(1) as thread:
        submitting = thread.submit(submit_all, service)
        wait_until(look, timeout=100)
    assert set(service.effects("end").values()) == {1}


def test_damage_is_repaired_under_load_and_every_job_runs(service: Service) -> None:
    ids = service.submit("quick", "job{i}", count=4_000)
    held = service.submit("hold", "held", 2.0, priority=-1)
    for _ in range(2):
        service.worker()
    wait_until(lambda: service.effects("start")["held"] == 1, timeout=30)
    keys, client = service.store.keys, service.store.client
    [session] = [each for each in service.sessions() if client.hexists(keys.running(each), held[0])]
    client.zrem(keys.sessions, session)
    client.delete(keys.ready("default"), keys.queues)

    repaired = examine(client, service.store.namespace, repair=True)

    assert {finding.what for finding in repaired.findings} >= {"misplaced", "abandoned"}
    assert repaired.left == []
    wait_until(lambda: service.in_state("succeeded") == len(held + ids), timeout=60)
    assert set(service.effects("end")) == {"held", *(f"job{i}" for i in range(4_000))}
    assert examine(client, service.store.namespace).findings == []
