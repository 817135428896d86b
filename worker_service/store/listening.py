"""The blocking wait for wake marks and the bell, and the claim that follows it."""

from dataclasses import dataclass, replace
from typing import Any

import redis
from redis.exceptions import ResponseError

from .claim_order import ClaimOrder
from .connection import COMMAND_TIMEOUT, connect, translated
from .keys import Keys
from .line import Line
from .records import Claim
from .scripts import Scripts

BLOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What ended a wait; nothing in it when the time was up or the bell only rang.

    Attributes:
        claim: what the order got; None without one, or when the server refused it.
        cancelled: id and token of a delivery that should stop.
        word: what the process itself is asked to do; see lua/tell_worker.lua.
    """

    claim: Claim | None = None
    cancelled: tuple[str, str] | None = None
    word: str | None = None


class Listening:
    """A connection that only waits. Blocking needs one of its own, with a timeout above the wait.

    Args:
        url: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._client: redis.Redis = connect(url, retries=0, timeout=BLOCK_SECONDS + COMMAND_TIMEOUT)
        self._line = Line(self._client, tries=1)  # a lost mark must show
        self.keys = Keys(namespace)
        self._scripts = Scripts(self._line.execute, self.keys.prefix)

    def wait(self, session: str, order: ClaimOrder | None = None) -> Heard:
        """Wait for the session's bell, at most `BLOCK_SECONDS`; with an order for a mark on one of its queues too.

        The order is sent with the wait, and the server carries it out as soon as that ends: a round trip less until
        a job starts. Then it has no hold of the server's scripts: who gets no claim sends one by `Store.claim`.

        Raises:
            SessionLost: the session is unknown.
            StoreUnavailable: Redis is away; whether the order was carried out is unknown.
        """
        bell = self.keys.bell(session)
        marks = () if order is None else map(self.keys.wake, order.queues)
        wait = ("BZPOPMIN", bell, *marks, BLOCK_SECONDS)
        with translated():
            if order is None:
                return self._heard(bell, self._line.execute(*wait))
            reply, claimed = self._line.execute_both(wait, self._scripts.command("claim", *order.arguments()))
        claim = None if isinstance(claimed, ResponseError) else order.answer(claimed)
        return replace(self._heard(bell, reply), claim=claim)

    def _heard(self, bell: str, reply: Any) -> Heard:
        if not reply or reply[0].decode() != bell:
            return Heard()
        kind, _, rest = reply[1].decode().partition(" ")
        if kind == "cancel":
            token, _, id = rest.partition(" ")
            return Heard(cancelled=(id, token))
        return Heard(word=kind) if kind in ("quiet", "stop") else Heard()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
