"""Keeps a few commands running side by side, as one: their log lines together, one Ctrl-C for all.

- Each command leads a process group of its own, so Ctrl-C of the terminal reaches the supervisor alone. It
  ends them: SIGTERM to the leader, time to finish, then SIGKILL to whatever is left of the group.
- A command that ends by itself is started again, after a wait that grows. Until all are ready for the first
  time it ends the whole instead, because then it is a mistake in the set-up.
- When the supervisor is killed, nothing of it stays: a watcher (`sh`, blocked in `read` on a pipe from us) is
  told the groups that run, and ends them once the pipe closes. Linux's PR_SET_PDEATHSIG would reach the
  leaders only, not the processes they started.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

LOOK_SECONDS = 0.1
LEFTOVERS_SECONDS = 5.0
"""How long the processes of a group may outlive their leader, after SIGTERM."""
NOW_SECONDS = 4.0
"""How long a part may take to end when it is told a second time."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 10.0
STEADY_SECONDS = 30.0
"""A command that ran this long is started again without a long wait."""

ENDED_NOW = 130
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_WATCH = """
groups=
while read -r line; do groups=$line; done
any_alive() {
    for group in $groups; do kill -s 0 -- "-$group" && return; done
    return 1
}
for group in $groups; do kill -s TERM "$group"; done
looks=0
while any_alive && [ $looks -lt 50 ]; do sleep 0.1; looks=$((looks + 1)); done
for group in $groups; do kill -s KILL -- "-$group"; done
"""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to keep running; ``name`` stands before its log lines."""

    name: str
    argv: Sequence[str]


class Log:
    """Writes lines with the name of who said them, coloured on a terminal."""

    _COLOURS = (36, 32, 35, 33)  # cyan, green, magenta, yellow

    def __init__(self, names: Sequence[str]) -> None:
        self._lock = threading.Lock()
        width = max(map(len, names))
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._prefix = {
            name: f"\x1b[{self._COLOURS[i % 4]}m{name:<{width}} |\x1b[0m "
            if colour
            else f"{name:<{width}} | "
            for i, name in enumerate(names)
        }

    def write(self, name: str, text: str) -> None:
        """Write each line of a text."""
        self.write_plain("\n".join(self._prefix[name] + line for line in text.splitlines()))

    def write_plain(self, text: str) -> None:
        """Write a text that is to be copied: nothing stands before its lines."""
        with self._lock, contextlib.suppress(OSError):  # nobody may be left who reads
            sys.stdout.write(text + "\n")
            sys.stdout.flush()


class Supervisor:
    """Runs commands until it is told to stop.

    Args:
        commands: in the order of their start.
        environment: of all of them.
        grace_seconds: how long they may take to end.
        own_name: before the supervisor's own lines.
    """

    def __init__(
        self,
        commands: Sequence[Command],
        environment: Mapping[str, str],
        grace_seconds: float,
        own_name: str = "up",
    ) -> None:
        self._name = own_name
        self._grace_seconds = grace_seconds
        self.log = Log([own_name, *(command.name for command in commands)])
        self._parts = [_Part(command, environment, self.log) for command in commands]

    def run(self, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        """Start all, keep them running, and end them after SIGINT, SIGTERM or SIGHUP.

        Args:
            is_ready: asked until it is true.
            on_ready: called once after that.

        Returns:
            0 after an orderly stop, 1 when a command ended before all was ready, 130 when the stop was cut
            short.
        """
        with _signals() as wait_for_signal, _watcher() as tell_watcher:
            try:
                for part in self._parts:
                    part.start()
                tell_watcher(self._groups())
                first_end = self._wait_until_ready(wait_for_signal, is_ready)
                if first_end is None:
                    on_ready()
                    while wait_for_signal(LOOK_SECONDS) not in _STOP_SIGNALS:
                        self._restart_what_ended()
                        tell_watcher(self._groups())
                return self._stop(wait_for_signal) or first_end or 0
            finally:
                for part in self._parts:
                    part.kill()

    def _wait_until_ready(self, wait_for_signal: "_Wait", is_ready: Callable[[], bool]) -> int | None:
        """The exit code when it does not come to that."""
        while not is_ready():
            if wait_for_signal(LOOK_SECONDS) in _STOP_SIGNALS:
                return 0
            for part in self._parts:
                if part.has_ended():
                    self._say(f"{part.name} ended before it was ready (exit code {part.code}).")
                    return 1
        return None

    def _restart_what_ended(self) -> None:
        for part in self._parts:
            if part.is_waiting:
                part.start_when_due()
            elif part.has_ended():
                wait = part.plan_restart()
                self._say(f"{part.name} ended (exit code {part.code}); starting it again in {wait:.1f} s.")

    def _stop(self, wait_for_signal: "_Wait") -> int:
        running = [part for part in self._parts if part.terminate()]
        if running:
            self._say(
                "Stopping; what runs may finish. Ctrl-C again ends it now, to run again at the next start."
            )
        give_up_at = time.monotonic() + self._grace_seconds
        while not all(part.has_ended() for part in running):
            if wait_for_signal(LOOK_SECONDS) in _STOP_SIGNALS:
                self._end_now(running)
                return ENDED_NOW
            if time.monotonic() > give_up_at:
                self._say("Not all ended in time; killing the rest.")
                break
        return 0

    def _end_now(self, running: list["_Part"]) -> None:
        """A second signal makes a worker give its jobs back and end; what does not is killed."""
        self._say("Ending now.")
        for part in running:
            part.terminate()
        give_up_at = time.monotonic() + NOW_SECONDS
        while not all(part.has_ended() for part in running) and time.monotonic() < give_up_at:
            time.sleep(LOOK_SECONDS)

    def _groups(self) -> list[int]:
        return [part.group for part in self._parts if part.group]

    def _say(self, text: str) -> None:
        self.log.write(self._name, text)


class _Part:
    """One command: its process, its group, its next start."""

    def __init__(self, command: Command, environment: Mapping[str, str], log: Log) -> None:
        self.name = command.name
        self._argv = command.argv
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._started_at = self._start_at = self._clear_at = 0.0
        self._wait = FIRST_WAIT_SECONDS
        self.group = 0
        self.is_waiting = False

    @property
    def code(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.returncode if self._process else None

    def start(self) -> None:
        self.is_waiting = False
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            self._argv,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        self.group = self._process.pid
        self._reader = threading.Thread(target=self._pass_on, args=(self._process,), daemon=True)
        self._reader.start()

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def terminate(self) -> bool:
        """Ask the leader to end; False when there is none."""
        if self.has_ended() or self._process is None:
            return False
        self._process.terminate()
        return True

    def plan_restart(self) -> float:
        """End what is left of the group, and start again after the returned seconds."""
        now = time.monotonic()
        self._wait = FIRST_WAIT_SECONDS if now - self._started_at > STEADY_SECONDS else self._wait
        wait, self._wait = self._wait, min(2 * self._wait, LONGEST_WAIT_SECONDS)
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


_Wait = Callable[[float], int | None]


@contextlib.contextmanager
def _signals() -> Iterator[_Wait]:
    """Yield a function that waits for the next signal, at most so many seconds; None when there was none.

    The handlers do nothing: a signal arrives as a byte on a pipe, where no lock can be in its way.
    """
    numbers = (*_STOP_SIGNALS, signal.SIGCHLD)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    fd_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def wait(seconds: float) -> int | None:
        ready, _, _ = select.select([reader], [], [], seconds)
        return os.read(reader, 1)[0] if ready else None

    try:
        yield wait
    finally:
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


@contextlib.contextmanager
def _watcher() -> Iterator[Callable[[list[int]], None]]:
    """Yield a function that tells the watcher which groups run now."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "watch-worker-service"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    pipe, told = process.stdin, list[int]()

    def tell(groups: list[int]) -> None:
        if groups != told:
            told[:] = groups
            with contextlib.suppress(BrokenPipeError):  # somebody killed the watcher
                pipe.write(" ".join(map(str, groups)).encode() + b"\n")
                pipe.flush()

    try:
        yield tell
    finally:
        process.kill()
        process.communicate()
