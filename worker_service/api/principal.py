"""Who asks: found out once per request by access, told to whatever depends on it."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import g

from ..jobs.errors import ActorNotAllowed
from ..jobs.quota import Quota
from .scopes import Scope


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever showed a key, or a program of this machine where none is configured.

    Attributes:
        id: in records (idempotency keys, quotas, the audit log): stable, and no secret.
        name: for people.
        scopes: what it may do.
        actors: those it may send jobs to; None: all.
        quota: how much it may ask for in a minute; None: any number.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    actors: frozenset[str] | None = None
    quota: Quota | None = None

    def may(self, scope: Scope) -> bool:
        """Whether one of its scopes allows this."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def check_actor(self, actor: str) -> None:
        """To be called before anything is done that makes a job of this actor run.

        Raises:
            ActorNotAllowed: it may send jobs to others only.
        """
        if self.actors is not None and actor not in self.actors:
            raise ActorNotAllowed(
                f"This key may not run jobs of {actor!r}: it is for {', '.join(sorted(self.actors))}."
            )


NOBODY = Principal("nobody", "nobody", frozenset())
"""Whoever asks for what is open to all."""

LOCAL = Principal("local", "this machine", frozenset({Scope.ADMIN}))
"""Everybody, while no key is configured."""

FIRST_ADMIN = Principal("admin", "the admin key", frozenset({Scope.ADMIN}))
"""Whoever shows JOBS_ADMIN_KEY."""

AT_TERMINAL = "worker_service.at_terminal"
"""In the WSGI environment of a request of the command line, which needs no key: who sits there. It reaches the store
anyway, and no request from outside can have it: the names of those begin with HTTP_."""


def at_terminal(person: str) -> Principal:
    """A person at the command line."""
    return Principal(f"terminal:{person}", person, frozenset({Scope.ADMIN}))


def may_go_on() -> Callable[[], bool]:
    """Whether the request that is being answered would still be let in: for streams, to be asked again and again."""
    asked: Callable[[], bool] = g.may_go_on
    return asked


def current_principal() -> Principal:
    """Who sent the request that is being answered."""
    principal: Principal = g.principal
    return principal
