"""A worker process says in its session what it is and what it serves."""

import os

from tests.broker.conftest import MakeBroker, Working, an_actor
from tests.waiting import wait_until
from worker_service import __version__
from worker_service.store.workers import Workers


def test_session_of_a_worker_names_its_version_its_actors_and_the_queues_it_was_given(
    make_broker: MakeBroker, working: Working
):
    broker = make_broker()
    an_actor(broker, lambda: None, "here")
    an_actor(broker, lambda: None, "elsewhere", queue_name="other")
    workers = Workers(broker.store.client, broker.store.keys)

    with working(broker, queues={"default"}):
        wait_until(lambda: workers.live(10))
        (worker,) = workers.live(10)

    assert (worker.pid, worker.version, worker.threads) == (str(os.getpid()), __version__, "2")
    assert worker.queues == ("default",)
    assert worker.actors == ("elsewhere", "here")
