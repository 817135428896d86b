"""Ids of new jobs."""

import time
import uuid

from worker_service.jobs.ids import new_job_id


def test_it_is_a_uuid_of_version_7_that_says_when():
    before = time.time_ns() // 1_000_000
    id = uuid.UUID(new_job_id())
    assert (id.version, id.variant) == (7, uuid.RFC_4122)
    assert before <= id.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_of_one_millisecond_sort_by_their_creation():
    made = []
    for _ in range(200):
        made.append(new_job_id())
        until = time.perf_counter_ns() + 1_000
        while time.perf_counter_ns() < until:
            pass
    assert made == sorted(made)
    assert len({id[:13] for id in made}) < len(made)
