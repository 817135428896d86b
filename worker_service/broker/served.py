"""Which queues a worker takes jobs from: those that it was started for, and the service's own."""

from collections.abc import Iterable

import dramatiq

from ..names import did_you_mean
from .offered import SERVICE_QUEUE


def choose_queues(worker: dramatiq.Worker, declared: Iterable[str]) -> None:
    """Before a worker starts: what was asked for many jobs at once is done whichever queues its workers share out.

    Raises:
        SystemExit: it was started for a queue that no actor has, and would take nothing from it.
    """
    chosen = worker.consumer_whitelist
    if not chosen:
        return
    known = set(declared)
    for queue in sorted(set(chosen) - known):
        raise SystemExit(f"--queues: No queue {queue!r}.{did_you_mean(queue, known)}")
    worker.consumer_whitelist = {*chosen, SERVICE_QUEUE}
