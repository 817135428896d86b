"""What is wrong, in words, with what to do; nothing while all is well."""

from collections.abc import Iterator

from ...dashboard.wording import duration
from .reading import Item, Reading

OLD_MS = 600_000
"""From here on a job that waits is worth a warning; the alert on it has the same bound."""
LATE_MS = 60_000


def warnings(reading: Reading) -> Iterator[str]:
    """One sentence or two for each."""
    yield from _of_workers(reading)
    yield from _of_queues(reading)
    yield from _of_schedulers(reading.stats)


def _of_workers(reading: Reading) -> Iterator[str]:
    stats = reading.stats
    if not stats["workers"] and stats["queued"]:
        yield f"No worker process lives, and {_jobs(stats['queued'])}: start `worker-service worker`."
    lost = sum(worker["state"] == "lost" for worker in reading.workers)
    if lost:
        yield f"Nothing is heard of {lost} worker process{'es' * (lost > 1)}: the jobs are taken back soon."


def _of_queues(reading: Reading) -> Iterator[str]:
    for queue in reading.queues:
        name, waits = queue["name"], queue["queued"]
        if queue["paused"]:
            until = f" until {queue['paused']['until']}" if queue["paused"]["until"] else ""
            by = f" by {queue['paused']['by']}" if queue["paused"]["by"] else ""
            yield f"The queue {name} is paused{by}{until}: {queue['paused']['reason']}."
        elif waits and reading.stats["workers"] and not any(_serves(each, name) for each in reading.workers):
            yield f"No worker process takes jobs from {name}, where {_jobs(waits)}."
        elif (queue["oldest_ms"] or 0) > OLD_MS:
            yield f"A job waits in {name} for {duration(queue['oldest_ms'])}."


def _of_schedulers(stats: dict[str, int]) -> Iterator[str]:
    if stats["schedules"] and not stats["schedulers"]:
        yield f"No scheduler lives, and {stats['schedules']} schedules are not fired: start `python -m scheduler`."
    elif stats["schedule_lag_ms"] > LATE_MS:
        yield f"A schedule is {duration(stats['schedule_lag_ms'])} late."
    if stats["schedules_damaged"]:
        yield f"{stats['schedules_damaged']} schedules cannot be read: see `worker-service schedules ls`."


def _serves(worker: Item, queue: str) -> bool:
    """One that tells so many names may serve any."""
    from ...store.workers import MOST_NAMES

    return worker["state"] == "active" and (queue in worker["queues"] or len(worker["queues"]) >= MOST_NAMES)


def _jobs(number: int) -> str:
    return f"{number:,} jobs wait" if number > 1 else "a job waits"
