"""Since when the oldest ready job of a queue has been ready."""

from collections.abc import Iterable

import redis

from .keys import Keys

PRIORITIES = 201
"""As many as there are: -100 to 100."""
ARRIVAL_BITS = 46
"""Below the priority in a score of a queue; see lua/lib/place.lua."""


def ready_since(client: redis.Redis, keys: Keys, queues: Iterable[str]) -> dict[str, int]:
    """The instant since which the oldest queued job of each queue may be claimed, in UTC ms.

    It is when the job was created, or due if that came later: what a claim measures the wait from. A queue
    stands by priority, then arrival, so its oldest job is the oldest among the first of each priority.
    These are found by one probe per priority that is present, of all queues at once: two round trips more
    than a queue has priorities, 202 at the most.

    One case is shown younger than it is: a job that became due while no worker asked this queue enters it
    with the next claim, behind younger ones of its priority.

    Args:
        queues: those to look at. One without a ready job is missing in the answer.
    """
    heads = _first_of_each_priority(client, keys, queues)
    with client.pipeline(transaction=False) as pipe:
        for _, id in heads:
            pipe.hmget(keys.job(id), "due_at", "created_at")
        instants = pipe.execute()
    oldest: dict[str, int] = {}
    for (queue, _), (due_at, created_at) in zip(heads, instants, strict=True):
        if created_at is not None:  # else it was removed meanwhile
            since = max(int(due_at or 0), int(created_at))
            oldest[queue] = min(since, oldest.get(queue, since))
    return oldest


def _first_of_each_priority(client: redis.Redis, keys: Keys, queues: Iterable[str]) -> list[tuple[str, str]]:
    heads: list[tuple[str, str]] = []
    lowest: dict[str, int | str] = dict.fromkeys(queues, "-inf")
    for _ in range(PRIORITIES + 1):
        if not lowest:
            break
        with client.pipeline(transaction=False) as pipe:
            for queue, score in lowest.items():
                pipe.zrangebyscore(keys.ready(queue), score, "+inf", start=0, num=1, withscores=True)
            found = dict(zip(lowest, pipe.execute(), strict=True))
        lowest = {}
        for queue, first in found.items():
            for id, score in first:
                heads.append((queue, id.decode()))
                lowest[queue] = ((int(score) >> ARRIVAL_BITS) + 1) << ARRIVAL_BITS
    return heads
