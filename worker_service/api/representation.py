"""A job as JSON."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Literal

from ..jobs.compact import compact
from ..jobs.instants import to_text
from ..jobs.masking import is_sensitive, masked, scrubbed, secrets_of
from ..jobs.signature import arguments_by_name
from ..jobs.states import State
from ..store import Delivery, Job, JobStep, NewJob, Submitted
from .answers import DeliveryJson, ErrorJson, JobJson, ProgressJson, ReplayedJson, StepJson
from .links import link

_STATES = frozenset(State)


def job_json(job: Job, fn: Callable[..., Any] | None) -> JobJson:
    """The job as the contract shows it.

    Args:
        job: its record.
        fn: the actor's function when it is known here; it gives names to arguments sent by position.
    """
    named = arguments_of(job, fn)
    hidden = secrets_of(fn, named) if is_sensitive(fn) else ()
    shown: JobJson = {
        "id": job.id,
        "actor": job.actor,
        "queue": job.queue,
        "state": job.state,
        "wait_reason": job.wait_reason,
        "reason": job.reason,
        "fingerprint": job.fingerprint,
        "args": masked(fn, named),
        "tags": [tag for tag in _option(job, "tags", list) or [] if isinstance(tag, str)],
        "metadata": _option(job, "metadata", dict) or {},
        "priority": job.priority,
        "attempt": job.attempts + (job.state in (State.RUNNING, State.SUCCEEDED)),
        "max_attempts": job.max_attempts,
        "crashes": job.crashes,
        "created_at": to_text(job.created_at_ms),
        "run_at": to_text(job.due_at_ms),
        "started_at": to_text(job.started_at_ms),
        "finished_at": to_text(job.finished_at_ms),
        "expires_at": to_text(job.expires_at_ms),
        "unique_key": job.unique_key,
        "worker": job.worker,
        "progress": _progress(scrubbed(job.progress, hidden)),
        "result": scrubbed(job.result, hidden),
        "error": _error(scrubbed(job.error, hidden)),
        "attempts": [_delivery(delivery, hidden) for delivery in job.deliveries],
        "steps": [_step(step, hidden) for step in job.steps],
        "schedule": job.schedule,
        "tick": to_text(job.tick_ms),
        "replayed_from": job.replayed_from,
        "replayed_as": job.replayed_as,
        "traceparent": _option(job, "traceparent", str),
        "version": "",
        "links": {"self": location(job.id)},
    }
    shown["version"] = _version(shown)
    return shown


def arguments_of(job: Job, fn: Callable[..., Any] | None) -> dict[str, Any]:
    """The arguments by name, sensitive ones too."""
    return arguments_by_name(fn, tuple(job.message.get("args", ())), job.message.get("kwargs", {}))


def _version(shown: JobJson) -> str:
    """Another one whenever anything else of the job is shown otherwise."""
    return hashlib.blake2b(compact(shown), digest_size=8).hexdigest()


def _option(job: Job, name: str, kind: type) -> Any:
    """An option of the message, which may be damaged."""
    found = job.message.get("options", {}).get(name)
    return found if isinstance(found, kind) else None


def replayed_json(found: Submitted) -> ReplayedJson:
    """The answer to a repeated request: which job it made, and where that stands now."""
    return {
        "id": found.id,
        "actor": found.actor,
        "queue": found.queue,
        "created_at": to_text(found.created_at_ms),
        "state": state_or_pruned(found.state),
        "links": {"self": location(found.id)},
    }


def state_or_pruned(word: str | None) -> State | Literal["pruned"]:
    """The state of a job that may be gone."""
    return State(word) if word in _STATES else "pruned"


def location(id: str) -> str:
    """Where the job is found."""
    return link(f"/v1/jobs/{id}")


def created_json(job: NewJob, submitted: Submitted) -> ReplayedJson:
    """A job that was created, in short."""
    now_ms = submitted.created_at_ms
    due = _instant(job.run_at_ms, job.delay_ms, now_ms)
    return {
        "id": job.id,
        "actor": job.actor,
        "queue": job.queue,
        "created_at": to_text(now_ms),
        "state": _first_state(due, now_ms, follows=submitted.word == "follows"),
        "links": {"self": location(job.id)},
    }


def as_created(job: NewJob, now_ms: int, *, follows: bool) -> Job:
    """The record that submitting a job made, without asking for it.

    Args:
        follows: it waits for the end of the job that does the same work.
    """
    due = _instant(job.run_at_ms, job.delay_ms, now_ms)
    state = _first_state(due, now_ms, follows=follows)
    reason = "unique" if follows else "asked"
    return Job(
        id=job.id,
        state=state,
        queue=job.queue,
        actor=job.actor,
        priority=job.priority,
        created_at_ms=now_ms,
        due_at_ms=due,
        started_at_ms=None,
        finished_at_ms=None,
        expires_at_ms=_instant(job.expires_at_ms, job.expires_in_ms, now_ms),
        attempts=0,
        crashes=0,
        max_attempts=job.max_attempts,
        max_crashes=job.max_crashes,
        worker=None,
        wait_reason=reason if state == State.SCHEDULED else None,
        reason=None,
        parent=job.parent or None,
        unique_key=job.lock.digest if job.lock else None,
        message=json.loads(job.message),
        has_result=False,
        result=None,
        error=None,
        progress=None,
        deliveries=[],
        steps=[],
    )


def _first_state(
    due_at_ms: int | None, now_ms: int, *, follows: bool
) -> Literal[State.SCHEDULED, State.QUEUED]:
    """The state in which a job is created; see lua/lib/create.lua."""
    waits = follows or (due_at_ms is not None and due_at_ms > now_ms)
    return State.SCHEDULED if waits else State.QUEUED


def _instant(at_ms: int | None, in_ms: int | None, now_ms: int) -> int | None:
    if at_ms is None and in_ms:
        return now_ms + in_ms
    return at_ms


def _delivery(delivery: Delivery, hidden: tuple[str, ...]) -> DeliveryJson:
    return {
        "number": delivery.number,
        "started_at": to_text(delivery.started_at_ms),
        "ended_at": to_text(delivery.ended_at_ms),
        "worker": delivery.worker,
        "outcome": delivery.outcome,
        "charged": delivery.charged,
        "error": _error(scrubbed(delivery.error, hidden)),
    }


def _step(step: JobStep, hidden: tuple[str, ...]) -> StepJson:
    result = scrubbed(step.result, hidden)
    return {"name": step.name, "state": step.state, "at": to_text(step.at_ms), "result": result}


def _progress(found: object) -> ProgressJson | None:
    """None also for what a damaged record holds in its place; so below."""
    if not isinstance(found, dict):
        return None
    percent = found.get("percent")
    return {
        "percent": percent if isinstance(percent, int | float) else 0,
        "note": str(found.get("note", "")),
    }


def _error(found: object) -> ErrorJson | None:
    if not isinstance(found, dict):
        return None
    frame = found.get("frame")
    return {
        "type": str(found.get("type", "")),
        "message": str(found.get("message", "")),
        "frame": frame if isinstance(frame, str) else None,
        "traceback": str(found.get("traceback", "")),
    }
