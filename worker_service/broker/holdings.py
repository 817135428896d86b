"""Which deliveries this process holds: from the claim until what became of them is written."""

import threading
from collections.abc import Iterable

Delivery = tuple[str, str]
"""Id of the job, and the token, which deliveries of other jobs may have too."""


class Holdings:
    """A set of deliveries that some threads change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[Delivery] = set()

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """These were claimed."""
        with self._lock:
            self._held.update(deliveries)

    def remove(self, deliveries: Iterable[Delivery]) -> None:
        """What became of these is written, or nobody wants to know it."""
        with self._lock:
            self._held.difference_update(deliveries)

    def copy(self) -> set[Delivery]:
        """All of them now."""
        with self._lock:
            return set(self._held)
