"""Which of the schedulers fires: one does, so that the others have nothing to do. No promise rests on it."""

import os
import secrets
import socket
from time import monotonic

from worker_service.store import Lead, Schedules

from .clock import Clock

LEASE_MS = 3_000


class Leadership:
    """This process among the schedulers of a namespace.

    Args:
        schedules: where they meet.
        clock: set with every sign of life.
        edition: ``code-digest``: the version of this process's code, and what it declares.
    """

    def __init__(self, schedules: Schedules, clock: Clock, edition: str) -> None:
        self._schedules = schedules
        self._clock = clock
        self.id = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}@{edition}"

    def renew(self) -> Lead:
        """Say that this process lives, and learn whether it leads.

        Raises:
            StoreUnavailable: Redis is away.
        """
        asked_at = monotonic()
        lead = self._schedules.lead(self.id, LEASE_MS)
        self._clock.set(lead.now_ms, asked_at)
        return lead

    def leave(self) -> None:
        """Let another one lead at once."""
        self._schedules.lead(self.id, LEASE_MS, leaves=True)
