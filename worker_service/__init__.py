"""worker-service: a background-job service that is deployed, not assembled."""

from typing import TYPE_CHECKING, Any

from .jobs.errors import PermanentError, RetryLater

if TYPE_CHECKING:
    from .broker.current import CurrentJob

__all__ = ["PermanentError", "RetryLater", "__version__", "actor", "current_job"]

__version__ = "0.1.0"


def actor(*args: Any, **options: Any) -> Any:
    """Declare an actor on the service's broker; the same call as ``dramatiq.actor``.

    The broker is built when this is first called, so importing ``worker_service`` alone loads neither Dramatiq
    nor Flask.

    Raises:
        InvalidJob: an option is unknown; the message names the nearest one.
    """
    from .registry import actor as declare

    return declare(*args, **options)


def current_job() -> "CurrentJob":
    """The job that an actor's function is running for: its ``id`` and ``attempt``.

    Raises:
        NoCurrentJob: no job runs here.
    """
    from .broker.current import current_job as current

    return current()
