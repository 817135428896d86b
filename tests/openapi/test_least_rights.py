"""A user of the server with the rights that docs/deploy.md names can do all that the service does."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import redis
from flask.testing import FlaskClient

from tests.openapi.reaching import REACHED
from tests.openapi.reaching import Service as Reaching
from tests.up.service import RunningService
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer

PAGE = Path(__file__).parents[2] / "docs" / "deploy.md"
LUA = Path(__file__).parents[2] / "worker_service" / "store" / "lua"
PASSWORD = "of-the-service"
SUM = {"actor": "add", "args": {"x": 1, "y": 1}}


def rights() -> list[str]:
    """What follows the name in the page's line."""
    _, _, rest = PAGE.read_text().partition("\nACL SETUSER jobs ")
    line, _, _ = rest.partition("\n```")
    return [word for word in line.split() if word != "\\"]


def version(client: redis.Redis) -> tuple[int, ...]:
    return tuple(map(int, client.info("server")["redis_version"].split(".")[:2]))


def granted() -> set[str]:
    return {word[1:].upper() for word in rights() if word.startswith("+")}


@pytest.fixture(scope="module")
def admin(server_binary: str | None) -> Iterator[redis.Redis]:
    """Whoever may do all on a server that has the user."""
    with EmbeddedServer(binary=server_binary, port=0) as server:
        client = redis.Redis.from_url(server.url)
        given = [f">{PASSWORD}" if word == ">PASSWORD" else word for word in rights()]
        if version(client) < (7, 2):
            given.remove("+waitaof")
        client.execute_command("ACL", "SETUSER", "jobs", *given)
        yield client
        client.close()


@pytest.fixture
def namespace(admin: redis.Redis) -> str:
    """The one of the page's key pattern, empty."""
    admin.flushall()
    return "jobs"


@pytest.fixture
def redis_url(admin: redis.Redis) -> str:
    """As the service is given it."""
    port = admin.connection_pool.connection_kwargs["port"]
    return f"redis://jobs:{PASSWORD}@127.0.0.1:{port}/0"


@pytest.fixture(autouse=True)
def _nothing_is_denied(admin: redis.Redis) -> Iterator[None]:
    admin.acl_log_reset()
    yield
    assert [(each["reason"], each["object"]) for each in admin.acl_log()] == []


@pytest.mark.parametrize(("id", "status"), [(id, status) for id, ways in REACHED.items() for status in ways])
def test_every_operation_works(client: FlaskClient, broker: JobBroker, id: str, status: int):
    with REACHED[id][status](Reaching(client, broker)) as answer:
        assert answer.status_code == status
        if answer.mimetype == "text/event-stream":
            assert next(answer.iter_encoded())


@pytest.fixture
def service(redis_url: str, namespace: str, tmp_path: Path) -> Iterator[RunningService]:
    """Web, worker and scheduler as processes, which are that user."""
    running = RunningService(
        tmp_path, JOBS_REDIS_URL=redis_url, JOBS_ACTOR_MODULES="sensitive_actor,waiting_actor"
    )
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


def post(service: RunningService, path: str, body: object = None, **headers: str) -> httpx2.Response:
    """POST what is accepted."""
    answer = service.http.post(path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer


def test_processes_run_retry_and_cancel_jobs(service: RunningService, tmp_path: Path):
    used_once = service.submit("sign_in", token="a-token", login={"user": "a", "password": "a-word"})
    given_up = service.submit("fail_to_sign_in", token="a-token")
    delayed = post(service, "/v1/jobs", {**SUM, "delay_ms": 500}).headers["Location"]
    for path in (service.submit("add", x=1, y=2), used_once, delayed):
        service.wait_for_state(path, "succeeded")
    service.wait_for_state(given_up, "dead")
    post(service, f"{given_up}/retry")
    wait_until(lambda: len(service.job(given_up)["attempts"]) == 4)

    running = service.submit("wait_for_file", path=str(tmp_path / "never"))
    service.wait_for_state(running, "running")
    post(service, f"{running}/cancel")
    service.wait_for_state(running, "cancelled")
    bulk = post(service, "/v1/jobs:retry", {"filter": {"actor": "fail_to_sign_in"}}).headers["Location"]
    assert service.wait_for_state(bulk, "succeeded")["result"]["done"] == 1


def test_processes_answer_those_who_wait_and_watch(service: RunningService):
    answer = post(service, "/v1/jobs", {**SUM, "delay_ms": 200}, Prefer="wait=10")
    assert answer.json()["state"] == "succeeded"
    for level in ("fsync", "memory"):
        safe = service.http.post("/v1/jobs", json=SUM, headers={"Durability": level})
        assert safe.status_code in (202, 422)  # what Debian's server cannot is refused
    watched = post(service, "/v1/jobs", {**SUM, "delay_ms": 500}).headers["Location"]
    with service.http.stream("GET", f"{watched}/events") as stream:
        assert any("succeeded" in line for line in stream.iter_lines())
    assert "worker_service_up 1" in service.http.get("/metrics").text


def test_schedules_are_fired_and_workers_are_told(service: RunningService):
    assert service.http.put("/v1/schedules/beat", json={**SUM, "every_ms": 1000}).status_code == 201
    wait_until(lambda: service.http.get("/v1/schedules/beat").json()["last_tick"])
    (worker,) = service.http.get("/v1/workers").json()["items"]
    post(service, f"/v1/workers/{worker['id']}/quiet")
    wait_until(lambda: service.http.get(f"/v1/workers/{worker['id']}").json()["state"] == "quiet")


def test_tools_work(service: RunningService, redis_url: str, tmp_path: Path):
    for command in (["doctor", "--repair"], ["check", "self"], ["check", "redis"], ["stats"]):
        tool = RunningService(
            tmp_path,
            arguments=command,
            JOBS_REDIS_URL=redis_url,
            JOBS_HTTP_PORT=str(service.port),
            JOBS_ACTOR_MODULES="",
        )
        assert tool.main.wait(60) == 0, tool.output()
        tool.http.close()


OF_CONNECTIONS = {"HELLO", "PING", "SELECT", "SUBSCRIBE", "UNSUBSCRIBE", "MULTI", "EXEC"}
NO_COMMANDS = {"CLIENT", "PUBSUB"}
"""Methods that send nothing by themselves."""
OF_LINES = {"EVAL", "EVALSHA", "SCRIPT|LOAD", "BZPOPMIN", "WAIT", "WAITAOF"}


def test_what_is_granted_is_what_the_code_sends(admin: redis.Redis):
    """What is written in scripts, and what is called on clients and pipelines."""
    known = {str(name, "ascii").upper() for name in admin.command_list()} | {"WAITAOF"}  # type: ignore[arg-type]
    in_scripts = {
        name
        for file in LUA.rglob("*.lua")
        for name in re.findall(r"'([A-Z]+)'", file.read_text())
        if name in known
    }
    in_python = {
        name.upper()
        for folder in (LUA.parent, LUA.parents[1] / "broker")
        for file in folder.rglob("*.py")
        for name in re.findall(r"(?:client|pipe|reads|second)\.([a-z]+?)(?:_iter)?\(", file.read_text())
        if name.upper() in known
    }
    wanted = (in_scripts | in_python | OF_CONNECTIONS | OF_LINES) - NO_COMMANDS
    assert sorted(wanted - granted()) == sorted(granted() - wanted) == []
