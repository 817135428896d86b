"""A simulated job: what the store keeps of it, and what tests ask of it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..jobs.states import FINAL, State
from ..store import NewJob


@dataclass(slots=True)
class TestJob:
    """A job as a test sees it.

    Attributes:
        args: by name, as JSON.
        due_at_ms: when it is wanted, or tried again.
        attempts, crashes, snoozes: those charged so far, the processes that died, the waits that used up nothing.
        reason: why it is dead.
        error: of its last attempt that failed: ``type``, ``message``, ``traceback``.
        progress: the last that it said: ``percent``, ``note``.
        log: what it logged with `current_job().log()`.
        deliveries: how each of its runs ended: complete, retry, snooze, dead_letter, cancel or crash.
        steps: those of `once`: ``begun`` or ``done``.
    """

    __test__ = False  # pytest looks at what is called Test...

    new: NewJob = field(repr=False)
    args: dict[str, Any]
    created_at_ms: int
    due_at_ms: int | None
    expires_at_ms: int | None
    state: State = State.QUEUED
    wait_reason: str = ""
    reason: str = ""
    attempts: int = 0
    crashes: int = 0
    snoozes: int = 0
    snoozed_ms: int = 0
    error: dict[str, Any] | None = None
    progress: dict[str, Any] | None = None
    log: list[str] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    place: int = field(default=0, repr=False)
    token: str = field(default="", repr=False)
    holds_lock: bool = field(default=False, repr=False)
    results: dict[str, str] = field(default_factory=dict, repr=False)
    begun_by: dict[str, str] = field(default_factory=dict, repr=False)
    result_text: str = field(default="", repr=False)

    @property
    def id(self) -> str:
        """Of the job."""
        return self.new.id

    @property
    def actor(self) -> str:
        """The name of its actor."""
        return self.new.actor

    @property
    def queue(self) -> str:
        """The queue it waits in, or came from."""
        return self.new.queue

    @property
    def options(self) -> dict[str, Any]:
        """What was said of it when it was sent, beyond its arguments."""
        options: dict[str, Any] = json.loads(self.new.message)["options"]
        return options

    @property
    def run_at(self) -> datetime | None:
        """When it is wanted, or tried again; None: at once."""
        return None if self.due_at_ms is None else datetime.fromtimestamp(self.due_at_ms / 1000, UTC)

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL

    @property
    def has_result(self) -> bool:
        """Whether its actor's value was kept."""
        return self.result_text != ""

    @property
    def result(self) -> Any:
        """What its actor returned, as JSON; None without."""
        return json.loads(self.result_text) if self.has_result else None
