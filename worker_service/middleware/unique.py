"""The option ``unique``: which jobs of an actor do the same work. See `jobs.uniqueness`; the store decides."""

from typing import Any

from dramatiq.middleware import Middleware

from ..jobs.errors import InvalidJob
from ..jobs.uniqueness import read_unique
from .options import InvalidOption


class Unique(Middleware):
    """Adds the option, and checks it where the actor is declared."""

    @property
    def actor_options(self) -> set[str]:
        return {"unique"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        """Refuse what could only fail once a job is sent."""
        given = actor.options.get("unique")
        if given is None:
            return
        try:
            actor.options["unique"] = read_unique(given)
        except InvalidJob as error:
            raise InvalidOption(f"{actor.actor_name}: {error}", code=error.code) from None
