"""worker-service: a background-job service that is deployed, not assembled."""

from typing import Any

from .jobs.errors import PermanentError, RetryLater

__all__ = ["PermanentError", "RetryLater", "__version__", "actor"]

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
