"""What is wrong, in words; nothing while all is well: the alerts, and queues that are out of order but not for long."""

from collections.abc import Iterator

from .reading import Item, Reading


def warnings(reading: Reading) -> Iterator[str]:
    """One sentence or two for each."""
    for alert in reading.alerts:
        yield alert["text"]
    lost = sum(worker["state"] == "lost" for worker in reading.workers)
    if lost:
        yield f"Nothing is heard of {lost} worker process{'es' * (lost > 1)}: the jobs are taken back soon."
    told = {alert["of"] for alert in reading.alerts if alert["name"] == "QueueNotDraining"}
    for queue in reading.queues:
        if queue["name"] not in told:
            yield from _of_queue(queue, reading)


def _of_queue(queue: Item, reading: Reading) -> Iterator[str]:
    name, waits = queue["name"], queue["queued"]
    if queue["paused"]:
        until = f" until {queue['paused']['until']}" if queue["paused"]["until"] else ""
        by = f" by {queue['paused']['by']}" if queue["paused"]["by"] else ""
        yield f"The queue {name} is paused{by}{until}: {queue['paused']['reason']}."
    elif waits and reading.stats["workers"] and not any(_serves(each, name) for each in reading.workers):
        yield f"No worker process takes jobs from {name}, where {_jobs(waits)}."


def _serves(worker: Item, queue: str) -> bool:
    """One that tells so many names may serve any."""
    from ...store.workers import MOST_NAMES

    return worker["state"] == "active" and (queue in worker["queues"] or len(worker["queues"]) >= MOST_NAMES)


def _jobs(number: int) -> str:
    return f"{number:,} jobs wait" if number > 1 else "a job waits"
