"""Containers are killed, stopped and replaced while jobs come in: each that was accepted ends, and happens once."""

from typing import Any

import httpx2
import pytest

from tests.containers.deployment import COMMANDS, Deployment
from tests.containers.load import Load
from tests.waiting import wait_until


def some(load: Load, count: int) -> None:
    """Wait until so many more are accepted."""
    wanted = len(load.accepted) + count
    wait_until(lambda: len(load.accepted) >= wanted, timeout=60, message="jobs are not accepted any more")


def check(deployment: Deployment, load: Load) -> list[dict[str, Any]]:
    """Every job that was accepted has succeeded, and each order was charged once; returns the jobs."""
    assert load.refusals == []
    jobs = deployment.ended(list(load.accepted.values()))
    assert {job["state"] for job in jobs} == {"succeeded"}
    charged = deployment.bank.count("charge")
    assert {order: charged[order] for order in load.accepted} == dict.fromkeys(load.accepted, 1)
    return jobs


def test_every_part_is_healthy_and_has_no_rights(deployment: Deployment):
    for role in COMMANDS:
        assert deployment.containers.tell(f"{role}-1", "id", "-u") == "10001"
        with pytest.raises(AssertionError, match="Read-only"):
            deployment.containers.tell(f"{role}-1", "touch", "/app/x")
    assert httpx2.get(f"{deployment.urls[0]}/v1/jobs").status_code == 401
    schedules = deployment.http.get("/v1/schedules").json()["items"]
    assert {"generate_report", "cleanup_temp"} <= {each["name"] for each in schedules}


def test_jobs_of_a_killed_container_run_elsewhere(deployment: Deployment, bank: tuple[str, str]):
    with Load(deployment.urls, deployment.key, "kill", ms=400) as load:
        some(load, 40)
        deployment.containers.kill("worker-1")
        some(load, 40)
        deployment.start_one("worker-1", bank[0])
        some(load, 40)
    jobs = check(deployment, load)
    assert sum(job["crashes"] for job in jobs) >= 1  # it was not idle


def test_stopped_worker_ends_what_it_runs_and_gives_back_the_rest(
    deployment: Deployment, bank: tuple[str, str]
):
    with Load(deployment.urls, deployment.key, "stop", ms=400) as load:
        some(load, 40)
        assert deployment.stop("worker-2") == 0
        some(load, 20)
        deployment.start_one("worker-2", bank[0])
        some(load, 20)
    jobs = check(deployment, load)
    assert {(job["crashes"], job["attempt"]) for job in jobs} == {(0, 1)}


def test_nothing_is_lost_when_the_server_is_restarted(deployment: Deployment):
    with Load(deployment.urls, deployment.key, "server") as load:
        some(load, 40)
        deployment.containers.restart("valkey")
        some(load, 40)
    check(deployment, load)
    for role in COMMANDS:
        deployment.wait_until_healthy(f"{role}-1")


def test_new_image_takes_over_one_part_at_a_time_while_jobs_flow(
    deployment: Deployment, bank: tuple[str, str]
):
    with Load(deployment.urls, deployment.key, "upgrade") as load:
        some(load, 20)
        for role in ("worker", "web", "scheduler"):
            for number in (1, 2):
                assert deployment.replace(f"{role}-{number}", bank[1]) == 0
                some(load, 10)
    jobs = check(deployment, load)
    assert {job["crashes"] for job in jobs} == {0}
    versions = {deployment.containers.tell(f"{role}-1", "printenv", "JOBS_CODE_VERSION") for role in COMMANDS}
    assert versions == {"2"}
