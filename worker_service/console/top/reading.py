"""What ``top`` asks the service for, at one instant."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..command import show

if TYPE_CHECKING:
    from ...client import Client

MOST_ASKED = 20
"""Worker processes that are asked what they run: more fit on no screen."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """The service at one instant, as its HTTP interface tells it.

    Attributes:
        at: seconds on a clock that is never put back.
        stats: see ``/v1/stats``.
        minutes: what was counted in each of the last ones, the newest last, which is not over yet.
        workers: those that run something come with their ``jobs``, the first `MOST_ASKED` of them.
    """

    at: float
    stats: dict[str, int]
    queues: list[Item]
    workers: list[Item]
    actors: list[Item]
    failures: list[Item]
    minutes: list[Item]
    alerts: list[Item]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        totals = {actor["name"]: actor["stats"] for actor in self.actors}
        return {
            "stats": self.stats,
            "queues": self.queues,
            "workers": self.workers,
            "actors": totals,
            "failures": self.failures,
            "minutes": self.minutes,
            "alerts": self.alerts,
        }


def read(client: "Client") -> Reading:
    """Ask for all of it."""
    workers = show(client, "/v1/workers")["items"]
    busy = [worker["id"] for worker in workers if worker["running"]][:MOST_ASKED]
    return Reading(
        at=time.monotonic(),
        stats=show(client, "/v1/stats"),
        queues=show(client, "/v1/queues")["items"],
        workers=[_with_jobs(client, worker) if worker["id"] in busy else worker for worker in workers],
        actors=show(client, "/v1/actors")["items"],
        failures=show(client, "/v1/failures")["items"],
        minutes=show(client, "/v1/rates", range="1h")["items"],
        alerts=show(client, "/v1/alerts")["items"],
    )


def _with_jobs(client: "Client", worker: Item) -> Item:
    from ...client import Problem

    try:
        found: Item = show(client, f"/v1/workers/{worker['id']}")
    except Problem:
        return worker  # it has just ended
    return found
