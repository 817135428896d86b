"""A secret goes through a whole running service: its actor gets it, and nothing that the service says holds it."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.up.service import HERE, RunningService
from tests.waiting import wait_until
from worker_service.store import connect

TOKEN = 'marker-1 "/\u00e9'
PASSWORD = "marker-2"
MARKER = "marker-"


@pytest.fixture
def jobs(start: Any) -> tuple[RunningService, list[str]]:
    """The running service, and its jobs, which have ended."""
    service: RunningService = start(JOBS_ACTOR_MODULES="sensitive_actor")
    service.wait_until_ready()
    login = {"user": "ann", "password": PASSWORD}
    paths = [
        service.submit("sign_in", token=TOKEN, login=login),
        service.submit("fail_to_sign_in", token=TOKEN),
        service.submit("give_up", token=TOKEN),
        sent_by_position(service),
    ]
    ends = ["succeeded", "dead", "dead", "succeeded"]
    for path, end in zip(paths, ends, strict=True):
        service.wait_for_state(path, end)
    return service, paths


def sent_by_position(service: RunningService) -> str:
    code = (
        "from sensitive_actor import sign_in; import json, sys; "
        "print(sign_in.send(*json.loads(sys.argv[1])).message_id)"
    )
    python = Path(service.main.args[0]).parent / "python"  # type: ignore[index, arg-type]
    done = subprocess.run(
        [python, "-c", code, json.dumps([TOKEN, {"user": "bob", "password": PASSWORD}])],
        env={
            "PATH": os.environ["PATH"],
            "JOBS_DATA_DIR": str(service.folder / "data"),
            "JOBS_ACTOR_MODULES": "sensitive_actor",
        },
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return f"/v1/jobs/{done.stdout.strip()}"


def everything_said(service: RunningService, paths: list[str]) -> dict[str, str]:
    """Every answer to a GET that the document names, for every job, actor and schedule; and the log."""
    document = service.http.get("/openapi.json").json()
    names = {"id": [path.rpartition("/")[2] for path in paths], "name": ["sign_in", "secret"]}
    said = {"the log": service.output()}
    for path, methods in document["paths"].items():
        if "get" not in methods or path == "/v1/events":  # a stream without data
            continue
        key = path.partition("{")[2].partition("}")[0]
        for value in names.get(key, ["x"]):
            address = path.replace(f"{{{key}}}", value)
            said[address] = service.http.get(address).text
    pages = [
        f"/ui/{name}"
        for name in ("jobs", "jobs/export", "failures", "schedules", "schedules/secret", "workers")
    ]
    pages += [path.replace("/v1/", "/ui/") for path in paths]
    for more in ("/", "/docs", f"/v1/jobs?q={MARKER}", *pages):
        said[more] = service.http.get(more).text
    return said


def test_actor_gets_the_secret_and_nothing_that_is_said_holds_it(jobs: tuple[RunningService, list[str]]):
    service, paths = jobs
    definition = {"actor": "give_up", "args": {"token": TOKEN}, "every_ms": 3_600_000}
    assert MARKER not in service.http.put("/v1/schedules/secret", json=definition).text
    wrong = {
        "actor": "sign_in",
        "args": {"token": TOKEN, "login": {"user": 1, "password": PASSWORD}, "x": TOKEN},
    }
    assert MARKER not in service.http.post("/v1/jobs", json=wrong).text
    said = everything_said(service, paths)
    assert [where for where, text in said.items() if MARKER in text] == []
    for probe in (f"q={MARKER}", f"arg=token:{TOKEN}", f"arg=login.password:{PASSWORD}"):
        assert service.http.get(f"/v1/jobs?{probe}").json()["items"] == []

    proof = hashlib.sha256(f"{TOKEN}{PASSWORD}".encode()).hexdigest()
    for path in (paths[0], paths[3]):
        job = service.job(path)
        assert job["args"] == {
            "token": "***",
            "login": {"user": job["args"]["login"]["user"], "password": "***"},
        }
        assert job["result"]["proof"] == proof
        assert job["result"]["url"] == "https://example.org/?token=***"
    dead = service.job(paths[1])
    assert (dead["error"]["message"], dead["attempt"]) == ("cannot use '***'", 2)
    assert "server says: ***" in dead["error"]["traceback"]
    assert "signing in with *** as" in said["the log"]
    assert "ConnectionError: cannot use '***'" in said["the log"]


def test_store_has_it_in_the_arguments_and_what_follows_from_them_only(
    jobs: tuple[RunningService, list[str]],
):
    service, _ = jobs
    url = (service.folder / "data" / "redis-url").read_text()
    with connect(url) as client:
        told = {key.decode().split(":")[1] for key in client.scan_iter("*") if MARKER in held(client, key)}
    assert told <= {"msg", "out", "step"}  # arguments, and the results of the jobs and of their steps


def held(client: Any, key: bytes) -> str:
    read = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"set": client.smembers,
        b"stream": client.xrange,
    }
    return str(read[client.type(key)](key))


def test_a_job_is_put_back_with_the_secret_and_what_a_view_shows_is_none(
    jobs: tuple[RunningService, list[str]],
):
    service, paths = jobs
    shown = service.job(paths[2])["args"]
    refused = service.http.post(f"{paths[2]}/retry", json={"args": shown})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "masked")
    assert service.http.post(f"{paths[1]}/retry").status_code == 202
    wait_until(lambda: service.job(paths[1])["state"] == "dead", timeout=10)
    assert service.job(paths[1])["error"]["message"] == "cannot use '***'"
    again = service.http.post(f"{paths[2]}/retry", json={"args": {"token": TOKEN}})
    assert again.status_code == 202
    assert again.json()["args"] == {"token": "***"}
