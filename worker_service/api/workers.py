"""Worker processes over HTTP: what each is and runs, and what it is asked to do."""

from typing import Literal

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..broker.catalogue import time_limit_ms
from ..jobs.errors import UnknownWorker
from ..jobs.instants import to_text
from ..store import Job
from ..store.workers import Worker, Workers
from .answers import RunningJobJson, WorkerDetailJson, WorkerJson, WorkersJson
from .checked import NoFields
from .documented import documented
from .links import link
from .representation import location

MOST_WORKERS = 500
MOST_JOBS = 500


def workers(broker: JobBroker) -> Blueprint:
    """The routes of worker processes."""
    routes = Blueprint("workers", __name__)
    processes = Workers(broker.store.client, broker.store.keys)

    @routes.get("/v1/workers")
    @documented("List worker processes, those with the newest sign of life first.", {200: WorkersJson})
    def index() -> Response:
        now_ms, found, more = processes.newest(MOST_WORKERS)
        items = [_worker_json(worker, now_ms) for worker in found]
        return jsonify(WorkersJson(items=items, truncated=more > 0))

    @routes.get("/v1/workers/<id>")
    @documented("Read what a worker process is and runs.", {200: WorkerDetailJson}, problems=(UnknownWorker,))
    def show(id: str) -> Response:
        return jsonify(_shown(id))

    @routes.post("/v1/workers/<id>/quiet")
    @documented(
        "Ask a worker process to take no more jobs; what runs goes on.",
        {202: WorkerDetailJson},
        body=NoFields,
        body_required=False,
        problems=(UnknownWorker,),
    )
    def quiet(id: str) -> tuple[Response, int]:
        return _tell(id, "quiet")

    @routes.post("/v1/workers/<id>/stop")
    @documented(
        "Ask a worker process to end, as by SIGTERM: what runs may finish within the grace.",
        {202: WorkerDetailJson},
        body=NoFields,
        body_required=False,
        problems=(UnknownWorker,),
    )
    def stop(id: str) -> tuple[Response, int]:
        return _tell(id, "stop")

    def _tell(id: str, word: Literal["quiet", "stop"]) -> tuple[Response, int]:
        if not broker.store.tell_worker(id, word):
            raise _unknown(id)
        return jsonify(_shown(id)), 202

    def _shown(id: str) -> WorkerDetailJson:
        found = processes.find(id)
        if found is None:
            raise _unknown(id)
        now_ms, worker, held = found
        jobs = [_running_json(broker, job, now_ms) for job in broker.reads.jobs(held[:MOST_JOBS])]
        return {**_worker_json(worker, now_ms), "jobs": jobs, "truncated": len(held) > MOST_JOBS}

    return routes


def _unknown(id: str) -> UnknownWorker:
    return UnknownWorker(f"No worker process has the id {id!r}: it never existed, or it has ended.")


def _worker_json(worker: Worker, now_ms: int) -> WorkerJson:
    heard_of = None if worker.lease_ms is None else worker.lease_ends_at_ms - worker.lease_ms
    return {
        "id": worker.id,
        "state": _state(worker, now_ms),
        "host": worker.host,
        "pid": int(worker.pid) if worker.pid.isdecimal() else None,
        "version": worker.version,
        "queues": list(worker.queues),
        "actors": list(worker.actors),
        "threads": int(worker.threads) if worker.threads.isdecimal() else None,
        "running": worker.running,
        "opened_at": to_text(worker.opened_at_ms),
        "heartbeat_age_ms": None if heard_of is None else max(0, now_ms - heard_of),
        "memory_bytes": worker.memory_bytes,
        "quiet_since": to_text(worker.quiet_at_ms),
        "stopping_since": to_text(worker.stop_at_ms),
        "stalled_since": to_text(worker.stalled_at_ms),
        "stalled_in": worker.stalled_in,
        "links": {"self": link(f"/v1/workers/{worker.id}")},
    }


def _state(worker: Worker, now_ms: int) -> Literal["active", "quiet", "stopping", "stalled", "lost"]:
    if worker.lease_ends_at_ms <= now_ms:
        return "lost"
    if worker.stop_at_ms is not None:
        return "stopping"
    if worker.stalled_at_ms is not None:
        return "stalled"
    return "active" if worker.quiet_at_ms is None else "quiet"


def _running_json(broker: JobBroker, job: Job, now_ms: int) -> RunningJobJson:
    started_at = job.started_at_ms
    return {
        "id": job.id,
        "actor": job.actor,
        "queue": job.queue,
        "started_at": to_text(started_at),
        "running_ms": None if started_at is None else max(0, now_ms - started_at),
        "time_limit_ms": time_limit_ms(broker.actors.get(job.actor), job.message),
        "links": {"self": location(job.id)},
    }
