"""Who ends, and when: the processes of one supervisor take turns."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import wait_until
from worker_service.broker.recycling import TURN_FILE, Recycling
from worker_service.settings import Settings

HOLDER = (
    "import fcntl, sys; file = open(sys.argv[1]); fcntl.flock(file, 2); print(flush=True); sys.stdin.read()"
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that this process would have got."""
    found: list[int] = []
    monkeypatch.setattr("worker_service.broker.recycling.os.kill", lambda _, number: found.append(number))
    return found


def test_it_waits_until_another_process_that_ends_has_ended(told: list[int], tmp_path: Path):
    turn = tmp_path / "turn"
    turn.touch()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, turn], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        recycling = Recycling(Settings(worker_max_jobs=1), {TURN_FILE: str(turn)})
        recycling.count_job()
        recycling.start()
        assert recycling._reason()
        assert not recycling._is_our_turn()
        assert told == []
    wait_until(lambda: told == [signal.SIGTERM])


def test_share_is_spread(told: list[int]):
    shares = {Recycling(Settings(worker_max_jobs=1000), {})._most_jobs for _ in range(50)}
    assert len(shares) > 40
    assert 900 <= min(shares) <= max(shares) <= 1000
    assert told == []


def test_nothing_is_watched_without_a_limit(told: list[int]):
    recycling = Recycling(Settings(), {})
    recycling.count_job()
    recycling.start()
    assert recycling._reason() == ""
