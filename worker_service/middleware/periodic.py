"""The options ``every``, ``periodic`` and ``schedule``: an actor that schedulers run again and again."""

from typing import Any

from dramatiq.middleware import Middleware

from ..jobs.declared import Schedule
from ..jobs.errors import InvalidJob
from ..jobs.signature import check_arguments
from .options import InvalidOption

WHEN = ("every", "periodic")


class Periodic(Middleware):
    """Adds the options, and checks them where the actor is declared. Firing is the scheduler's: see `scheduler`.

    ``every`` takes a timedelta or milliseconds, ``periodic`` what periodiq's ``cron()`` makes; ``schedule`` a
    dictionary of further fields (args, timezone, overlap ...), see `jobs.schedule.Definition`.
    """

    @property
    def actor_options(self) -> set[str]:
        return {*WHEN, "schedule"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        """Refuse a schedule that cannot be kept, and arguments that the function does not take."""
        try:
            schedule = schedule_of(actor)
            if schedule is not None:
                check_arguments(actor.fn, schedule.definition("UTC").args)
        except InvalidJob as error:
            raise InvalidOption(f"{actor.actor_name}: {error}", code=error.code) from None

    def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
        """Refuse the options in a message, where they would do nothing."""
        for name in self.actor_options & set(message.options):
            raise InvalidOption(
                f"{name}= belongs to an actor's declaration, not to one job", pointer=f"/{name}"
            )


def schedule_of(actor: Any) -> Schedule | None:
    """The schedule that an actor declares, named as the actor is.

    Raises:
        InvalidJob: it cannot be kept.
    """
    given = [name for name in WHEN if actor.options.get(name) is not None]
    options = actor.options.get("schedule")
    if not given:
        if options is not None:
            raise InvalidJob("schedule= goes with every= or periodic=", code="invalid")
        return None
    if len(given) > 1:
        raise InvalidJob("give every= or periodic=, not both; SCHEDULES takes several", code="invalid")
    if options is not None and not isinstance(options, dict):
        raise InvalidJob("schedule= takes a dictionary, such as {'timezone': 'Europe/Paris'}", code="invalid")
    return Schedule(actor.actor_name, actor.options[given[0]], **(options or {}))
