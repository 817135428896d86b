"""Dead jobs carry the group of failures that they belong to."""

import json
from datetime import date
from typing import Any

import pytest

from tests.broker.conftest import Declare, Ended
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import PermanentError
from worker_service.jobs.fingerprint import fingerprint_of_error
from worker_service.jobs.states import State

HERE = f"{__name__}:"


def parse(text: str) -> Any:
    """Fails in the standard library."""
    return json.loads(text)


def test_it_is_made_of_actor_error_and_the_innermost_own_frame(declare: Declare, ended: Ended):
    def read(text: str) -> Any:
        return parse(text)

    actor = declare(read, max_attempts=1)
    first, second = ended(actor.send("{")), ended(actor.send("[1,"))

    assert first.error is not None
    assert first.error["frame"] == f"{HERE}parse"
    assert first.fingerprint == fingerprint_of_error(actor.actor_name, "JSONDecodeError", f"{HERE}parse")
    assert first.fingerprint == second.fingerprint


def test_async_actor_has_a_place_too(declare: Declare, ended: Ended):
    async def read_later(text: str) -> Any:
        return parse(text)

    job = ended(declare(read_later, max_attempts=1).send("{"))

    assert job.error is not None
    assert job.error["frame"] == f"{HERE}parse"


def test_wrong_arguments_and_results_have_no_place(declare: Declare, ended: Ended):
    def takes_one(day: date) -> Any:
        return object()

    actor = declare(takes_one, max_attempts=1)
    wrong = ended(actor.send("no day"))
    unstorable = ended(actor.send("2026-01-31"))

    assert (wrong.error or {})["frame"] == (unstorable.error or {})["frame"] == ""
    assert wrong.fingerprint == fingerprint_of_error(actor.actor_name, "ArgumentsMismatch", "")
    assert unstorable.fingerprint == fingerprint_of_error(actor.actor_name, "ResultNotStorable", "")


def test_error_of_an_attempt_that_is_followed_by_another_is_not_kept_as_a_fingerprint(
    served: JobBroker, declare: Declare, ended: Ended
):
    runs: list[int] = []

    def fail_once() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError

    job = ended(declare(fail_once, min_backoff=1, max_backoff=1).send())

    assert (job.state, job.fingerprint) == (State.SUCCEEDED, None)
    assert served.store.client.hget(served.store.keys.job(job.id), "fingerprint") is None


@pytest.mark.parametrize("options", [{}, {"fail_on": ValueError}])
def test_record_stays_small(served: JobBroker, declare: Declare, ended: Ended, options: dict[str, Any]):
    def give_up() -> None:
        raise PermanentError("x" * 3000)

    job = ended(declare(give_up, **options).send())

    key = served.store.keys.job(job.id)
    assert served.store.client.object("encoding", key) == b"listpack"
    assert served.store.client.hget(key, "fingerprint") == (job.fingerprint or "").encode()
