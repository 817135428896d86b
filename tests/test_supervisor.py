"""The supervisor over stand-in commands: the order of a stop, and a second signal in each phase of it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_until

# Each part says when it is up, when it is told, and ends when the file `<name>.go` is there, or told twice.
PART = """
trap 'if [ -n "$told" ]; then echo cut; exit 1; fi; told=1; echo told' TERM
echo up
while [ -z "$told" ] || [ ! -e "$0.go" ]; do sleep 0.02; done
echo done
"""

PROGRAM = """
import os, sys, threading
from worker_service.supervisor import Command, Log, Supervisor
names = ["one", "two", "three"]
graces = dict(zip(names, map(float, sys.argv[2:])))
commands = [Command(name, ["/bin/sh", "-c", sys.argv[1], name], graces[name], "its work") for name in names]
supervisor = Supervisor(commands, os.environ, Log(["up", *names]))
def requests():
    for line in sys.stdin:
        supervisor.restart_all()
threading.Thread(target=requests, daemon=True).start()
sys.exit(supervisor.run(lambda: True, lambda: print("ready", flush=True)))
"""


class Running:
    """A program with a supervisor over the parts one, two and three."""

    def __init__(self, folder: Path, graces: tuple[float, float, float]) -> None:
        self.folder = folder
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.main = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, PART, *map(str, graces)],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: len(self.said("up")) == 3)

    def said(self, word: str) -> list[str]:
        """Which parts said a word, in order."""
        lines = [line.split("|") for line in self.log.read_text().splitlines()]
        return [words[0].strip() for words in lines if len(words) == 2 and words[1].strip() == word]

    def let_end(self, *names: str) -> None:
        for name in names:
            (self.folder / f"{name}.go").touch()

    def signal(self) -> None:
        self.main.send_signal(signal.SIGINT)


@pytest.fixture
def running(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    program = Running(tmp_path, getattr(request, "param", (30, 30, 30)))
    yield program
    program.main.kill()
    program.main.communicate()


def test_parts_are_told_one_after_the_other_and_the_first_last(running: Running):
    running.signal()
    wait_until(lambda: running.said("told") == ["three"])
    running.let_end("three")
    wait_until(lambda: running.said("told") == ["three", "two"])
    assert running.said("done") == ["three"]
    running.let_end("two")
    wait_until(lambda: running.said("told") == ["three", "two", "one"])
    running.let_end("one")
    assert running.main.wait(10) == 0
    assert running.said("done") == ["three", "two", "one"]


@pytest.mark.parametrize("ended", [[], ["three"], ["three", "two"]], ids=["first", "second", "last"])
def test_second_signal_ends_all_now_in_every_phase(running: Running, ended: list[str]):
    running.let_end(*ended)
    running.signal()
    wait_until(lambda: len(running.said("told")) == len(ended) + 1)
    running.signal()
    assert running.main.wait(10) == 130
    assert sorted(running.said("cut")) == sorted({"one", "two", "three"} - set(ended))


def test_two_signals_at_once_reach_each_part_twice(running: Running):
    running.signal()
    running.main.send_signal(signal.SIGTERM)
    assert running.main.wait(10) == 130
    assert sorted(running.said("cut")) == ["one", "three", "two"]


def test_signal_while_a_restart_waits_is_no_second_one(running: Running):
    assert running.main.stdin is not None
    running.main.stdin.write(b"restart\n")
    running.main.stdin.flush()
    wait_until(lambda: len(running.said("told")) == 3)
    running.signal()
    wait_until(lambda: "Stopping" in running.log.read_text())
    running.let_end("one", "two", "three")
    assert running.main.wait(10) == 0
    assert running.said("cut") == []
    assert len(running.said("up")) == 3


def test_restart_starts_each_part_as_soon_as_it_has_ended(running: Running):
    assert running.main.stdin is not None
    running.main.stdin.write(b"restart\nrestart\n")
    running.main.stdin.flush()
    wait_until(lambda: len(running.said("told")) == 3)
    running.let_end("two")
    wait_until(lambda: len(running.said("up")) == 4)
    assert running.said("up")[3:] == ["two"]
    running.let_end("one", "three")
    wait_until(lambda: len(running.said("up")) == 6)
    assert running.said("cut") == []
    running.signal()
    assert running.main.wait(10) == 0


@pytest.mark.parametrize("running", [(30, 8, 30)], indirect=True)
def test_waiting_is_told_with_the_seconds_that_are_left(running: Running):
    running.let_end("three", "one")
    running.signal()
    wait_until(lambda: re.search(r"two: [123] s left for its work\.", running.log.read_text()), timeout=15)
    running.let_end("two")
    assert running.main.wait(10) == 0


@pytest.mark.parametrize("running", [(30, -14.5, 30)], indirect=True)
def test_part_that_does_not_end_in_time_is_killed_and_the_others_are_awaited(running: Running):
    running.let_end("three")
    running.signal()
    wait_until(lambda: "did not end in time" in running.log.read_text())
    wait_until(lambda: running.said("told")[-1:] == ["one"])
    running.let_end("one")
    assert running.main.wait(10) == 0
