"""How long a job waited and ran."""

from worker_service.dashboard.spans import waited_ms
from worker_service.dashboard.wording import ms

NOON, STARTED = "2030-01-31T12:00:00.000Z", "2030-01-31T12:00:02.000Z"


def test_job_of_a_tick_long_ago_waits_since_it_was_made():
    job = {
        "state": "succeeded",
        "created_at": NOON,
        "run_at": "2030-01-01T00:00:00.000Z",
        "started_at": STARTED,
    }
    assert waited_ms(job, ms(STARTED) or 0) == 2000
