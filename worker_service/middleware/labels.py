"""The options ``tags`` and ``metadata``: what every job of an actor is labelled with, unless it says otherwise."""

from typing import Any

from dramatiq.middleware import Middleware

from ..jobs.errors import InvalidJob
from ..jobs.labels import read_labels
from .options import InvalidOption


class Labels(Middleware):
    """Adds the options, and checks them where the actor is declared."""

    @property
    def actor_options(self) -> set[str]:
        return {"tags", "metadata"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        """Refuse what could only fail once a job is sent."""
        given = {name: actor.options[name] for name in self.actor_options if actor.options.get(name)}
        if not given:
            return
        try:
            read_labels(given)
        except InvalidJob as error:
            raise InvalidOption(f"{actor.actor_name}: {error}", code=error.code) from None
