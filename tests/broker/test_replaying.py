"""A job that was given up runs again with other arguments: as the job it was, in all else."""

from typing import Any

import pytest
from dramatiq import pipeline

from tests.broker.conftest import Declare, Ended
from worker_service.broker.broker import JobBroker
from worker_service.broker.intake import replay_as
from worker_service.jobs.errors import InvalidJob, PermanentError
from worker_service.jobs.ids import new_job_id
from worker_service.jobs.states import State


def half(number: int) -> int:
    """Refuses odd numbers."""
    if number % 2:
        raise PermanentError(f"{number} is odd")
    return number // 2


def test_its_pipeline_goes_on(served: JobBroker, declare: Declare, ended: Ended):
    first, second = declare(half), declare(half)
    steps = pipeline([first.message(3), second.message()], broker=served).run()
    old = ended(steps.messages[0])

    id = new_job_id()
    word, _ = replay_as(served, old, {"number": 8}, id)

    assert word == "replayed"
    assert ended(steps.messages[1]).result == 2
    new = served.reads.job(id)
    assert new is not None
    assert (new.state, new.result, new.replayed_from) == (State.SUCCEEDED, 4, old.id)


def test_limits_and_priority_stay_and_the_deadline_goes(served: JobBroker, declare: Declare, ended: Ended):
    actor: Any = declare(half)
    options = {"priority": -7, "max_attempts": 3, "max_crashes": 0, "expires_in": 60_000, "time_limit": 9_000}
    old = ended(actor.send_with_options(args=(3,), **options))

    id = new_job_id()
    replay_as(served, old, {"number": 4}, id)

    new = served.reads.job(id)
    assert new is not None
    assert (new.priority, new.max_attempts, new.max_crashes, new.expires_at_ms) == (-7, 3, 0, None)
    assert new.message["options"]["time_limit"] == 9_000


def test_wrong_arguments_make_no_job(served: JobBroker, declare: Declare, ended: Ended):
    old = ended(declare(half).send(3))
    with pytest.raises(InvalidJob, match="number"):
        replay_as(served, old, {"number": "four"}, new_job_id())
    again = served.reads.job(old.id)
    assert again is not None
    assert again.replayed_as is None
