"""A worker is killed in each phase of a job: it always runs again, and never once too often."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.process.workers import Service
from tests.waiting import wait_until
from worker_service.jobs.states import State


def test_a_job_whose_work_was_done_but_not_reported_runs_again(service: Service) -> None:
    [id] = service.submit("die_once", "job")

    service.supervise(lambda: service.reads.state(id) is State.SUCCEEDED, threads=2)

    assert service.effects("end")["job"] == 2
    job = service.reads.job(id)
    assert job is not None
    assert [delivery.outcome for delivery in job.deliveries] == ["crash", "complete"]


@pytest.mark.parametrize(("when", "runs"), [("before the write", 2), ("after the write", 1)])
def test_a_job_whose_outcome_was_on_its_way_runs_again_only_if_it_was_not_written(
    service: Service, tmp_path: Path, when: str, runs: int
) -> None:
    [id] = service.submit("quick", "job")
    env = {"DIE_WHEN": when, "DIE_ONCE_FILE": str(tmp_path / "died")}
    service.worker(module="dies_flushing", env=env).wait()

    service.worker()

    wait_until(lambda: service.reads.state(id) is State.SUCCEEDED)
    assert service.effects("end")["job"] == runs
    job = service.reads.job(id)
    assert job is not None
    assert job.crashes == 0  # its function had ended: it is not to blame


def test_a_job_on_a_queue_that_nobody_consumes_any_more_is_rescued(service: Service) -> None:
    [id] = service.submit("hold", "job", 30.0)
    only = service.worker()
    wait_until(lambda: service.effects("start")["job"] == 1)
    only.kill_group()  # its keeper too: nobody of that host is left

    service.worker(more=["-Q", "service"])

    wait_until(lambda: service.reads.state(id) is State.RETRYING, message="nobody rescued it")
    assert service.reads.running() == 0
    job = service.reads.job(id)
    assert job is not None
    assert job.deliveries[-1].error is not None
    assert job.deliveries[-1].error["message"].endswith(") fell silent")


@pytest.mark.soak
def test_one_poison_job_among_a_thousand_dies_alone(make_service: Callable[..., Service]) -> None:
    service = make_service()
    before = service.submit("quick", "before{i}", count=500)
    [poison] = service.submit("die", "poison")
    after = service.submit("quick", "after{i}", count=499)

    service.supervise(
        lambda: service.reads.state(poison) is State.DEAD and service.in_state("succeeded") == 999,
        timeout=120,
    )

    assert service.in_state("dead") == 1
    job = service.reads.job(poison)
    assert job is not None
    assert (job.reason, job.crashes) == ("worker_lost", 3)
    assert {job.crashes for id in (*before, *after) if (job := service.reads.job(id))} <= {0, 1}


@pytest.mark.soak
def test_an_innocent_job_beside_one_killer_after_the_other_succeeds_and_each_of_those_dies(
    service: Service,
) -> None:
    [innocent] = service.submit("hold", "innocent", 8.0)
    first = service.worker(threads=4)
    wait_until(lambda: service.effects("start")["innocent"] == 1)
    first.kill("worker")  # as a deploy or the system may
    first.wait()
    killers: list[str] = []

    def all_ended() -> bool:
        if len(killers) < 2 and service.effects("start")["innocent"] == len(killers) + 2:
            killers.extend(service.submit("die", f"killer{len(killers)}"))
        return service.in_state("dead") == 2 and service.reads.state(innocent) is State.SUCCEEDED

    service.supervise(all_ended, timeout=120, threads=4)

    jobs = [job for id in (innocent, *killers) if (job := service.reads.job(id))]
    assert [(job.state, job.crashes) for job in jobs] == [
        (State.SUCCEEDED, 2),
        (State.DEAD, 3),
        (State.DEAD, 3),
    ]
    assert service.effects("start")["innocent"] == 3


@pytest.mark.soak
def test_seven_jobs_beside_one_that_holds_the_interpreter_for_a_minute_run_once(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(lease_ms=15_000)  # the real lease, four times over
    ids = service.submit("hold_interpreter", "hog", 60)
    ids += service.submit("hold", "beside{i}", 1.0, count=7)
    service.worker(threads=8)
    service.worker(threads=8)

    wait_until(lambda: service.in_state("succeeded") == 8, timeout=150)

    assert set(service.effects("start").values()) == {1}
    assert {job.crashes for id in ids if (job := service.reads.job(id))} == {0}
