"""The actors over HTTP: what can be asked for, and with which arguments."""

from typing import Any

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..broker.catalogue import ActorInfo, describe
from ..jobs.errors import UnknownActor
from ..names import did_you_mean


def actors(broker: JobBroker) -> Blueprint:
    """The routes of actors."""
    routes = Blueprint("actors", __name__)

    @routes.get("/v1/actors")
    def index() -> Response:
        return jsonify(
            {"items": [_actor_json(describe(actor)) for _, actor in sorted(broker.actors.items())]}
        )

    @routes.get("/v1/actors/<name>")
    def show(name: str) -> Response:
        if name not in broker.actors:
            raise UnknownActor(f"No actor {name!r}.{did_you_mean(name, broker.actors)}")
        return jsonify(_actor_json(describe(broker.actors[name])))

    return routes


def _actor_json(actor: ActorInfo) -> dict[str, Any]:
    return {
        "name": actor.name,
        "description": actor.description,
        "queue": actor.queue,
        "priority": actor.priority,
        "max_attempts": actor.max_attempts,
        "time_limit_ms": actor.time_limit_ms,
        "args": actor.arguments,
        "links": {"self": f"/v1/actors/{actor.name}"},
    }
