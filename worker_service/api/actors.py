"""The actors over HTTP: what can be asked for, and with which arguments."""

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..broker.catalogue import ActorInfo, describe
from ..broker.offered import offered
from ..jobs.errors import UnknownActor
from ..jobs.uniqueness import Unique
from ..names import did_you_mean
from ..store.histogram import BOUNDS_MS, in_bounds, mean_ms, quantile_ms
from ..store.overview import Overviews
from .answers import ActorJson, ActorsJson, ActorStatsJson, UniqueJson
from .documented import documented
from .links import link


def actors(broker: JobBroker) -> Blueprint:
    """The routes of actors."""
    routes = Blueprint("actors", __name__)
    readings = Overviews(broker.store.client, broker.store.namespace)

    @routes.get("/v1/actors")
    @documented("List the actors, with the JSON schema of their arguments.", {200: ActorsJson})
    def index() -> Response:
        return jsonify(ActorsJson(items=_shown(sorted(offered(broker.actors)))))

    @routes.get("/v1/actors/<name>")
    @documented("Read an actor.", {200: ActorJson}, problems=(UnknownActor,))
    def show(name: str) -> Response:
        known = offered(broker.actors)
        if name not in known:
            raise UnknownActor(f"No actor {name!r}.{did_you_mean(name, known)}")
        return jsonify(_shown([name])[0])

    def _shown(names: list[str]) -> list[ActorJson]:
        totals = readings.totals(names)
        return [_actor_json(describe(broker.actors[name]), totals[name]) for name in names]

    return routes


def _actor_json(actor: ActorInfo, totals: dict[str, int]) -> ActorJson:
    return {
        "name": actor.name,
        "description": actor.description,
        "queue": actor.queue,
        "priority": actor.priority,
        "max_attempts": actor.max_attempts,
        "max_crashes": actor.max_crashes,
        "time_limit_ms": actor.time_limit_ms,
        "unique": _unique(actor.unique) if actor.unique else None,
        "tags": actor.tags,
        "metadata": actor.metadata,
        "store_result": actor.store_result,
        "args": actor.arguments,
        "stats": _stats(totals),
        "links": {"self": link(f"/v1/actors/{actor.name}")},
    }


def _unique(unique: Unique) -> UniqueJson:
    return {
        "key": unique.key,
        "on": unique.on,
        "scope": unique.scope,
        "until": unique.until,
        "window_ms": unique.window_ms,
        "on_conflict": unique.on_conflict,
        "max_wait_ms": unique.max_wait_ms,
    }


def _stats(totals: dict[str, int]) -> ActorStatsJson:
    return {
        "enqueued": totals.get("enqueued", 0),
        "started": totals.get("started", 0),
        "succeeded": totals.get("succeeded", 0),
        "retried": totals.get("retried", 0),
        "dead": totals.get("dead", 0),
        "cancelled": totals.get("cancelled", 0),
        "expired": totals.get("expired", 0),
        "mean_wait_ms": mean_ms(totals, "wait"),
        "mean_run_ms": mean_ms(totals, "run"),
        "p50_run_ms": quantile_ms(totals, "run", 0.5),
        "p95_run_ms": quantile_ms(totals, "run", 0.95),
        "runs": [
            {"up_to_ms": bound, "count": count}
            for bound, count in zip((*BOUNDS_MS, None), in_bounds(totals, "run"), strict=True)
        ],
    }
