"""Whether a worker process that has an idle thread would be given a job."""

from collections.abc import Sequence

import redis

from .connection import translated
from .job_record import text_of
from .keys import Keys
from .scripts import Scripts
from .workers import read_worker


class Claimable:
    """What waits in one namespace.

    Args:
        client: see `connect`.
        keys: of the namespace.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client.execute_command, keys.prefix)

    def queues_of(self, session: str) -> tuple[str, ...]:
        """The queues that a worker process said it takes jobs from.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            return read_worker(
                session, 0, 0, text_of(self._client.hgetall(self._keys.session(session)))
            ).queues

    def is_any(self, queues: Sequence[str]) -> bool:
        """Whether a claim from these queues, now, would find a job: ready or due, and the queue not paused.

        Raises:
            StoreUnavailable: Redis is away.
        """
        return bool(self._scripts.run("is_claimable", "", *queues) == b"claimable")
