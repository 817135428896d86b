"""Options of actors that cannot be kept."""

from dramatiq.middleware import MiddlewareError

from ..jobs.errors import InvalidJob


class InvalidOption(InvalidJob, MiddlewareError):
    """Raised where an option is declared or sent wrongly; only a `MiddlewareError` leaves a hook."""
