"""Finished jobs are removed faster than they can come."""

import time

from tests.process.workers import Service
from tests.store.builders import a_job
from tests.waiting import wait_until

DAY_MS = 24 * 3600 * 1000


def test_what_is_past_its_retention_is_gone_in_seconds_however_much_it_is(service: Service) -> None:
    for first in range(0, 12_000, 500):
        jobs = [a_job(f"old-{i}", dead_reason="too_old") for i in range(first, first + 500)]
        service.store.submit(jobs, now_ms=time.time_ns() // 1_000_000 - 31 * DAY_MS)
    dead = service.store.keys.final("dead")
    assert service.store.client.zcard(dead) == 12_000
    service.worker(threads=1)
    wait_until(lambda: service.store.client.zcard(dead) == 0, timeout=20)
