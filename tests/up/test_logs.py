"""What all processes log: one line of JSON for each event, which says of which job and of which request it is."""

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.up.service import COMMAND, HERE, RunningService
from tests.waiting import wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {"X-Request-Id": "order-77", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
SECRET = "swordfish-91"
PAYLOAD = "a-text-that-nobody-should-read"

Line = dict[str, Any]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """All processes, whose lines are JSON, after jobs of every kind."""
    running = RunningService(
        tmp_path_factory.mktemp("logs"), JOBS_LOG_FORMAT="json", JOBS_ACTOR_MODULES="chatty_actor"
    )
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


def post(service: RunningService, actor: str, **args: Any) -> str:
    """Ask for a job as somebody who names his request, and wait for its end; returns its id."""
    answer = service.http.post("/v1/jobs", json={"actor": actor, "args": args}, headers=HEADERS)
    assert answer.status_code == 202, answer.text
    path = answer.headers["Location"]
    wait_until(lambda: service.job(path)["state"] in ("succeeded", "dead"), message="the job does not end")
    return str(path.rpartition("/")[2])


def lines(service: RunningService) -> list[Line]:
    """All lines but those that `up` prints for people to copy."""
    found = [line for line in service.output().splitlines() if line.startswith("{")]
    return [json.loads(line) for line in found]


def of_job(service: RunningService, id: str, until: str) -> list[Line]:
    """The worker's lines of a job, once this event is among them."""

    def found() -> list[Line]:
        return [
            line
            for line in lines(service)
            if line.get("job_id") == id and line["logger"] != "worker_service.requests"
        ]

    wait_until(lambda: until in [line["event"] for line in found()], message=f"no line {until!r}")
    return found()


def test_every_line_of_a_job_says_of_which_it_is_and_who_asked_for_it(service: RunningService):
    id = post(service, "chat", text=PAYLOAD)
    found = of_job(service, id, "succeeded")
    assert [(line["logger"], line["level"], line["event"]) for line in found] == [
        ("elsewhere", "warning", "a line of a foreign logger"),
        ("team", "info", "a line of structlog"),
        ("worker_service.jobs", "info", "succeeded"),
    ]
    for line in found:
        assert (line["actor"], line["queue"], line["attempt"]) == ("chat", "default", 1)
        assert (line["request_id"], line["trace_id"]) == ("order-77", TRACE)
        assert line["worker"]
        assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None
        assert isinstance(line["pid"], int)
    assert found[1]["size"] == len(PAYLOAD)
    assert found[-1]["run_ms"] >= 0


def test_lines_of_coroutines_that_run_at_once_are_each_of_their_job(service: RunningService):
    bodies = [{"actor": "chat_later", "args": {"number": number}} for number in range(5)]
    answer = service.http.post("/v1/jobs:batch", json=bodies).json()
    ids = [item["job"]["id"] for item in answer["items"]]
    for id in ids:
        found = of_job(service, id, "succeeded")
        assert [line["event"] for line in found] == ["a line of a coroutine", "succeeded"]


def test_failing_job_says_how_each_attempt_ended_without_what_is_secret(service: RunningService):
    id = post(service, "fail_with", token=SECRET)
    ends = [line for line in of_job(service, id, "dead") if line["logger"] == "worker_service.jobs"]
    assert [(line["event"], line["level"], line["attempt"]) for line in ends] == [
        ("retrying", "warning", 1),
        ("dead", "error", 2),
    ]
    retried, dead = ends
    assert retried["again_in_ms"] == 10
    assert dead["reason"] == "attempts_exhausted"
    assert dead["error"] == "ValueError: *** is refused"
    assert dead["exception"].endswith("ValueError: *** is refused")
    assert "fail_with" in dead["exception"]


def test_job_that_was_to_come_again_later_is_no_failure_and_has_no_traceback(service: RunningService):
    id = post(service, "later_once")
    first = next(line for line in of_job(service, id, "snoozed") if line["event"] == "snoozed")
    assert (first["level"], first["error"]) == ("info", "RetryLater: the partner is busy")
    assert "exception" not in first


def test_request_says_what_it_asked_for_and_with_which_job_it_was_answered(service: RunningService):
    id = post(service, "chat", text=PAYLOAD)
    (asked,) = wait_until(  # lines of requests are written together, some milliseconds later
        lambda: [
            line
            for line in lines(service)
            if line["logger"] == "worker_service.requests" and line.get("job_id") == id
        ]
    )
    assert (asked["event"], asked["status"], asked["request_id"]) == ("POST /v1/jobs", 202, "order-77")
    assert (asked["key"], asked["address"], asked["level"]) == ("local", "127.0.0.1", "info")
    service.http.post("/v1/jobs", json={"actor": "nobody"}, headers={"X-Request-Id": "wrong-1"})
    wait_until(lambda: any(line.get("request_id") == "wrong-1" for line in lines(service)))
    (refused,) = [line for line in lines(service) if line.get("request_id") == "wrong-1"]
    assert (refused["status"], refused["problem"]) == (422, "invalid-job")


def test_every_process_writes_json_and_none_a_payload_or_a_secret(service: RunningService):
    post(service, "chat", text=PAYLOAD)
    post(service, "fail_with", token=SECRET)
    said = {"worker", "scheduler", "worker_service", "dramatiq"}
    wait_until(lambda: said <= {line["logger"].partition(".")[0] for line in lines(service)})
    for word in (PAYLOAD, SECRET):
        assert word not in service.output()


def test_what_only_reads_is_logged_when_somebody_wants_to_know(start: Callable[..., RunningService]):
    running = start(JOBS_LOG_FORMAT="json", JOBS_LOG_LEVEL="debug", JOBS_ACTOR_MODULES="chatty_actor")
    running.wait_until_ready()
    id = post(running, "chat", text="x")
    assert of_job(running, id, "succeeded")[0]["event"] == "started"
    wait_until(lambda: "GET /v1/jobs/<id>" in [line["event"] for line in lines(running)])


def test_nothing_is_said_below_the_level(start: Callable[..., RunningService]):
    running = start(JOBS_LOG_FORMAT="json", JOBS_LOG_LEVEL="error", JOBS_ACTOR_MODULES="chatty_actor")
    running.wait_until_ready()
    post(running, "chat", text="x")
    id = post(running, "fail_with", token=SECRET)
    assert [line["event"] for line in of_job(running, id, "dead")] == ["trying ***", "trying ***", "dead"]
    others = {
        line["level"] for line in lines(running) if line["logger"] not in ("up", "worker", "web", "scheduler")
    }
    assert others == {"error"}


def on_terminal(command: list[str | Path], cwd: Path, until: str, **settings: str) -> str:
    """What a command writes to a terminal until this is there."""
    ours, theirs = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JOBS_")}
    process = subprocess.Popen(
        command, cwd=cwd, env={**inherited, **settings}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    try:
        while until.encode() not in said:
            said += os.read(ours, 65536)
    finally:
        process.terminate()
        os.set_blocking(ours, False)
        process.wait(30)
        os.close(ours)
    return said.decode()


def test_terminal_shows_lines_for_people_in_colour_wherever_the_process_writes_them(
    redis_url: str, namespace: str
):
    settings = {"JOBS_REDIS_URL": redis_url, "JOBS_NAMESPACE": namespace, "TERM": "xterm"}
    said = on_terminal([COMMAND, "worker"], HERE, "Worker process is ready for action.", **settings)
    (ready,) = [line for line in said.splitlines() if "ready for action" in line]
    assert "\x1b[" in ready
    assert "{" not in ready


def test_log_of_a_web_process_alone_is_json_where_no_terminal_is(
    redis_url: str, namespace: str, tmp_path: Path
):
    running = RunningService(
        tmp_path,
        arguments=["web"],
        JOBS_REDIS_URL=redis_url,
        JOBS_NAMESPACE=namespace,
        JOBS_ACTOR_MODULES="",
        JOBS_LOG_FORMAT="auto",
    )
    try:
        wait_until(running.is_ready, 20, "web is not ready")
        running.http.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}})
        wait_until(lambda: any(line["event"] == "POST /v1/jobs" for line in lines(running)))
    finally:
        running.close()
