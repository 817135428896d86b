"""Tells Sentry, or what speaks its protocol, of errors: jobs that failed for good, and all that is logged as an error.

Args and results of jobs stay here; values of sensitive arguments are looked for in all the rest. No local variables and
no bodies of requests are sent. The SDK reads ``SENTRY_ENVIRONMENT`` and ``SENTRY_RELEASE`` itself.
"""

from importlib.metadata import version
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any

from .broker.proxy import CURRENT, JobProxy
from .jobs.masking import scrubbed
from .settings import Settings, WrongSettings

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

FLUSH_SECONDS = 2.0


def tell_sentry(settings: Settings) -> None:
    """Begin to, when a DSN is set; before the broker is made, so that the SDK finds its place in it.

    Raises:
        WrongSettings: the extra is missing, or the DSN is none.
    """
    if settings.sentry_dsn is None:
        return
    try:
        import sentry_sdk
        from sentry_sdk.integrations.dramatiq import DramatiqIntegration
        from sentry_sdk.integrations.logging import ignore_logger
        from sentry_sdk.utils import BadDsn
    except ImportError:
        raise WrongSettings(
            "JOBS_SENTRY_DSN is set, but its extra is not there: pip install 'worker-service[sentry]'"
        ) from None
    try:
        sentry_sdk.init(
            dsn=settings.sentry_dsn.get_secret_value(),
            integrations=[DramatiqIntegration()],
            release=version("worker-service"),
            include_local_variables=False,
            max_request_body_size="never",
            send_default_pii=False,
            before_send=_Filter(settings.sentry_every_attempt),
        )
    except BadDsn as error:
        raise WrongSettings(f"JOBS_SENTRY_DSN: {error}") from None
    # They log each attempt that failed, which the integration tells of.
    for name in ("dramatiq.worker.WorkerThread", "worker_service.jobs"):
        ignore_logger(name)
    # Not atexit: Dramatiq's worker processes are multiprocessing children, which do not run it.
    Finalize(None, sentry_sdk.flush, args=(FLUSH_SECONDS,), exitpriority=5)


class _Filter:
    """What becomes of an event before it is sent."""

    def __init__(self, every_attempt: bool) -> None:
        self._every_attempt = every_attempt

    def __call__(self, event: "Event", hint: "Hint") -> "Event | None":  # noqa: ARG002 - the SDK calls it so
        job = CURRENT.get()
        if job is None:
            return event
        if _is_of_the_attempt(event) and not (self._every_attempt or _has_failed_for_good(job)):
            return None
        event.setdefault("contexts", {}).pop("dramatiq", None)  # the whole message
        told: Event = scrubbed(event, job.secrets)
        told.setdefault("contexts", {})["job"] = {
            "id": job.message_id,
            "actor": job.actor_name,
            "queue": job.queue_name,
            "attempt": job.claimed.attempts + 1,
            "max_attempts": job.claimed.max_attempts,
        }
        told.setdefault("tags", {}).update(actor=job.actor_name, queue=job.queue_name)
        return told


def _is_of_the_attempt(event: Any) -> bool:
    """Whether the integration made it, and not the actor's own code."""
    errors = event.get("exception", {}).get("values", [])
    return any(each.get("mechanism", {}).get("type") == "dramatiq" for each in errors)


def _has_failed_for_good(job: JobProxy) -> bool:
    return job.outcome().verb == "dead_letter"
