"""The Dramatiq middleware of the service, in the order it runs on the way in."""

from dramatiq.middleware import AgeLimit, Callbacks, CurrentMessage, Middleware, Pipelines

from .asyncio import AsyncIO
from .labels import Labels
from .limits import Limits
from .periodic import Periodic
from .retries import Retries
from .unique import Unique


def default_middleware() -> list[Middleware]:
    """What every broker of the service gets; the broker adds what it needs itself."""
    return [
        AgeLimit(),
        CurrentMessage(),
        Callbacks(),
        Pipelines(),
        Limits(),
        Retries(),
        AsyncIO(),
        Periodic(),
        Unique(),
        Labels(),
    ]
