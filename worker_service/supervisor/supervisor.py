"""Starts the parts, keeps them running, and ends them."""

import time
from collections.abc import Callable, Mapping, Sequence

from .log import Log
from .part import Command, Part
from .wakeups import RESTART, STOP_SIGNALS, Wakeups
from .watcher import watcher

LOOK_SECONDS = 0.1
FIRST_WORD_SECONDS, NEXT_WORD_SECONDS = 5.0, 10.0
"""While stopping, when to say what is waited for."""
TELL_AGAIN_SECONDS = 0.5
"""Between two signals to one process, so that it sees two."""
NOW_SECONDS = 4.0
"""How long a part may take to end when it is told a second time."""

ENDED_NOW = 130


class Supervisor:
    """Runs commands until it is told to stop.

    Args:
        commands: in the order of their start; they are stopped in the opposite order.
        environment: of all of them.
        log: knows their names, and ``own_name``.
        own_name: before the supervisor's own lines.
        stop_together: tell all to end at once, and not each when the one before it has ended.
    """

    def __init__(
        self,
        commands: Sequence[Command],
        environment: Mapping[str, str],
        log: Log,
        own_name: str = "up",
        *,
        stop_together: bool = False,
    ) -> None:
        self._name = own_name
        self._stop_together = stop_together
        self._log = log
        self._parts = [Part(command, environment, log) for command in commands]
        self._wakeups = Wakeups()

    def run(
        self,
        is_ready: Callable[[], bool],
        on_ready: Callable[[], None],
        on_look: Callable[[], None] = lambda: None,
    ) -> int:
        """Start all, keep them running, and end them after SIGINT, SIGTERM or SIGHUP.

        Args:
            is_ready: asked until it is true.
            on_ready: called once after that.
            on_look: called again and again from then on, for what is kept running besides.

        Returns:
            0 after an orderly stop, 1 when a command ended before all was ready, 130 when the stop was cut
            short.
        """
        with self._wakeups, watcher() as tell_watcher:
            try:
                for part in self._parts:
                    part.start()
                    tell_watcher(self._groups())
                first_end = self._wait_until_ready(is_ready)
                if first_end is None:
                    on_ready()
                    self._keep_running(tell_watcher, on_look)
                return self._stop() or first_end or 0
            finally:
                for part in self._parts:
                    part.kill()

    def restart_all(self) -> None:
        """Ask the running supervisor, from any thread, to end all in order and to start them again."""
        self._wakeups.ask(RESTART)

    def _wait_until_ready(self, is_ready: Callable[[], bool]) -> int | None:
        """The exit code when it does not come to that."""
        while not is_ready():
            if self._wakeups.wait(LOOK_SECONDS) in STOP_SIGNALS:
                return 0
            for part in self._parts:
                if part.has_ended():
                    self._say(f"{part.name} ended before it was ready (exit code {part.code}).")
                    return 1
        return None

    def _keep_running(self, tell_watcher: Callable[[list[int]], None], on_look: Callable[[], None]) -> None:
        """Until a signal to stop."""
        while (woken_by := self._wakeups.wait(LOOK_SECONDS)) not in STOP_SIGNALS:
            on_look()
            for part in self._parts:
                if woken_by == RESTART:
                    part.restart()
                self._look_after(part)
                tell_watcher(self._groups())

    def _look_after(self, part: Part) -> None:
        part.kill_when_overdue()
        if part.is_waiting:
            part.start_when_due()
        elif part.has_ended():
            was_told = part.told_at is not None
            wait = part.plan_start()
            if not was_told:
                self._say(f"{part.name} ended (exit code {part.code}); starting it again in {wait:.1f} s.")

    def _stop(self) -> int:
        if not all(part.has_ended() for part in self._parts):
            self._say(
                "Stopping; what runs may finish. Ctrl-C again ends it now, to run again at the next start."
            )
        for part in reversed(self._parts):
            for told in self._parts if self._stop_together else [part]:
                told.tell()
            if self._is_cut_short(part):
                self._end_now()
                return ENDED_NOW
        return 0

    def _is_cut_short(self, part: Part) -> bool:
        """Wait for its end; whether a second signal came first."""
        next_word_at = time.monotonic() + FIRST_WORD_SECONDS
        while not part.has_ended():
            if self._wakeups.wait(LOOK_SECONDS) in STOP_SIGNALS:
                return True
            part.kill_when_overdue()
            if time.monotonic() >= next_word_at and part.grace_left() > 0:
                self._say(part.about_to_be_awaited())
                next_word_at += NEXT_WORD_SECONDS
        return False

    def _end_now(self) -> None:
        """A second signal makes a worker give its jobs back and end; what does not is killed."""
        self._say("Ending now.")
        running = [part for part in self._parts if not part.has_ended()]
        for part in running:
            part.tell()
        last_told_at = max((part.told_at or 0.0 for part in running), default=0.0)
        time.sleep(max(0.0, last_told_at + TELL_AGAIN_SECONDS - time.monotonic()))
        for part in running:
            part.tell_again()
        give_up_at = time.monotonic() + NOW_SECONDS
        while not all(part.has_ended() for part in running) and time.monotonic() < give_up_at:
            time.sleep(LOOK_SECONDS)

    def _groups(self) -> list[int]:
        return [part.group for part in self._parts if part.group]

    def _say(self, text: str) -> None:
        self._log.write(self._name, text)
