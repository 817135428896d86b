"""Which scope a request needs: the one table from what is asked (the name of Flask's endpoint) to who may ask it."""

from enum import StrEnum


class Scope(StrEnum):
    """What a key may do. Admin includes all others; none of the others includes another one."""

    SUBMIT = "submit"
    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"


OPEN = None
"""Asked by anybody: what is open says nothing that is secret."""

SCOPES: dict[str, Scope | None] = {
    "submitting.create": Scope.SUBMIT,
    "batch.create": Scope.SUBMIT,
    "jobs.index": Scope.READ,
    "jobs.show": Scope.READ,
    "jobs.log": Scope.READ,
    "jobs.result": Scope.READ,
    "explaining.show": Scope.READ,
    "events.job": Scope.READ,
    "events.changes": Scope.READ,
    "operations.cancel": Scope.OPERATE,
    "operations.retry": Scope.OPERATE,
    "operations.run_now": Scope.OPERATE,
    "operations.delete": Scope.OPERATE,
    "steps.settle": Scope.OPERATE,
    "bulk.operate": Scope.OPERATE,
    "failures.index": Scope.READ,
    "webhooks.index": Scope.READ,
    "queues.index": Scope.READ,
    "queues.show": Scope.READ,
    "purging.purge": Scope.OPERATE,
    "queues.pause": Scope.OPERATE,
    "queues.resume": Scope.OPERATE,
    "queues.limit": Scope.OPERATE,
    "workers.index": Scope.READ,
    "workers.show": Scope.READ,
    "workers.quiet": Scope.OPERATE,
    "workers.stop": Scope.OPERATE,
    "schedules.index": Scope.READ,
    "schedules.show": Scope.READ,
    "schedules.put": Scope.OPERATE,
    "schedules.delete": Scope.OPERATE,
    "schedules.pause": Scope.OPERATE,
    "schedules.resume": Scope.OPERATE,
    "schedule_ticks.run": Scope.OPERATE,
    "schedule_ticks.backfill": Scope.OPERATE,
    "schedule_ticks.coming": Scope.READ,
    "schedule_ticks.history": Scope.READ,
    "actors.index": Scope.READ,
    "actors.show": Scope.READ,
    "stats.show": Scope.READ,
    "rates.show": Scope.READ,
    "alerts.index": Scope.READ,
    "server.show": Scope.READ,
    "metrics.show": Scope.READ,
    "openapi.show": Scope.READ,
    "documentation.show": Scope.READ,
    "dashboard.overview": Scope.READ,
    "dashboard.jobs": Scope.READ,
    "dashboard.export": Scope.READ,
    "dashboard.job": Scope.READ,
    "dashboard.failures": Scope.READ,
    "dashboard.queues": Scope.READ,
    "dashboard.schedules": Scope.READ,
    "dashboard.schedule": Scope.READ,
    "dashboard.workers": Scope.READ,
    "dashboard.actors": Scope.READ,
    "dashboard.actor": Scope.READ,
    "dashboard.system": Scope.READ,
    "dashboard.keys": Scope.ADMIN,
    "dashboard.audit": Scope.ADMIN,
    "dashboard.ask_first": Scope.READ,
    "dashboard.do": Scope.READ,  # the interface, which it asks, asks for what the action needs
    "dashboard.choose": Scope.READ,
    "dashboard.unknown": Scope.READ,
    "dashboard.static": OPEN,
    "keys.index": Scope.ADMIN,
    "keys.show": Scope.ADMIN,
    "keys.add": Scope.ADMIN,
    "keys.rotate": Scope.ADMIN,
    "keys.revoke": Scope.ADMIN,
    "audit.index": Scope.ADMIN,
    "login.form": OPEN,
    "login.enter": OPEN,
    "login.leave": OPEN,
    "health.live": OPEN,
    "health.ready": OPEN,
}
