"""The console asks for nothing that the OpenAPI document does not list: each command is run, its requests compared."""

import json
import re
from collections.abc import Iterator, Mapping

import click
import httpx2
import pytest

from tests.console.conftest import Run
from tests.openapi.documents import CHECKED_IN
from worker_service.console import COMMANDS

ARGUMENTS = {
    "actors ls": "",
    "actors show": "add",
    "alerts": "",
    "failures": "",
    "jobs cancel": "some-id",
    "jobs delete": "some-id",
    "jobs explain": "some-id",
    "jobs ls": "--state dead --tag red",
    "jobs retry": "--state dead --dry-run",
    "jobs run-now": "some-id",
    "jobs show": "some-id",
    "jobs tail": "some-id",
    "keys add": "some-name --scope submit",
    "keys ls": "",
    "keys revoke": "some-id",
    "keys rotate": "some-id",
    "openapi": "",
    "ping": "",
    "queues ls": "",
    "queues pause": "default --reason why",
    "queues purge": "default --confirm default",
    "queues resume": "default",
    "schedules backfill": "some-name 2025-01-01T00:00:00Z 2025-01-02T00:00:00Z",
    "schedules delete": "some-name",
    "schedules history": "some-name",
    "schedules ls": "",
    "schedules next": "some-name",
    "schedules put": "some-name -",
    "schedules pause": "some-name --note why",
    "schedules resume": "some-name",
    "schedules run": "some-name",
    "schedules show": "some-name",
    "stats": "",
    "submit": "add x=1",
    "top": "--once",
    "workers ls": "",
    "workers quiet": "some-id",
    "workers show": "some-id",
    "workers stop": "some-id",
}
"""Of every command that asks the service."""

ASKS_NOTHING = {"completion", "config"}


def names(commands: Mapping[str, click.Command], before: str = "") -> Iterator[str]:
    """All commands, with those of groups."""
    for name, command in commands.items():
        if isinstance(command, click.Group):
            yield from names(command.commands, f"{before}{name} ")
        else:
            yield before + name


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Method and path of every request that is sent."""
    found: set[tuple[str, str]] = set()
    handle = httpx2.WSGITransport.handle_request

    def remember(self: httpx2.WSGITransport, request: httpx2.Request) -> httpx2.Response:
        found.add((request.method.lower(), request.url.path))
        return handle(self, request)

    monkeypatch.setattr(httpx2.WSGITransport, "handle_request", remember)
    return found


@pytest.fixture(scope="session")
def documented() -> list[tuple[str, re.Pattern[str]]]:
    """Method and path of every operation of the document."""
    paths = json.loads(CHECKED_IN.read_text())["paths"]
    return [
        (method, re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path, methods in paths.items()
        for method in methods
    ]


def test_every_command_is_compared():
    assert set(names(COMMANDS)) == ARGUMENTS.keys() | ASKS_NOTHING


@pytest.mark.parametrize("command", ARGUMENTS)
def test_requests_are_those_of_the_document(
    run: Run, asked: set[tuple[str, str]], command: str, documented: list[tuple[str, re.Pattern[str]]]
):
    typed = json.dumps({"actor": "add", "cron": "@daily"})
    run(*command.split(), *ARGUMENTS[command].split(), code=None, typed=typed)
    assert asked
    for method, path in asked:
        assert any(method == known and form.fullmatch(path) for known, form in documented), (method, path)
