"""The web process's front door: `create_app` makes a plain WSGI application."""

import gc
from collections.abc import Callable
from typing import Any

from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider

from . import registry
from .api import access, auditing, headers, problems, quotas, request_log, strict
from .api.actors import actors
from .api.alerts import alerts
from .api.audit import audit
from .api.batch import batch
from .api.bulk import bulk
from .api.events import events
from .api.explaining import explaining
from .api.failures import failures
from .api.health import health
from .api.http_metrics import HttpMetrics
from .api.jobs import jobs
from .api.keyring import Keyring
from .api.keys import keys
from .api.login import login
from .api.metrics import metrics
from .api.openapi import openapi
from .api.operations import operations
from .api.proxies import Proxies
from .api.purging import purging
from .api.queues import queues
from .api.rates import rates
from .api.request_log import request_fields
from .api.schedule_ticks import schedule_ticks
from .api.schedules import schedules
from .api.server import server
from .api.stats import stats
from .api.steps import steps
from .api.stop_signal import on_stop_signal
from .api.submitting import submitting
from .api.waiting import Waiting
from .api.webhooks import webhooks
from .api.workers import workers
from .broker.broker import JobBroker
from .broker.offered import offered
from .dashboard.documentation import documentation
from .dashboard.routes import dashboard
from .jobs.compact import compact
from .jobs.signature import arguments_model
from .logs import configure_logs
from .settings import Settings, settings
from .store import ApiKeys, Audit, Logins
from .tracing import trace_web

GARBAGE_THRESHOLDS = (20_000, 20, 50)
"""For a process that makes many small objects and hardly any cycles: Python would look for these in each request, and
in all that was there at the start, for a tenth of the time that a batch takes."""
WAITING = "worker_service.waiting"
"""Where an application keeps its `Waiting`."""


def served_app() -> Flask:
    """The application for a process that serves nothing else: when that is asked to stop, whoever waits is answered."""
    configure_logs(request_fields)
    app = create_app()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    waiting: Waiting = app.extensions[WAITING]
    on_stop_signal(waiting.stop)
    return app


def create_app(broker: JobBroker | None = None, given: Settings | None = None) -> Flask:
    """The application.

    Args:
        broker: whose actors may be asked for; by default those of this process.
        given: by default the settings of this process.
    """
    if broker is None:
        broker = registry.load()
        registry.tell_idle_modules()
    given = given or settings()
    for actor in broker.actors.values():
        arguments_model(
            actor.fn
        )  # now: the first request need not wait, and what is odd about one is logged at the start
    app = _Flask("worker_service", static_folder=None)
    app.json = _Json(app)
    app.url_map.merge_slashes = False
    trace_web(app)
    http = HttpMetrics()
    http.install(app)
    request_log.install(app)
    problems.install(app)
    headers.install(app)
    store, namespace = broker.store.client, broker.store.namespace
    keyring = Keyring(ApiKeys(store, namespace), Logins(store, namespace), given)
    access.install(app, keyring, given)
    quotas.install(app, broker.store)
    log = Audit(store, namespace)
    auditing.install(app, log)
    strict.install(app)
    waiting = Waiting(broker, given)
    app.extensions[WAITING] = waiting
    for routes in (
        submitting(broker, given, waiting),
        batch(broker, given),
        jobs(broker, given, waiting),
        events(broker, given, waiting),
        explaining(broker, given),
        operations(broker, given),
        steps(broker, given),
        bulk(broker, given),
        failures(broker),
        webhooks(broker),
        queues(broker),
        purging(broker, given),
        workers(broker),
        schedules(broker, given),
        schedule_ticks(broker, given),
        actors(broker),
        health(broker, waiting),
        metrics(broker, given, http),
        stats(broker, given),
        rates(broker),
        alerts(broker, given),
        server(broker),
        openapi(broker),
        keys(keyring, offered(broker.actors)),
        audit(log),
        login(keyring, given),
        dashboard(given),
        documentation(),
    ):
        app.register_blueprint(routes)
    access.check_table(app)
    app.wsgi_app = Proxies(app.wsgi_app, given.trusted_proxies, given.http_prefix or "")  # type: ignore[method-assign]
    return app


class _Flask(Flask):
    """No view or hook here is a coroutine, so none is looked at for that, nine times in each request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


class _Json(DefaultJSONProvider):
    """Writes what is JSON already."""

    sort_keys = False  # the order of the contract

    def dumps(self, obj: Any, **_: Any) -> str:
        return compact(obj).decode()

    def response(self, *args: Any, **kwargs: Any) -> Response:
        text = compact(self._prepare_response_obj(args, kwargs)) + b"\n"
        return Response(text, mimetype=self.mimetype)
