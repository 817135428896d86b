"""Containers are killed, stopped and replaced while jobs come in: each that was accepted ends, and happens once."""

import re
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.containers import compose
from tests.containers.deployment import Deployment
from tests.containers.load import Load
from tests.containers.podman import Containers
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


@pytest.mark.parametrize("role", compose.ROLES)
def test_each_is_healthy_and_has_no_rights(deployment: Deployment, role: str):
    tell = deployment.containers.tell
    assert deployment.containers.is_healthy(f"{role}-1")
    tell(f"{role}-1", *compose.health_check(role))
    status = tell(f"{role}-1", "cat", "/proc/1/status")
    assert re.search(r"^Uid:\s+10001\s+10001\s+10001\s+10001$", status, re.MULTILINE)
    assert set(re.findall(r"^Cap\w+:\s+(\w+)$", status, re.MULTILINE)) == {"0" * 16}
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)


@pytest.mark.parametrize(
    ("role", "writable"),
    [("web", {"/keys"}), ("worker", {"/data"}), ("scheduler", set()), ("valkey", {"/data"})],
)
def test_each_can_write_only_where_compose_says(deployment: Deployment, role: str, writable: set[str]):
    one = role if role == compose.SERVER else f"{role}-1"
    mounts = [line.split() for line in deployment.containers.tell(one, "cat", "/proc/mounts").splitlines()]
    assert [options.split(",")[0] for _, place, _, options, *_ in mounts if place == "/"] == ["ro"]
    script = "for place in / /app /bin /data /etc /keys /opt /run /tmp /usr /var /var/tmp; do "
    script += "touch $place/x 2>/dev/null && rm $place/x && echo $place; done; true"
    assert set(deployment.containers.tell(one, "sh", "-c", script).split()) == {"/tmp"} | writable


def test_nobody_without_a_key_posts_a_job(deployment: Deployment):
    order = {"actor": "charge", "args": {"order": "unpaid", "ms": 0}}
    for headers in ({}, {"Authorization": f"Bearer {deployment.key[::-1]}"}):
        for url in deployment.urls:
            assert httpx2.post(f"{url}/v1/jobs", json=order, headers=headers).status_code == 401
    assert deployment.http.get("/v1/jobs", params={"actor": "charge"}).json()["items"] == []


def test_what_a_worker_writes_the_other_one_reads(deployment: Deployment):
    answer = deployment.http.post("/v1/jobs", json={"actor": "generate_report", "args": {}})
    (job,) = deployment.ended([answer.json()["id"]])
    assert job["state"] == "succeeded", job["error"]
    for one in ("worker-1", "worker-2"):
        assert "actor," in deployment.containers.tell(one, "cat", f"/data/files/{job['result']['csv']}")


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
        assert deployment.containers.stop("worker-2") == 0
        some(load, 20)
        deployment.start_one("worker-2", bank[0])
        some(load, 20)
    jobs = check(deployment, load)
    assert {(job["crashes"], job["attempt"]) for job in jobs} == {(0, 1)}


@pytest.mark.parametrize("end", [Containers.stop, Containers.kill])
def test_nothing_is_lost_when_the_server_ends_and_starts_again(
    deployment: Deployment, end: Callable[[Containers, str], object]
):
    with Load(deployment.urls, deployment.key, f"server-{end.__name__}") as load:
        some(load, 40)
        end(deployment.containers, compose.SERVER)
        deployment.containers.start_again(compose.SERVER)
        some(load, 40)
    check(deployment, load)
    for one in deployment.ours():
        deployment.wait_until_healthy(one)


def test_new_image_takes_over_one_part_at_a_time_while_jobs_flow(
    deployment: Deployment, bank: tuple[str, str]
):
    with Load(deployment.urls, deployment.key, "upgrade") as load:
        some(load, 20)
        for one in [f"{role}-{number}" for role in ("worker", "web", "scheduler") for number in (1, 2)]:
            assert deployment.replace(one, bank[1]) == 0
            some(load, 10)
    jobs = check(deployment, load)
    assert {job["crashes"] for job in jobs} == {0}
    versions = {deployment.containers.tell(one, "printenv", "JOBS_CODE_VERSION") for one in deployment.ours()}
    assert versions == {"2"}
