"""The commands that ask the service: what they print, and their exit codes."""

import json

import dramatiq
import pytest

from tests.console.conftest import Run
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import StoreUnavailable
from worker_service.middleware import default_middleware
from worker_service.settings import Settings


class TestSubmit:
    def test_values_are_read_as_the_actor_wants_them(self, run: Run, broker: JobBroker):
        run("submit", "add", "x=2", "y=3")
        run("submit", "greet", "name=5")
        jobs = broker.listing.page(10).jobs
        assert [job.message["kwargs"] for job in jobs] == [{"name": "5"}, {"x": 2, "y": 3}]

    def test_it_waits_for_the_end(self, run: Run, worker: dramatiq.Worker):
        found = json.loads(run("submit", "add", "x=2", "y=3", "--wait", "--json").stdout)
        assert (found["state"], found["result"]) == ("succeeded", 5)

    def test_failure_of_the_job_is_1(self, run: Run, worker: dramatiq.Worker):
        found = run("submit", "fail", "why=broken", "--wait", code=1)
        assert "PermanentError: broken" in found.stdout

    def test_options_are_those_of_a_request(self, run: Run, broker: JobBroker):
        run("submit", "add", "x=1", "--delay-ms", "60000", "--priority", "5", "--max-attempts", "2")
        (job,) = broker.listing.page(10).jobs
        assert (job.state, job.priority, job.max_attempts) == ("scheduled", 5, 2)

    def test_same_idempotency_key_makes_one_job(self, run: Run, broker: JobBroker):
        for _ in range(2):
            run("submit", "add", "x=1", "--idempotency-key", "once")
        assert len(broker.listing.page(10).jobs) == 1

    @pytest.mark.parametrize(
        ("arguments", "hint", "code"),
        [
            (("ad", "x=1"), "Did you mean 'add'?", 1),
            (("add", "x=one"), "x", 1),
            (("add", "x"), "KEY=VALUE", 2),
        ],
    )
    def test_mistakes_are_named(self, run: Run, arguments: tuple[str, ...], hint: str, code: int):
        assert hint in run("submit", *arguments, code=code).stderr


class TestJobs:
    def test_list_and_one_of_them(self, run: Run, broker: JobBroker):
        id = broker.actors["add"].send(1).message_id
        heads, line = run("jobs", "ls", "--state", "queued").stdout.splitlines()
        assert heads.split()[:4] == ["id", "actor", "queue", "state"]
        assert line.split()[:4] == [id, "add", "default", "queued"]
        assert json.loads(run("jobs", "ls", "--json").stdout)["items"][0]["id"] == id
        assert "queued" in run("jobs", "show", id).stdout

    def test_pages_go_on(self, run: Run, broker: JobBroker):
        made = [broker.actors["add"].send(number).message_id for number in range(3)]
        first = json.loads(run("jobs", "ls", "--limit", "2", "--json").stdout)
        rest = json.loads(run("jobs", "ls", "--cursor", first["next_cursor"], "--json").stdout)
        assert {job["id"] for job in first["items"] + rest["items"]} == set(made)

    def test_one_is_cancelled_put_back_and_removed(self, run: Run, broker: JobBroker):
        id = broker.actors["add"].send(1).message_id
        assert run("jobs", "cancel", id).stdout == f"Job {id} is cancelled.\n"
        assert run("jobs", "retry", id).stdout == f"Job {id} is queued.\n"
        assert "queued" in run("jobs", "delete", id, code=1).stderr
        run("jobs", "cancel", id)
        assert run("jobs", "delete", id).stdout == f"Job {id} is removed.\n"
        assert "No job has the id" in run("jobs", "show", id, code=1).stderr

    def test_many_are_found_by_what_they_have_in_common(
        self, run: Run, broker: JobBroker, worker: dramatiq.Worker
    ):
        for why in ("one", "two"):
            run("submit", "fail", f"why={why}", "--wait", code=1)
        assert run("jobs", "retry", "--state", "dead", "--dry-run").stdout == "2 jobs match.\n"
        assert run("jobs", "retry", "--state", "dead").stdout == "2 of 2 jobs.\n"

    def test_which_ones_has_to_be_said(self, run: Run):
        assert "Give ids, or options" in run("jobs", "cancel", code=2).stderr

    def test_failures_are_grouped(self, run: Run, worker: dramatiq.Worker):
        for _ in range(2):
            run("submit", "fail", "why=broken", "--wait", code=1)
        heads, line = run("failures").stdout.splitlines()
        assert heads.split()[:4] == ["fingerprint", "count", "actor", "error"]
        assert line.split()[1:4] == ["2", "fail", "PermanentError"]


class TestTheRest:
    def test_purge_waits_for_the_rest_of_very_many(
        self, run: Run, broker: JobBroker, worker: dramatiq.Worker, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("worker_service.api.purging.MOST_AT_ONCE", 2)
        for _ in range(5):
            broker.actors["add"].send_with_options(args=(1,), delay=3_600_000)
        said = run("queues", "purge", "default", "--confirm", "default").stdout
        assert said == "The queue default is purged: 5 jobs are cancelled.\n"

    def test_queues_are_paused_and_resumed(self, run: Run, broker: JobBroker):
        broker.actors["add"].send(1)
        run("queues", "pause", "default", "--reason", "the bank is away")
        assert "the bank is away" in run("queues", "ls").stdout
        assert run("queues", "resume", "default").stdout == "The queue default is resumed.\n"
        assert "the bank is away" not in run("queues", "ls").stdout
        assert "Did you mean 'default'?" in run("queues", "resume", "defalt", code=1).stderr

    def test_actors_and_their_arguments(self, run: Run):
        assert "greet  default  10" in run("actors", "ls").stdout
        assert json.loads(run("actors", "show", "add", "--json").stdout)["args"]["required"] == ["x"]

    def test_worker_process_with_what_it_runs(self, run: Run, broker: JobBroker, worker: dramatiq.Worker):
        id = broker.actors["hang"].send().message_id
        wait_until(lambda: broker.reads.state(id) == "running")
        (session,) = broker.reads.sessions()
        heads, line = run("workers", "show", session).stdout.splitlines()[-2:]
        assert heads.split()[:4] == ["id", "actor", "queue", "started"]
        assert line.split()[:3] == [id, "hang", "default"]
        run("jobs", "cancel", id)

    def test_ping_says_whether_anybody_works(self, run: Run):
        assert "workers        0" in run("ping", code=1).stdout

    def test_ping_of_a_service_that_works(self, run: Run, worker: dramatiq.Worker):
        assert json.loads(run("ping", "--json").stdout)["workers"] == 1

    def test_stats_are_those_for_autoscalers(self, run: Run, broker: JobBroker):
        broker.actors["add"].send(1)
        assert json.loads(run("stats", "--json").stdout)["queued"] == 1

    def test_config_shows_no_secret(self, run: Run, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("JOBS_ADMIN_KEY", "a-long-enough-secret")
        monkeypatch.setenv("JOBS_REDIS_URL", "redis://:hidden@127.0.0.1:6379/0")
        monkeypatch.setattr("worker_service.settings.settings", _fresh_settings)
        shown = run("config").stdout
        assert "JOBS_ADMIN_KEY=***" in shown
        assert "hidden" not in shown
        assert "secret" not in shown

    def test_store_that_is_away_is_2(self, run: Run, monkeypatch: pytest.MonkeyPatch):
        def away() -> JobBroker:
            return JobBroker(Settings(redis_url="redis://127.0.0.1:1/0"), default_middleware())

        monkeypatch.setattr("worker_service.registry.load", away)
        assert "Redis is not available" in run("jobs", "ls", code=2).stderr


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "lines"),
        [
            (("submit", "greet"), ["name: The argument 'name' is missing."]),
            (("submit", "add", "x=1", "--priority", "500"), ["--priority: Input should be less"]),
            (
                ("submit", "ad"),
                ["ACTOR: No actor 'ad'. Did you mean 'add'?", "where JOBS_ACTOR_MODULES names"],
            ),
            (("jobs", "ls", "--since", "now"), ["--since: Use an instant with its zone"]),
            (("jobs", "show", "x"), ["No job has the id 'x'", "worker-service jobs ls"]),
            (("workers", "stop", "x"), ["No worker process has the id 'x'", "worker-service workers"]),
            (("keys", "revoke", "x"), ["No key has the id 'x'", "worker-service keys ls"]),
            (("actors", "show", "ad"), ["Did you mean 'add'?", "where JOBS_ACTOR_MODULES names"]),
        ],
    )
    def test_they_are_told_in_the_words_of_the_command_with_what_to_do(
        self, run: Run, arguments: tuple[str, ...], lines: list[str]
    ):
        told = run(*arguments, code=1).stderr
        assert [line for line in lines if line not in told] == []

    def test_each_wrong_argument_has_a_line(self, run: Run):
        first, second, *_ = run("submit", "add", "x=a", "y=b", code=1).stderr.splitlines()
        assert first.startswith("Error: x: ")
        assert second.startswith("y: ")

    def test_list_that_is_empty_for_a_misspelt_name_says_so(self, run: Run, broker: JobBroker):
        broker.actors["add"].send(1)
        found = run("jobs", "ls", "--queue", "defalt", "--actor", "ad")
        assert "No queue 'defalt'. Did you mean 'default'?" in found.stderr
        assert "No actor 'ad'. Did you mean 'add'?" in found.stderr
        assert found.stdout == ""

    def test_job_that_has_ended_is_shown_where_to_look(self, run: Run, worker: dramatiq.Worker):
        id = json.loads(run("submit", "add", "x=1", "--wait", "--json").stdout)["id"]
        assert f"worker-service jobs show {id}" in run("jobs", "cancel", id, code=1).stderr

    def test_work_that_is_out_of_sight_because_the_store_is_away_is_named(
        self, run: Run, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        def away(*_: object) -> None:
            raise StoreUnavailable("Redis is not available: a test")

        for _ in range(2):
            broker.actors["add"].send(1)
        monkeypatch.setattr("worker_service.store.Queries.jobs", away)
        told = run("jobs", "cancel", "--actor", "add", code=2).stderr
        assert "The work goes on, in the job " in told
        assert "Error: Redis is not available: a test" in told

    def test_store_that_is_away_is_told_with_its_address(self, run: Run, monkeypatch: pytest.MonkeyPatch):
        away = Settings(redis_url="redis://:secret@127.0.0.1:1/0")
        monkeypatch.setattr("worker_service.settings.settings", lambda: away)
        monkeypatch.setattr("worker_service.registry.load", lambda: JobBroker(away, default_middleware()))
        told = run("stats", code=2).stderr
        assert "redis://:***@127.0.0.1:1/0 (JOBS_REDIS_URL); `worker-service check redis`" in told


def _fresh_settings() -> object:
    return Settings()
