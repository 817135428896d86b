"""Which queues a worker takes jobs from that was started for some."""

import pytest

from tests.broker.conftest import MakeBroker, Working, an_actor
from worker_service.broker import bulk
from worker_service.jobs.states import State


def test_what_was_asked_for_many_jobs_is_done_by_workers_of_any_queue(
    make_broker: MakeBroker, working: Working
):
    broker = make_broker()
    bulk.declare(broker)
    an_actor(broker, lambda: None, "here")
    many = broker.actors["service.bulk"].send({"operation": "cancel", "ids": []})
    elsewhere = an_actor(broker, lambda: None, "elsewhere", queue_name="other").send()

    with working(broker, queues={"default"}):
        done = broker.reads.wait_until_final(many.message_id, timeout=10)
        assert done is not None
        assert done.is_final
        assert broker.reads.state(elsewhere.message_id) is State.QUEUED


def test_a_queue_that_no_actor_has_is_refused_with_the_nearest(make_broker: MakeBroker, working: Working):
    broker = make_broker()
    an_actor(broker, lambda: None, "mail", queue_name="emails")
    with (
        pytest.raises(SystemExit, match=r"--queues: No queue 'email'\. Did you mean 'emails'\?"),
        working(broker, queues={"email"}),
    ):
        pass
