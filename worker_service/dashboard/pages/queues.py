"""Queues: what waits in them, who works on them, and how much goes in and out."""

from collections import defaultdict
from typing import Any

from flask import Blueprint, Response

from ..asking import read
from ..page import page

MOST_ACTORS = 30
"""Whose rates are read."""
MINUTES = 10
"""Over which rates are told."""
ENDED = ("succeeded", "dead", "cancelled", "expired")


def add_queues(routes: Blueprint) -> None:
    """The route of the page."""

    @routes.get("/ui/queues")
    def queues() -> Response:
        return page(
            "queues.html",
            queues=read("queues.index"),
            serving=_serving(read("workers.index")["items"]),
            rates=_rates(read("actors.index")["items"]),
            minutes=MINUTES,
        )


def _serving(workers: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Queue -> how many live worker processes serve it, with how many threads, of which how many are busy."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: {"workers": 0, "threads": 0, "busy": 0})
    for worker in workers:
        if worker["state"] == "active":
            for queue in worker["queues"]:
                found[queue]["workers"] += 1
                found[queue]["threads"] += worker["threads"] or 0
                found[queue]["busy"] += worker["running"]
    return dict(found)


def _rates(actors: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Queue -> jobs in and out per minute, of the actors that are declared for it."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: {"in": 0, "out": 0})
    for actor in actors[:MOST_ACTORS]:
        points = read("rates.show", query={"actor": actor["name"], "range": f"{MINUTES}m"})["items"]
        rates = found[actor["queue"]]
        rates["in"] += sum(point["enqueued"] for point in points) / MINUTES
        rates["out"] += sum(point[name] for point in points for name in ENDED) / MINUTES
    return dict(found)
