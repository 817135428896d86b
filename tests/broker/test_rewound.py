"""A server that lost the last moments: what it takes for running, and is not, runs again."""

import threading
from functools import partial

import dramatiq
import pytest

from tests.broker.conftest import MakeBroker, Working, an_actor
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.states import State


@pytest.mark.usefixtures("namespace")
def test_job_whose_end_the_server_has_lost_runs_again_and_those_that_run_go_on(
    make_broker: MakeBroker, working: Working, server_binary: str | None
):
    with EmbeddedServer(binary=server_binary) as server:
        broker = make_broker(url=server.url)
        started: list[str] = []
        may_end = {name: threading.Event() for name in ("goes on", "ends", "lost")}

        def hold(name: str) -> None:
            started.append(name)
            assert may_end[name].wait(30)

        actor = an_actor(broker, hold)
        with working(broker, threads=2):
            goes_on, ends = actor.send("goes on"), actor.send("ends")
            wait_until(lambda: len(started) == 2)
            lost = actor.send("lost")
            (session,) = broker.reads.sessions()
            claimed = broker.store.claim(session, "of no thread", 1, ["default"]).jobs
            assert [job.id for job in claimed] == [lost.message_id]

            wait_until(lambda: "bzpopmin" in [each["cmd"] for each in broker.store.client.client_list()])
            broker.store.client.client_kill_filter(_type="normal")  # as all are that a server had
            for message, name in ((ends, "ends"), (lost, "lost")):
                may_end[name].set()
                wait_until(partial(has_succeeded, broker, message))
            may_end["goes on"].set()
            wait_until(partial(has_succeeded, broker, goes_on))
        assert sorted(started) == ["ends", "goes on", "lost"]


def has_succeeded(broker: JobBroker, message: dramatiq.Message[object]) -> bool:
    return broker.reads.state(message.message_id) is State.SUCCEEDED
