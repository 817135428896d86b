"""One command: its process, its group, its end, its next start."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .log import Log

LEAVE_SECONDS = 15.0
"""What a command may need beyond its grace to write what ended and to leave."""
LEFTOVERS_SECONDS = 5.0
"""How long the processes of a group may outlive their leader, after SIGTERM."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 10.0
STEADY_SECONDS = 30.0
"""A command that ran this long is started again without a long wait."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to keep running.

    Args:
        name: before its log lines.
        argv: what to start.
        grace_seconds: how long its unfinished work may take once it is told to end.
        unfinished: what that work is called.
    """

    name: str
    argv: Sequence[str]
    grace_seconds: float
    unfinished: str


class Part:
    """A command that runs, waits for its next start, or has ended."""

    def __init__(self, command: Command, environment: Mapping[str, str], log: Log) -> None:
        self.name = command.name
        self._command = command
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._started_at = self._start_at = self._clear_at = 0.0
        self._wait = FIRST_WAIT_SECONDS
        self.group = 0
        self.told_at: float | None = None
        self.is_waiting = False

    @property
    def code(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.returncode if self._process else None

    def start(self) -> None:
        self.is_waiting = False
        self.told_at = None
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            self._command.argv,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )
        self.group = self._process.pid
        self._reader = threading.Thread(target=self._pass_on, args=(self._process,), daemon=True)
        self._reader.start()

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def tell(self) -> None:
        """Tell the leader to end, once: a second signal would make it drop what it is about to finish."""
        if self.told_at is None and not self.has_ended():
            self.told_at = time.monotonic()
            self._signal_leader()

    def tell_again(self) -> None:
        """Tell it to end now."""
        self._signal_leader()

    def grace_left(self) -> float:
        """Seconds that its unfinished work may still take; below zero, it is on its way out."""
        return (self.told_at or time.monotonic()) + self._command.grace_seconds - time.monotonic()

    def about_to_be_awaited(self) -> str:
        """What there is to wait for."""
        return f"{self.name}: {self.grace_left():.0f} s left for {self._command.unfinished}."

    def kill_when_overdue(self) -> None:
        """It was told to end, and did not in time."""
        if self.told_at is not None and self.grace_left() < -LEAVE_SECONDS and not self.has_ended():
            self._log.write(self.name, "did not end in time; killing it.")
            self._signal_group(signal.SIGKILL)

    def restart(self) -> None:
        """End it in order, to be started again as soon as it has ended; at once when it waits for that."""
        if self.is_waiting:
            self._start_at, self._wait = 0.0, FIRST_WAIT_SECONDS
        else:
            self.tell()

    def plan_start(self) -> float:
        """End what is left of the group, and start again after the returned seconds."""
        now = time.monotonic()
        if self.told_at is not None or now - self._started_at > STEADY_SECONDS:
            self._wait = FIRST_WAIT_SECONDS
        wait = 0.0 if self.told_at is not None else self._wait
        self._wait = min(2 * self._wait, LONGEST_WAIT_SECONDS)
        self._start_at, self._clear_at = now + wait, now + LEFTOVERS_SECONDS
        self.is_waiting = True
        self._signal_group(signal.SIGTERM)
        return wait

    def start_when_due(self) -> None:
        now = time.monotonic()
        if self._signal_group(None) and now < self._clear_at:
            return  # a leftover may still hold the port
        if now >= self._start_at:
            self._signal_group(signal.SIGKILL)
            self.start()

    def kill(self) -> None:
        """End the whole group, whatever it does."""
        self._signal_group(signal.SIGKILL)
        self.group = 0
        if self._process is not None and self._reader is not None:
            self._process.wait()
            self._reader.join(timeout=1.0)  # its last words

    def _signal_leader(self) -> None:
        if self._process is not None and not self.has_ended():
            self._process.terminate()

    def _signal_group(self, number: signal.Signals | None) -> bool:
        """Signal the group, or with None only ask whether there is anybody."""
        if not self.group:
            return False
        try:
            os.killpg(self.group, number or 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _pass_on(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._log.write(self.name, line)
