"""``worker-service doctor``: what it says, and its exit code."""

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from worker_service import doctor
from worker_service.cli import main
from worker_service.settings import settings
from worker_service.store import NewJob, Store, connect


@pytest.fixture
def store(redis_url: str, namespace: str) -> Iterator[Store]:
    """A store with thirty jobs that wait."""
    client = connect(redis_url)
    made = Store(client, namespace)
    made.check_schema()
    made.submit([NewJob(f"job-{number:02}", "default", "work", b"{}") for number in range(30)])
    yield made
    client.close()


@pytest.fixture
def run(redis_url: str, namespace: str) -> Iterator[Callable[..., Result]]:
    """Runs the command with some arguments."""

    def run(*arguments: str, url: str = redis_url) -> Result:
        environment = {"JOBS_REDIS_URL": url, "JOBS_NAMESPACE": namespace}
        settings.cache_clear()
        return CliRunner().invoke(main, ["doctor", *arguments], env=environment)

    yield run
    settings.cache_clear()


def lose_queue(store: Store) -> None:
    store.client.delete(store.keys.ready("default"))


def test_nothing_wrong_is_0(store: Store, run: Callable[..., Result]):
    result = run()

    assert result.stdout == "Nothing is wrong (30 jobs looked at).\n"
    assert result.exit_code == 0


def test_findings_that_are_left_are_1_and_say_what_a_repair_would_do(
    store: Store, run: Callable[..., Result]
):
    store.client.zrem(store.keys.ready("default"), "job-07")

    result = run()

    assert result.exit_code == 1
    assert result.output.splitlines()[:2] == [
        "Job job-07 is queued, but does not stand where such jobs do.",
        "  a repair would: put it there",
    ]
    assert store.client.zscore(store.keys.ready("default"), "job-07") is None


def test_all_repaired_is_0(store: Store, run: Callable[..., Result]):
    store.client.zrem(store.keys.ready("default"), "job-07")

    result = run("--repair")

    assert result.exit_code == 0
    assert "  repaired: put it there\n" in result.output
    assert store.client.zscore(store.keys.ready("default"), "job-07") is not None
    assert run().output.startswith("Nothing is wrong")


def test_what_nobody_knows_is_left_alone_and_reported(store: Store, run: Callable[..., Result]):
    stranger = store.keys.prefix + "strange"
    store.client.set(stranger, "x")

    result = run("--repair")

    assert result.exit_code == 1
    assert "The key strange is none of ours." in result.output
    assert "repairs what can be" not in result.output + run().output
    assert store.client.get(stranger) == b"x"


def test_many_of_a_kind_are_counted_and_json_has_them_all(store: Store, run: Callable[..., Result]):
    lose_queue(store)

    text, listed = run(), json.loads(run("--json").stdout)

    assert text.output.count("does not stand where") == doctor.SHOWN
    assert "... and 10 more of this kind (misplaced); --json lists all." in text.output
    assert len(listed["findings"]) == listed["left"] == 30
    assert listed["findings"][0] == {
        "check": "jobs",
        "what": "misplaced",
        "subject": listed["findings"][0]["subject"],
        "detail": f"Job {listed['findings'][0]['subject']} is queued, but does not stand where such jobs do.",
        "remedy": "put it there",
        "repaired": False,
    }


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "nonsense"])
def test_a_store_that_cannot_be_reached_is_2(run: Callable[..., Result], url: str):
    result = run(url=url)

    assert result.exit_code == 2
    assert "could not be checked" in result.stderr
    assert result.stdout == ""


def test_a_server_that_is_away_is_told_with_what_to_do(run: Callable[..., Result]):
    result = run(url="redis://127.0.0.1:1/0")

    assert "Set JOBS_REDIS_URL" in result.stderr
    assert "start `make run` in this folder" in result.stderr


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "nonsense"])
def test_json_tells_programs_why_it_could_not_look(run: Callable[..., Result], url: str):
    result = run("--json", url=url)

    told = json.loads(result.stdout)
    assert list(told) == ["error"]
    assert "could not be checked" in told["error"]
    assert result.exit_code == 2


def test_data_of_a_newer_version_are_2_and_not_touched(store: Store, run: Callable[..., Result]):
    store.client.hset(store.keys.meta, "schema", 1_000)
    lose_queue(store)

    result = run("--repair")

    assert result.exit_code == 2
    assert "run a newer version" in result.stderr
    assert not store.client.exists(store.keys.ready("default"))


def test_it_says_how_far_it_is(store: Store, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "PROGRESS_SECONDS", 0)

    result = run()

    assert "job keys: 30 looked at" in result.stderr.splitlines()
    assert result.stdout == "Nothing is wrong (30 jobs looked at).\n"
