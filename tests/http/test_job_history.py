"""How far a client has seen a job, as the id of an event."""

import pytest

from worker_service.api.job_history import Seen


@pytest.mark.parametrize(
    "seen",
    [
        Seen(),
        Seen(line="1700000000000-3"),  # a line before any state
        Seen(2, "running", "0011aaff", "1700000000000-3"),
        Seen(2, "succeeded", "-", "1700000000000-3", is_done=True),
    ],
)
def test_it_is_read_as_it_was_written(seen: Seen):
    assert Seen.from_text(str(seen)) == seen
