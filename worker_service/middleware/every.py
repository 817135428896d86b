"""The option ``every``: an actor that the scheduler runs again and again."""

from typing import Any

from dramatiq.middleware import Middleware

from ..jobs.errors import InvalidJob
from ..jobs.intervals import interval_ms
from ..jobs.signature import binds
from .options import InvalidOption


class Every(Middleware):
    """Adds the option and checks it where the actor is declared. Firing is the scheduler's: see `scheduler`."""

    @property
    def actor_options(self) -> set[str]:
        return {"every"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        """Refuse an interval that cannot be kept, and a function that cannot be called without arguments."""
        every = actor.options.get("every")
        if every is None:
            return
        try:
            interval_ms(every)
        except InvalidJob as error:
            raise InvalidOption(f"{actor.actor_name}: {error}", code=error.code) from None
        if not binds(actor.fn, (), {}):
            raise InvalidOption(
                f"{actor.actor_name}: an actor with every= is called without arguments; give each a default",
                code="does_not_bind",
            )

    def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
        """Refuse the option in a message, where it would do nothing."""
        if "every" in message.options:
            raise InvalidOption("every= belongs to an actor's declaration, not to one job", pointer="/every")
