"""``worker-service keys``: made, listed, rotated, revoked at a terminal."""

import getpass
import json

import pytest

from tests.console.conftest import Run
from worker_service.broker.broker import JobBroker
from worker_service.jobs.quota import Quota
from worker_service.store import ApiKeys, Audit


@pytest.fixture
def keys(broker: JobBroker) -> ApiKeys:
    """Those in the store."""
    return ApiKeys(broker.store.client, broker.store.namespace)


def test_a_key_from_its_making_to_its_end(run: Run, keys: ApiKeys):
    words = ("the shop", "--scope", "submit", "--scope", "read", "--actor", "add", "--expires-in", "2h")
    quota = ("--jobs-per-minute", "600")
    secret = run("keys", "add", *words, *quota).stdout.strip()
    shown = keys.of_secret(secret)
    assert shown
    assert shown.key.quota == Quota("jobs", 600)
    assert (shown.key.name, shown.key.scopes, shown.key.actors) == ("the shop", ("read", "submit"), ("add",))
    assert 7_190_000 < (shown.left_ms or 0) <= 7_200_000
    id = shown.key.id
    assert run("keys", "ls").stdout.splitlines()[1].split()[:3] == [id, "read,submit", "add"]

    rotated = json.loads(run("keys", "rotate", id, "--overlap", "1m", "--json").stdout)
    assert keys.of_secret(rotated["key"])
    old = keys.of_secret(secret)
    assert old
    assert 50_000 < (old.left_ms or 0) <= 60_000

    run("keys", "revoke", id)
    assert keys.all() == []
    assert json.loads(run("keys", "ls", "--json").stdout) == {"items": []}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["revoke", "none"], 1, "No key has the id 'none'"),
        (["rotate", "none"], 1, "No key has the id 'none'"),
        (["add", "x", "--scope", "write"], 2, "'write' is not one of"),
        (["add", "x"], 2, "Missing option '--scope'"),
        (["add", "", "--scope", "read"], 1, "NAME: String"),
        (["add", "x", "--scope", "admin", "--actor", "add"], 1, "leave out actors, or admin"),
        (["add", "x", "--scope", "read", "--jobs-per-minute", "0"], 2, "0 is not in the range"),
        (
            ["add", "x", "--scope", "read", "--jobs-per-minute", "1", "--requests-per-minute", "1"],
            2,
            "not both",
        ),
        (["add", "x", "--scope", "read", "--expires-in", "soon"], 2, "write it as in 90s"),
        (["rotate", "none", "--overlap", "90d"], 1, "/overlap_ms"),
    ],
)
def test_mistakes_are_named_and_make_nothing(
    run: Run, keys: ApiKeys, arguments: list[str], code: int, says: str
):
    assert says in run("keys", *arguments, code=code).stderr
    assert keys.all() == []


def test_who_sits_at_the_terminal_is_in_the_audit_log(run: Run, keys: ApiKeys, broker: JobBroker):
    run("keys", "add", "shop", "--scope", "read")
    run("queues", "pause", "default", "--reason", "moving", code=0)
    (pause, key), _ = Audit(broker.store.client, broker.store.namespace).page(10)
    assert (key.deed.what, pause.deed.what, pause.deed.why) == ("keys.add", "queues.pause", "moving")
    assert pause.deed.who == f"terminal:{pause.deed.name}"
    assert getpass.getuser() in pause.deed.name
