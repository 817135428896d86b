"""Which jobs do the same work."""

from typing import Any

import pytest

from worker_service.jobs.errors import InvalidJob
from worker_service.jobs.uniqueness import Unique, read_unique

ARGUMENTS = {"user_id": 7, "tags": ["a", {"b/c": 1, "~": 2}], "note": None}


def digest(
    actor: str = "work", queue: str = "default", arguments: dict[str, Any] = ARGUMENTS, **fields: Any
) -> str:
    return read_unique(fields).digest(actor, queue, arguments)


def test_same_arguments_are_the_same_work_in_any_order():
    assert digest() == digest(arguments=dict(reversed(ARGUMENTS.items())))
    assert digest() != digest(arguments={**ARGUMENTS, "user_id": 8})
    assert digest() != digest(arguments={**ARGUMENTS, "user_id": "7"})


def test_a_number_is_the_same_however_it_is_written():
    assert digest(arguments={"n": 1, "deep": [{"m": 100}]}) == digest(
        arguments={"n": 1.0, "deep": [{"m": 1e2}]}
    )
    assert digest(arguments={"n": 1}) != digest(arguments={"n": 1.5})


def test_pointers_choose_what_counts():
    on = ["/user_id", "/tags/1/b~1c", "/tags/1/~0"]
    assert digest(on=on) == digest(on=on, arguments={**ARGUMENTS, "note": "other"})
    assert digest(on=["/user_id"]) != digest(on=["/note"])


def test_key_stands_for_the_arguments():
    assert digest(key="k") == digest(key="k", arguments={})
    assert digest(key="k") != digest(key="l")


def test_key_and_arguments_are_never_taken_for_each_other():
    assert digest(key="args", arguments={}) != digest(arguments={})
    assert digest(key='["a"]') != digest(on=["/a"], arguments={"a": "a"})


@pytest.mark.parametrize(
    ("scope", "same_actor_only", "same_queue_only"),
    [("actor", True, False), ("queue", False, True), ("global", False, False)],
)
def test_scope_says_among_which_jobs(scope: str, same_actor_only: bool, same_queue_only: bool):
    here = digest(scope=scope)
    assert (digest(scope=scope, actor="other") != here) is same_actor_only
    assert (digest(scope=scope, queue="other") != here) is same_queue_only


def test_digest_is_a_small_field():
    assert len(digest(key="x" * 1000)) == 32


def test_defaults_are_those_of_the_contract():
    unique = Unique()
    assert (unique.scope, unique.term, unique.on_conflict) == ("actor", "done", "return")
    assert read_unique(unique) is unique
    assert Unique(until="window", window_ms=5).term == "5"


@pytest.mark.parametrize(
    ("given", "pointer", "hint"),
    [
        (True, "/unique", "use a dictionary"),
        ({"keys": "k"}, "/unique/keys", "Did you mean 'key'"),
        ({"until": "end"}, "/unique/until", "start"),
        ({"on": ["user_id"]}, "/unique/on/0", "JSON pointer"),
        ({"on": []}, "/unique/on", "at least 1"),
        ({"key": "k", "on": ["/a"]}, "/unique", "not both"),
        ({"until": "window"}, "/unique", "belong together"),
        ({"window_ms": 5}, "/unique", "belong together"),
        ({"max_wait_ms": 5}, "/unique", "debounce"),
        ({"until": "window", "window_ms": 5, "on_conflict": "keep_last"}, "/unique", "keep_last"),
        ({"until": "success", "on_conflict": "keep_last"}, "/unique", "keep_last"),
        ({"window_ms": False, "until": "window"}, "/unique/window_ms", "integer"),
        ({"key": object()}, "/unique", "JSON"),
    ],
)
def test_mistakes_are_told(given: Any, pointer: str, hint: str):
    with pytest.raises(InvalidJob, match=hint) as caught:
        read_unique(given)
    assert pointer in {problem.pointer for problem in caught.value.problems}


@pytest.mark.parametrize("pointer", ["/nothing", "/tags/2", "/tags/x", "/user_id/0", "/note/a"])
def test_pointer_to_nothing_is_told(pointer: str):
    with pytest.raises(InvalidJob, match="there is nothing at") as caught:
        digest(on=[pointer])
    assert caught.value.code == "no_such_argument"
