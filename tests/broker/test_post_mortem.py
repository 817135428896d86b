"""What is left of a process says how it ended."""

import os
import platform
import re
import signal
import subprocess
import sys

import pytest

from worker_service.broker.post_mortem import PostMortem

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only the kernel of Linux tells")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
        ("import os; os.kill(os.getpid(), 40)", "was killed by signal 40"),
        ("import os; os._exit(7)", "ended with exit code 7"),
        ("", "ended with exit code 0"),
        (
            "import threading, os; threading.Thread(target=os._exit, args=[5]).start()",
            "ended with exit code 5",
        ),
    ],
)
def test_signal_and_exit_code_are_told_while_nobody_has_asked_for_them(code: str, words: str):
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        left = PostMortem(process.pid, -1)
        assert process.stdout is not None
        process.stdout.read()  # until it lets go of its files, as a keeper's pipe does
        assert left.how_it_ended() == words


@pytest.mark.skipif(
    tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2]) < (6, 15),
    reason="an older kernel forgets it",
)
def test_a_descriptor_tells_of_one_that_is_gone():
    with subprocess.Popen([sys.executable, "-c", "input(); exit(7)"], stdin=subprocess.PIPE) as process:
        descriptor = os.pidfd_open(process.pid)
        process.communicate(b"\n")
    assert PostMortem(process.pid, descriptor).how_it_ended() == "ended with exit code 7"
    os.close(descriptor)


def test_of_one_that_is_gone_for_long_and_was_not_known_nothing_is_told():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    assert PostMortem(process.pid, -1).how_it_ended() == "died"


def test_one_that_runs_on_is_not_waited_for_long():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert PostMortem(process.pid, -1).how_it_ended() == "died"
        process.send_signal(signal.SIGKILL)
