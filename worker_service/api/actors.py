"""The actors over HTTP: what can be asked for, and with which arguments."""

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..broker.catalogue import ActorInfo, describe
from ..broker.offered import offered
from ..jobs.errors import UnknownActor
from ..names import did_you_mean
from .answers import ActorJson, ActorsJson
from .documented import documented
from .links import link


def actors(broker: JobBroker) -> Blueprint:
    """The routes of actors."""
    routes = Blueprint("actors", __name__)

    @routes.get("/v1/actors")
    @documented("List the actors, with the JSON schema of their arguments.", {200: ActorsJson})
    def index() -> Response:
        items = [_actor_json(describe(actor)) for _, actor in sorted(offered(broker.actors).items())]
        return jsonify(ActorsJson(items=items))

    @routes.get("/v1/actors/<name>")
    @documented("Read an actor.", {200: ActorJson}, problems=(UnknownActor,))
    def show(name: str) -> Response:
        known = offered(broker.actors)
        if name not in known:
            raise UnknownActor(f"No actor {name!r}.{did_you_mean(name, known)}")
        return jsonify(_actor_json(describe(known[name])))

    return routes


def _actor_json(actor: ActorInfo) -> ActorJson:
    return {
        "name": actor.name,
        "description": actor.description,
        "queue": actor.queue,
        "priority": actor.priority,
        "max_attempts": actor.max_attempts,
        "time_limit_ms": actor.time_limit_ms,
        "args": actor.arguments,
        "links": {"self": link(f"/v1/actors/{actor.name}")},
    }
