"""Lines that are many are written together; none is lost, and none overtakes another."""

import io
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from select import PIPE_BUF

import pytest

from tests.waiting import wait_until
from worker_service.log_writing import OFTEN, GatheringHandler

MANY = min(OFTEN)


class Written(io.StringIO):
    """A stream that remembers what each write brought."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        self.pieces.append(text)
        return super().write(text)


@pytest.fixture
def stream() -> Written:
    return Written()


@pytest.fixture
def handler(stream: Written) -> Iterator[GatheringHandler]:
    made = GatheringHandler(stream)
    yield made
    made.flush()


def record(text: str, name: str = MANY, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, text, None, None)


def test_lines_that_are_many_are_written_without_being_asked_for(
    handler: GatheringHandler, stream: Written
) -> None:
    for number in range(3):
        handler.handle(record(f"line {number}"))
    wait_until(lambda: stream.getvalue() == "line 0\nline 1\nline 2\n", message="the lines do not come")
    handler.handle(record("line 3"))
    wait_until(lambda: stream.getvalue().endswith("line 3\n"), message="the thread wrote only once")


@pytest.mark.parametrize(
    ("name", "level"), [("an_actor", logging.INFO), (MANY, logging.WARNING)], ids=["foreign", "warning"]
)
def test_any_other_line_is_there_at_once_and_behind_those_before_it(
    handler: GatheringHandler, stream: Written, name: str, level: int
) -> None:
    handler.handle(record("before"))
    handler.handle(record("now", name, level))
    assert stream.getvalue() == "before\nnow\n"


def test_a_write_is_never_longer_than_a_pipe_takes_whole(handler: GatheringHandler, stream: Written) -> None:
    lines = [f"{number} " + "é" * 700 for number in range(20)]
    with handler._writing:  # so that they gather
        for line in lines:
            handler.handle(record(line))
    handler.flush()
    assert stream.getvalue().splitlines() == lines
    assert all(len(piece.encode()) <= PIPE_BUF for piece in stream.pieces)
    assert len(stream.pieces) < len(lines)


def test_a_forked_process_repeats_no_line_and_waits_for_no_lock() -> None:
    read, write = os.pipe()
    handler = GatheringHandler(os.fdopen(write, "w"))
    with handler._writing:
        handler.handle(record("of the parent"))
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            handler.handle(record("of the child", level=logging.WARNING))
            os._exit(0)
        os.waitpid(child, 0)
    handler.flush()
    handler.stream.close()
    with os.fdopen(read) as lines:
        assert sorted(lines.read().splitlines()) == ["of the child", "of the parent"]


def test_a_process_that_ends_has_written_all_lines() -> None:
    code = (
        "import logging, worker_service.logs as logs; logs.configure_logs();"
        f"logging.getLogger({MANY!r}).info('the last one')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "the last one" in done.stderr
