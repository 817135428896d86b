"""What needs somebody now: ``GET /v1/alerts``."""

from flask import Blueprint, Response, jsonify

from ..broker.alerts import Alerts
from ..broker.broker import JobBroker
from ..settings import Settings
from ..store.overview import Overviews
from .answers import AlertJson, AlertsJson
from .documented import documented


def alerts(broker: JobBroker, settings: Settings) -> Blueprint:
    """The route of alerts."""
    routes = Blueprint("alerts", __name__)
    looks = Alerts(broker, settings.timezone)
    readings = Overviews(broker.store.client, broker.store.namespace)

    @routes.get("/v1/alerts")
    @documented("List what needs somebody now.", {200: AlertsJson})
    def index() -> Response:
        items = [
            AlertJson(name=each.name, severity=each.severity, of=each.of or None, text=each.text)
            for each in looks.now(readings.read())
        ]
        return jsonify(AlertsJson(items=items))

    return routes
