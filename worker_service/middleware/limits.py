"""The options that say how long and how often: checked where the actor is declared, not when its first job runs."""

from typing import Any

from dramatiq.middleware import Middleware

from ..broker.submission import check_limits
from ..jobs.errors import InvalidJob
from .options import InvalidOption


class Limits(Middleware):
    """Checks them; the broker's own middleware knows the options."""

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        """Refuse what no job could run with; a time limit that is a timedelta becomes milliseconds.

        Raises:
            InvalidOption: an option has a value of another kind, or out of range.
        """
        try:
            check_limits(actor)
        except InvalidJob as error:
            raise InvalidOption(f"{actor.actor_name}: {error}", code=error.code) from None
