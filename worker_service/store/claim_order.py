"""What a worker process asks of lua/claim.lua, and what it reads out of the answer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .records import Claim, ClaimedJob, SessionLost

JOB_WIDTH = 11
"""Values per job in the answer."""


class ClaimOrder(NamedTuple):
    """Up to ``n`` jobs of some queues, in order of preference.

    Attributes:
        session: the right to hold them.
        nonce: names this claim; repeated with the same one it returns the same jobs. One that is a lower number than
            the last returns none: nobody waits for the answer any more.
        suspects: how many jobs that crashed a process before may be among them.
        ring: ring the session's own bell when fewer than ``n`` were found.
    """

    session: str
    nonce: str
    n: int
    queues: Sequence[str]
    suspects: int = 1
    ring: bool = False

    def arguments(self, now_ms: int | None = None) -> list[Any]:
        """The values of the script."""
        now = "" if now_ms is None else now_ms
        return [now, self.session, self.nonce, self.n, self.suspects, int(self.ring), *self.queues]

    def answer(self, reply: list[Any]) -> Claim:
        """What the script's reply says.

        Raises:
            SessionLost: the session is unknown.
        """
        if reply[0] == b"session_lost":
            raise SessionLost(self.session)
        jobs = [
            ClaimedJob(
                id.decode(),
                token.decode(),
                queue.decode(),
                int(attempts),
                int(crashes),
                int(max_attempts),
                message,
                int(unknown_for) if unknown_for != b"" else None,
                int(snoozes),
                int(snoozed),
                bool(int(alone)),
            )
            for (
                id,
                token,
                queue,
                attempts,
                crashes,
                max_attempts,
                message,
                unknown_for,
                snoozes,
                snoozed,
                alone,
            ) in zip(*[iter(reply[3:])] * JOB_WIDTH, strict=True)
        ]
        return Claim(jobs, reply[1] if reply[1] >= 0 else None, bool(reply[2]))
