"""Tags, metadata and the trace of what Python code sends, and of what follows it."""

import dramatiq
import pytest

from tests.broker.conftest import Declare, Ended
from worker_service import current_job
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import InvalidJob
from worker_service.jobs.states import State
from worker_service.store import Job

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def labels(job: Job) -> tuple[object, object]:
    return job.message["options"].get("tags"), job.message["options"].get("metadata")


def test_message_brings_its_labels(declare: Declare, served: JobBroker, ended: Ended):
    actor = declare(lambda: None)
    message = actor.send_with_options(tags=("red", "red"), metadata={"a": 1})
    assert labels(ended(message)) == (["red"], {"a": 1})
    assert served.store.client.zscore(served.store.keys.tag("red"), message.message_id)


def test_labels_of_the_actor_count_where_the_message_has_none(declare: Declare, ended: Ended):
    actor = declare(lambda: None, tags=["red"], metadata={"a": 1})
    assert labels(ended(actor.send())) == (["red"], {"a": 1})
    assert labels(ended(actor.send_with_options(tags=["blue"]))) == (["blue"], {"a": 1})
    assert labels(ended(actor.send_with_options(tags=[], metadata={}))) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tags": "red"},
        {"tags": ["not fine"]},
        {"tags": {"red"}},
        {"metadata": 1},
        {"metadata": {"a": object()}},
        {"metadata": {"a": float("nan")}},
        {"metadata": {"a": "x" * 5000}},
    ],
)
def test_wrong_label_is_refused_where_it_is_written(declare: Declare, wrong: dict[str, object]):
    (name,) = wrong
    with pytest.raises(InvalidJob) as refused:
        declare(lambda: None).send_with_options(**wrong)
    assert refused.value.pointer == f"/{name}"
    with pytest.raises(InvalidJob, match=name):
        declare(lambda: None, **wrong)


def test_result_that_is_not_to_be_stored_is_not(declare: Declare, ended: Ended):
    actor, keeps_none = (
        declare(lambda: 7),
        declare(object, store_result=False),
    )  # of which no result can be stored
    assert ended(actor.send()).result == 7
    assert ended(actor.send_with_options(store_result=True)).result == 7
    for message in (actor.send_with_options(store_result=False), keeps_none.send()):
        job = ended(message)
        assert (job.state, job.has_result) == (State.SUCCEEDED, False)
    assert ended(keeps_none.send_with_options(store_result=True)).state is State.DEAD


def test_store_result_is_true_or_false(declare: Declare):
    with pytest.raises(InvalidJob, match="True or False"):
        declare(lambda: None).send_with_options(store_result="no")


class TestTrace:
    def test_actor_reads_it(self, declare: Declare, ended: Ended):
        actor = declare(lambda: current_job().traceparent)
        assert ended(actor.send_with_options(traceparent=TRACE)).result == TRACE
        assert ended(actor.send_with_options(traceparent="junk")).result is None
        assert ended(actor.send()).result is None

    def test_what_an_actor_sends_belongs_to_it_too(self, declare: Declare, ended: Ended):
        last = declare(lambda: current_job().traceparent)
        first = declare(lambda: last.send().message_id)
        sent = ended(first.send_with_options(traceparent=TRACE)).result
        assert (
            ended(dramatiq.Message("default", last.actor_name, (), {}, {}, message_id=sent)).result == TRACE
        )

    def test_later_steps_of_a_pipeline_belong_to_it_too(
        self, declare: Declare, served: JobBroker, ended: Ended
    ):
        first, last = declare(lambda: 1), declare(lambda _: current_job().traceparent)
        steps = [first.message_with_options(traceparent=TRACE), last.message()]
        pipe = dramatiq.pipeline(steps, broker=served)
        pipe.run()
        assert ended(pipe.messages[-1]).result == TRACE
