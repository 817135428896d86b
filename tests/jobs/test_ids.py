"""Ids of new jobs."""

import os
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


def test_process_and_its_copy_make_other_ids():
    new_job_id()  # draws numbers for the next ones too
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.write(write_end, new_job_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    other = os.read(read_end, 36).decode()
    os.close(read_end)
    os.close(write_end)
    assert other.partition("-7")[2][4:] != new_job_id().partition("-7")[2][4:]
