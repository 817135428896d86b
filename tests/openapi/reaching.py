"""How each operation is made to succeed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from worker_service.api import purging
from worker_service.broker.broker import JobBroker
from worker_service.store import Outcome

JOB = {"actor": "add", "args": {"x": 1}}
SCHEDULE = {**JOB, "every_ms": 60_000}
KEY = {"name": "shop", "scopes": ["admin"]}
NOTE = {"note": "in the holidays"}


@dataclass(frozen=True, slots=True)
class Service:
    """The application, and the store behind it.

    Attributes:
        client: asks it.
        broker: does what workers do.
    """

    client: FlaskClient
    broker: JobBroker

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """POST JSON; underscores in the names of headers are hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, json=body, headers=named)

    def job(self, **fields: Any) -> str:
        """Path of a job that waits."""
        return self.post("/v1/jobs", {**JOB, **fields}).headers["Location"]

    def running(self, *, step: str = "") -> tuple[str, str]:
        """Path and token of a job that runs, with a step that it has begun."""
        path = self.job()
        self.broker.store.open_session("s", 60_000, {})
        (claimed,) = self.broker.store.claim("s", path, 1, ["default"]).jobs
        if step:
            self.broker.store.begin_step(claimed.id, claimed.token, step)
        return path, claimed.token

    def dead(self, *, step: str = "") -> str:
        """Path of a job that was given up."""
        path, token = self.running(step=step)
        error = '{"type":"ValueError","message":"no","frame":"my:f","traceback":"..."}'
        failed = Outcome(path.rpartition("/")[2], token, "dead_letter", reason="failed", error=error)
        assert self.broker.store.finish([failed]) == ["done"]
        return path

    def succeeded(self) -> str:
        """Path of a job with a result."""
        path, token = self.running()
        done = Outcome(path.rpartition("/")[2], token, "complete", result="3")
        assert self.broker.store.finish([done]) == ["done"]
        return path

    def seen(self) -> TestResponse:
        """The stream of a job for a client that has seen its end."""
        path = f"{self.ended()}/events"
        newest = re.findall(r"^id: (.*)$", self.client.get(path).text, re.MULTILINE)[-1]
        return self.client.get(path, headers={"Last-Event-ID": newest})

    def ended(self) -> str:
        """Path of a job that was stopped."""
        path = self.job()
        self.post(f"{path}/cancel")
        return path

    def schedule(self) -> str:
        """Path of a schedule."""
        self.client.put("/v1/schedules/tea", json=SCHEDULE)
        return "/v1/schedules/tea"

    def history(self) -> TestResponse:
        """The ticks of a schedule that has run."""
        path = self.schedule()
        self.post(f"{path}/run")
        return self.client.get(f"{path}/history")


Reach = Callable[[Service], TestResponse]


def _with_key(ask: Callable[[FlaskClient, str], TestResponse]) -> Reach:
    """Asks as the administrator whose key was made first; from then on the service demands one."""

    def asked(service: Service) -> TestResponse:
        made = service.post("/v1/keys", KEY)
        client = service.client.application.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made.get_json()['key']}"
        return ask(client, made.headers["Location"])

    return asked


def _purge(service: Service) -> TestResponse:
    return service.post("/v1/queues/default/purge", {"confirm": "default"})


def _purge_of_many(service: Service) -> TestResponse:
    with patch.object(purging, "MOST_AT_ONCE", 1):
        return _purge(service)


def _get(path: str) -> Reach:
    return lambda service: service.client.get(path)


def _after(first: Callable[[Service], object], reach: Reach) -> Reach:
    def both(service: Service) -> TestResponse:
        first(service)
        return reach(service)

    return both


def _post(path: str, body: Any = None, **headers: str) -> Reach:
    return lambda service: service.post(path, body, **headers)


def _twice(reach: Reach) -> Reach:
    return _after(reach, reach)


#: operationId -> status -> how that is reached.
REACHED: dict[str, dict[int, Reach]] = {
    "actors_index": {200: _get("/v1/actors")},
    "actors_show": {200: _get("/v1/actors/add")},
    "alerts_index": {200: _get("/v1/alerts")},
    "audit_index": {200: _after(Service.ended, _get("/v1/audit"))},
    "batch_create": {200: _post("/v1/jobs:batch", [JOB, {"actor": "nobody"}])},
    "bulk_operate_cancel": {
        200: _post("/v1/jobs:cancel", {"filter": {"actor": "add"}, "dry_run": True}),
        202: _post("/v1/jobs:cancel", {"filter": {"actor": "add"}}),
    },
    "bulk_operate_delete": {
        200: _post("/v1/jobs:delete", {"ids": ["x"], "dry_run": True}),
        202: _post("/v1/jobs:delete", {"ids": ["x"]}),
    },
    "bulk_operate_retry": {
        200: _post("/v1/jobs:retry", {"ids": ["x"], "dry_run": True}),
        202: _post("/v1/jobs:retry", {"ids": ["x"]}),
    },
    "events_changes": {200: _get("/v1/events")},
    "events_job": {
        200: lambda service: service.client.get(f"{service.ended()}/events"),
        204: Service.seen,
    },
    "explaining_show": {200: lambda service: service.client.get(f"{service.ended()}/explain")},
    "failures_index": {200: _after(Service.dead, _get("/v1/failures"))},
    "health_live": {200: _get("/livez")},
    "health_ready": {200: _get("/readyz")},
    "jobs_index": {200: _after(Service.dead, _get("/v1/jobs"))},
    "jobs_log": {200: lambda service: service.client.get(f"{service.job()}/log")},
    "jobs_result": {200: lambda service: service.client.get(f"{service.succeeded()}/result")},
    "jobs_show": {200: lambda service: service.client.get(service.dead(step="charge"))},
    "jobs_show_alias": {200: lambda service: service.client.get(service.job().removeprefix("/v1"))},
    "keys_add": {201: _post("/v1/keys", KEY)},
    "keys_index": {200: _with_key(lambda client, _: client.get("/v1/keys"))},
    "keys_revoke": {204: _with_key(lambda client, path: client.delete(path))},
    "keys_rotate": {200: _with_key(lambda client, path: client.post(f"{path}/rotate"))},
    "keys_show": {200: _with_key(lambda client, path: client.get(path))},
    "metrics_show": {200: _get("/metrics")},
    "openapi_show": {200: _get("/openapi.json")},
    "operations_cancel": {
        200: lambda service: service.post(f"{service.job()}/cancel"),
        202: lambda service: service.post(f"{service.running()[0]}/cancel"),
    },
    "operations_delete": {204: lambda service: service.client.delete(service.ended())},
    "operations_run_now": {
        202: lambda service: service.post(f"{service.job(delay_ms=60_000)}/run-now"),
    },
    "operations_retry": {202: lambda service: service.post(f"{service.dead()}/retry", {"args": {"x": 2}})},
    "purging_purge": {
        200: _after(Service.job, _purge),
        202: _after(Service.job, _purge_of_many),
    },
    "queues_index": {200: _after(Service.job, _get("/v1/queues"))},
    "queues_limit": {
        204: lambda service: service.client.put("/v1/queues/default/limits", json={"max_depth": 10})
    },
    "queues_pause": {204: _post("/v1/queues/default/pause", {"reason": "a move"})},
    "queues_resume": {204: _post("/v1/queues/default/resume")},
    "queues_show": {200: _after(Service.job, _get("/v1/queues/default"))},
    "rates_show": {200: _after(Service.ended, _get("/v1/rates?range=8h&actor=add"))},
    "schedule_ticks_backfill": {
        200: lambda service: service.post(
            f"{service.schedule()}/backfill", {"from": "2025-01-01T00:00:00Z", "to": "2025-01-01T00:05:00Z"}
        )
    },
    "schedule_ticks_coming": {200: lambda service: service.client.get(f"{service.schedule()}/next")},
    "schedule_ticks_history": {200: Service.history},
    "schedule_ticks_run": {202: lambda service: service.post(f"{service.schedule()}/run")},
    "schedules_delete": {204: lambda service: service.client.delete(service.schedule())},
    "schedules_index": {200: _after(Service.schedule, _get("/v1/schedules"))},
    "schedules_pause": {200: lambda service: service.post(f"{service.schedule()}/pause", NOTE)},
    "schedules_put": {
        200: lambda service: service.client.put(service.schedule(), json={**SCHEDULE, "every_ms": 5000}),
        201: lambda service: service.client.put("/v1/schedules/tea", json=SCHEDULE),
    },
    "schedules_resume": {200: lambda service: service.post(f"{service.schedule()}/resume")},
    "schedules_show": {200: lambda service: service.client.get(service.schedule())},
    "server_show": {200: _get("/v1/server")},
    "stats_show": {200: _get("/v1/stats")},
    "steps_settle": {
        200: lambda service: service.post(
            f"{service.dead(step='charge')}/steps/charge", {"outcome": "done", "result": [1]}
        )
    },
    "submitting_create": {
        200: _twice(_post("/v1/jobs", {**JOB, "unique": {}})),
        202: _twice(_post("/v1/jobs", JOB, Idempotency_Key="a")),
    },
    "submitting_create_alias": {
        200: _twice(_post("/jobs", {**JOB, "unique": {}})),
        202: _post("/jobs", JOB),
    },
    "webhooks_index": {200: _get("/v1/webhooks/deliveries")},
    "workers_index": {200: _after(Service.running, _get("/v1/workers"))},
    "workers_quiet": {202: _after(Service.running, _post("/v1/workers/s/quiet"))},
    "workers_show": {200: _after(Service.running, _get("/v1/workers/s"))},
    "workers_stop": {202: _after(Service.running, _post("/v1/workers/s/stop"))},
}
