"""The client: what it asks for comes to pass once, whatever happens on the way."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from tests.client.losing_proxy import LosingProxy
from worker_service.broker.broker import JobBroker
from worker_service.client import Client, JobFailed, NoAnswer, Problem, WaitedTooLong


class TestSubmitting:
    def test_result_of_a_job_is_waited_for(self, client: Client):
        job = client.submit("add", {"x": 2, "y": 3})
        assert client.result(job.id, timeout_ms=10_000) == 5

    def test_answer_may_be_the_job_that_has_ended(self, client: Client):
        job = client.submit("add", {"x": 2}, wait_ms=10_000)
        assert (job.state, job.result) == ("succeeded", 3)

    def test_fields_are_those_of_the_http_interface(self, client: Client):
        due = datetime.now(UTC) + timedelta(hours=1)
        job = client.submit("add", {"x": 1}, run_at=due, priority=5)
        assert job.state == "scheduled"
        assert job.run_at is not None
        assert abs(job.run_at - due) < timedelta(milliseconds=2)
        assert job.raw["priority"] == 5

    def test_duration_may_be_a_timedelta(self, client: Client):
        job = client.submit("add", {"x": 1}, delay_ms=timedelta(hours=1))
        assert job.state == "scheduled"

    def test_args_without_names_are_refused_before_anything_is_sent(self, client: Client):
        with pytest.raises(TypeError, match=r"args of 'add' are given by name, as in {'x': 1}"):
            client.submit("add", [1])  # type: ignore[arg-type]

    def test_wrong_one_is_a_problem_that_names_each_field(self, client: Client):
        with pytest.raises(Problem, match="Did you mean 'add'") as caught:
            client.submit("ad", {"x": 1})
        assert caught.value.status == 422
        assert caught.value.errors[0]["pointer"] == "/actor"

    def test_many_are_answered_one_by_one(self, client: Client):
        found = client.submit_many({"actor": name, "args": {"x": 1}} for name in ("add", "ad", "add"))
        assert [each.job is not None for each in found] == [True, False, True]
        assert found[1].problem is not None
        assert found[1].problem.status == 422
        assert found[0].job is not None
        assert client.result(found[0].job.id, timeout_ms=10_000) == 2


class TestLostAnswers:
    def test_repeated_requests_make_no_second_job(self, port: int, broker: JobBroker):
        with LosingProxy(port, every=3) as proxy, Client(proxy.url) as client:
            made = {client.submit("add", {"x": number}).id for number in range(20)}
        assert proxy.lost >= 6
        assert {job.id for job in broker.listing.page(100).jobs} == made
        assert len(made) == 20

    def test_nor_does_a_repeated_batch(self, port: int, broker: JobBroker):
        with LosingProxy(port, every=2) as proxy, Client(proxy.url) as client:
            found = client.submit_many({"actor": "add", "args": {"x": number}} for number in range(50))
            again = client.submit_many({"actor": "add", "args": {"x": number}} for number in range(50))
        assert proxy.lost >= 1
        ids = {each.job.id for each in [*found, *again] if each.job is not None}
        assert len(ids) == 100
        assert {job.id for job in broker.listing.page(200).jobs} == ids

    def test_other_calls_have_happened_once_too(self, port: int, client: Client):
        job = client.submit("fail", {"why": "broken"})
        with pytest.raises(JobFailed, match="broken"):
            client.result(job.id, timeout_ms=10_000)
        with LosingProxy(port, every=2) as proxy, Client(proxy.url) as unlucky:
            unlucky.get(job.id)
            unlucky.retry(job.id)
            unlucky.get(job.id)
            assert unlucky.wait(job.id, timeout_ms=10_000).state == "dead"
            unlucky.delete(job.id)
        assert proxy.lost >= 2
        with pytest.raises(Problem) as caught:
            client.get(job.id)
        assert caught.value.status == 404

    def test_service_that_is_away_is_told_after_some_attempts(self):
        with (
            Client("http://127.0.0.1:9", attempts=2) as client,
            pytest.raises(
                NoAnswer, match=r"http://127\.0\.0\.1:9/v1/jobs was sent 2 times in vain: ConnectError"
            ),
        ):
            client.submit("add", {"x": 1})


class TestWrongAddress:
    def test_one_without_a_scheme_is_refused_at_the_first_call_and_not_tried_again(self):
        with (
            Client("127.0.0.1:8000") as client,
            pytest.raises(
                ValueError, match=r"'127\.0\.0\.1:8000' is no URL of a service: write it as http://"
            ),
        ):
            client.get("1")

    def test_other_program_that_answers_is_told_from_the_service(self):
        page = httpx2.MockTransport(lambda request: httpx2.Response(200, html="<p>Hello"))
        with (
            Client("http://shop", transport=page) as client,
            pytest.raises(Problem, match="Not an answer of worker-service: http://shop/v1/jobs answered 200"),
        ):
            client.submit("add", {"x": 1})


class TestWaiting:
    def test_job_that_fails_is_an_error_with_the_job(self, client: Client):
        job = client.submit("fail", {"why": "broken"})
        with pytest.raises(JobFailed, match="is dead: PermanentError: broken") as caught:
            client.result(job.id, timeout_ms=10_000)
        assert caught.value.job.error is not None

    def test_one_that_takes_longer_is_an_error_with_its_state(self, client: Client):
        job = client.submit("add", {"x": 1}, delay_ms=3_600_000)
        with pytest.raises(WaitedTooLong, match="scheduled"):
            client.wait(job.id, timeout_ms=50)

    def test_events_come_until_the_end(self, client: Client):
        job = client.submit("slow", {"seconds": 0.3})
        found = list(client.events(job.id))
        assert {event.kind for event in found} == {"state", "progress", "log", "done"}
        assert found[-1].kind == "done"

    def test_events_go_on_where_the_connection_was_lost(self, port: int, client: Client):
        job = client.submit("chatty", {"lines": 10})
        with LosingProxy(port, cuts=(900, 900)) as proxy, Client(proxy.url) as unlucky:
            found = list(unlucky.events(job.id))
        assert proxy.lost == 2
        assert [event.data["line"] for event in found if event.kind == "log"] == [
            f"line {n}" for n in range(10)
        ]
        assert [event.kind for event in found].count("done") == 1

    def test_what_changes_is_told_again_after_a_lost_connection(self, port: int, client: Client):
        with LosingProxy(port, cuts=(900,)) as proxy, Client(proxy.url) as unlucky:
            changes = unlucky.changes()
            first = [next(changes) for _ in range(4)]
            assert first == ["jobs", "queues", "workers", "schedules"]
            later: list[str] = []
            while proxy.lost < 1 or "schedules" not in later:
                client.submit("add", {"x": 1})
                later.append(next(changes))
        assert "jobs" in later


class TestJobs:
    def test_lists_go_over_all_pages(self, client: Client):
        made = [client.submit("add", {"x": number}, delay_ms=3_600_000).id for number in range(5)]
        found = [job.id for job in client.jobs(state="scheduled", limit=2)]
        assert found == made[::-1]

    def test_waiting_one_is_cancelled(self, client: Client):
        job = client.submit("add", {"x": 1}, delay_ms=3_600_000)
        assert client.cancel(job.id).state == "cancelled"
        assert client.get(job.id).is_final

    def test_dead_one_runs_again_with_other_arguments(self, client: Client):
        job = client.submit("fail", {"why": "broken"})
        client.wait(job.id, timeout_ms=10_000)
        again = client.retry(job.id, {"why": "still broken"})
        assert again.id != job.id
        assert again.args == {"why": "still broken"}


def test_page_about_it_says_what_happens(port: int, client: Client, capsys: pytest.CaptureFixture[str]):
    page = (Path(__file__).parents[2] / "docs" / "client.md").read_text()
    block = page.split("```python\n")[1].split("```")[0].replace(":8000", f":{port}")
    exec(block, {})
    state, result = capsys.readouterr().out.splitlines()
    assert (state.split()[1], result) == ("scheduled", "5")


def test_importing_it_loads_neither_dramatiq_nor_flask():
    code = (
        "import sys, worker_service.client; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"dramatiq", "flask", "redis", "pydantic"} & set(loaded.split())
