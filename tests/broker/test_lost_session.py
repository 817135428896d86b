"""A worker whose session was rescued opens another one and goes on with that at once."""

import time

from tests.broker.conftest import MakeBroker, Working, an_actor
from tests.waiting import wait_until
from worker_service.jobs.states import State

LEASE_MS = 1_500


def test_busy_worker_that_lost_its_session_hears_of_new_jobs_without_delay(
    make_broker: MakeBroker, working: Working
):
    broker = make_broker(lease_ms=LEASE_MS)
    started: list[float] = []

    def hold() -> None:
        started.append(time.monotonic())
        while len(started) == 1:
            time.sleep(0.01)  # until it is interrupted

    actor = an_actor(broker, hold)
    with working(broker, threads=1):
        message = actor.send()
        wait_until(lambda: started)
        (session,) = broker.reads.sessions()
        broker.store.rescue(LEASE_MS, "run", session=session)
        wait_until(lambda: broker.reads.state(message.message_id) is State.SUCCEEDED, timeout=20)

        sent = time.monotonic()
        actor.send()
        wait_until(lambda: len(started) == 3, timeout=20)

    assert started[-1] - sent < 3  # the old session's bell would be waited for up to 10 s
