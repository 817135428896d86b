"""A real Prometheus scrapes a real service: rules and charts find what they ask for, and see what goes wrong."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.prometheus.server import DEPLOY, Prometheus
from tests.up.service import RunningService
from tests.waiting import wait_until

DASHBOARDS = sorted((DEPLOY.parent / "grafana" / "dashboards").glob("*.json"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Web, a worker and a scheduler that want a key, and have done something of everything."""
    key = "k" * 40
    running = RunningService(tmp_path_factory.mktemp("up"), JOBS_ADMIN_KEY=key, JOBS_LEASE_MS="3000")
    try:
        running.http.headers["Authorization"] = f"Bearer {key}"
        running.wait_until_ready()
        path = running.submit("add", x=2, y=3)
        running.wait_for_state(path, "succeeded")
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def prometheus(
    prometheus_program: str, service: RunningService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """It has scraped the service at least twice."""
    key = service.http.headers["Authorization"].removeprefix("Bearer ")
    running = Prometheus(
        prometheus_program, tmp_path_factory.mktemp("prometheus"), f"127.0.0.1:{service.port}", key
    )
    try:
        wait_until(
            lambda: (running.value("count_over_time(worker_service_up[1m])") or 0) >= 3, 30, "not scraped"
        )
        yield running
    finally:
        running.close()


def test_it_scrapes_with_a_key_and_takes_every_line(prometheus: Prometheus, service: RunningService):
    (target,) = prometheus.get("/api/v1/targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    shown = {
        line.split("{")[0].split(" ")[0]
        for line in service.http.get("/metrics").text.splitlines()
        if not line.startswith("#")
    }
    stored = {name for name in prometheus.get("/api/v1/label/__name__/values") if name in shown}
    assert stored == shown


def test_every_rule_is_evaluated_without_an_error(prometheus: Prometheus):
    def rules() -> list[dict[str, str]]:
        (group,) = prometheus.get("/api/v1/rules")["groups"]
        found: list[dict[str, str]] = group["rules"]
        return found

    wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()), 20, "not evaluated")
    assert {rule["health"] for rule in rules()} == {"ok"}
    assert len(rules()) == len(re.findall('"alert":', (DEPLOY / "alerts.yml").read_text()))


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_every_chart_shows_something(prometheus: Prometheus, service: RunningService, dashboard: Path):
    service.http.get("/v1/queues")
    service.http.post("/v1/jobs", json={"actor": "nobody"})
    service.submit("add", x=1, y=1)
    empty = {
        (panel["title"], target["expr"])
        for panel in json.loads(dashboard.read_text())["panels"]
        for target in panel["targets"]
    }

    def still_empty() -> set[tuple[str, str]]:
        nonlocal empty
        empty = {
            (title, expr)
            for title, expr in empty
            if not prometheus.query(expr.replace("$__rate_interval", "1m"))
        }
        return empty

    wait_until(lambda: not still_empty(), 20, f"charts of {dashboard.name} without anything")


def test_job_that_is_given_up_is_told_with_its_actor(prometheus: Prometheus, service: RunningService):
    path = service.submit("fetch_remote", url="http://127.0.0.1:1/")  # nothing of this machine is fetched
    service.wait_for_state(path, "dead")
    wait_until(lambda: "JobsDead" in prometheus.firing(), 20, "nobody is told")
    assert prometheus.query('ALERTS{alertname="JobsDead",actor="fetch_remote"}')


@contextmanager
def stopped(service: RunningService, word: str) -> Iterator[None]:
    """All processes of a service with this in their command line stand still."""
    pids = [pid for pid, command in service.processes().items() if word in command]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("word", "alert"),
    [("worker_service.actors", "NoWorker"), ("-m scheduler", "NoScheduler"), ("-server", "JobStoreAway")],
)
def test_process_that_stands_still_is_told_within_a_minute_and_when_it_goes_on(
    prometheus: Prometheus, service: RunningService, word: str, alert: str
):
    wait_until(lambda: alert not in prometheus.firing(), 30, "it fires although all is well")
    with stopped(service, word):
        wait_until(lambda: alert in prometheus.firing(), 60, "nobody is told")
    wait_until(lambda: alert not in prometheus.firing(), 30, "it fires although all is well again")
