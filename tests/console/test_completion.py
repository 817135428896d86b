"""What shells complete: asked of real shells, which run the script that ``worker-service completion`` prints."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dramatiq
import pytest

from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.broker.schedules import Timetable

PROGRAMS = Path(sys.executable).parent
ASK_BASH = """
eval "$(worker-service completion bash)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_worker_service_completion worker-service
printf '%s\\n' "${COMPREPLY[@]}"
"""
ASK_ZSH = """
compdef() { : }
compadd() { shift 4; print -rl -- ${(P)1} }
_describe() { print -rl -- ${${(P)3}%%:*} }
eval "$(worker-service completion zsh)"
words=("$@")
CURRENT=$#
_worker_service_completion
"""
ASK_FISH = """
worker-service completion fish | source
complete --do-complete (string join ' ' -- $argv)
"""

Complete = Callable[..., list[str]]


def _run(shell: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    arguments = {
        "bash": ["--norc", "-c", ASK_BASH, "bash"],
        "zsh": ["-f", "-c", ASK_ZSH, "zsh"],
        "fish": ["--no-config", "-c", ASK_FISH],
    }[shell]
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "REDIS_"))
    }
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [shell, *arguments, "worker-service", *words],
        env={**inherited, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture(
    params=[
        pytest.param(
            shell,
            marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed"),
        )
        for shell in ("bash", "zsh", "fish")
    ]
)
def complete(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Complete:
    """What a shell offers for the last of some words; prints nothing beside."""

    def complete(*words: str) -> list[str]:
        found = _run(request.param, *words, JOBS_REDIS_URL=redis_url, JOBS_NAMESPACE=namespace)
        assert found.stderr == ""
        return [line.partition("\t")[0] for line in found.stdout.splitlines() if line]

    return complete


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


def test_commands_options_and_states(complete: Complete):
    assert complete("jo") == ["jobs"]
    assert {"ls", "tail", "retry"} <= set(complete("jobs", ""))
    assert complete("jobs", "ls", "--que") == ["--queue"]
    assert complete("jobs", "retry", "--state", "d") == ["dead"]


def test_names_of_this_service(complete: Complete, broker: JobBroker, worker: dramatiq.Worker):
    broker.actors["add"].send(1)
    Timetable(broker, "UTC").put("hourly", {"actor": "add", "args": {"x": 1}, "cron": "0 * * * *"})
    wait_until(broker.reads.sessions)
    assert complete("queues", "pause", "def") == ["default"]
    assert complete("schedules", "run", "") == ["hourly"]
    assert complete("submit", "gr") == ["greet"]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "nonsense", None])
def test_nothing_is_said_and_nobody_waits_where_the_server_cannot_be_asked(url: str | None, silent: str):
    began = time.monotonic()
    found = _run("bash", "queues", "pause", "", JOBS_REDIS_URL=url or silent)
    assert (found.stdout.strip(), found.stderr) == ("", "")
    assert time.monotonic() - began < 10


def test_completion_and_help_load_nothing_large():
    code = "import sys, worker_service.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"rich", "flask", "dramatiq", "httpx2", "redis", "pydantic"} & set(loaded.split())
