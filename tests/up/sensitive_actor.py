"""Actors that tell their secrets to everybody who listens."""

import hashlib
import logging
from typing import Annotated, Any

from pydantic import BaseModel

from worker_service import PermanentError, Sensitive, actor, current_job, once

logger = logging.getLogger(__name__)


class Login(BaseModel):
    """A model with a secret inside."""

    user: str
    password: Annotated[str, Sensitive()]


@actor(max_attempts=1)
def sign_in(token: Annotated[str, Sensitive()], login: Login) -> dict[str, Any]:
    """Proves that it has the values, and gives them away."""
    job = current_job()
    job.log(f"with {token}")
    job.progress(50, f"still {login.password}")
    logger.warning("signing in with %s as %r", token, login)
    with once("call") as step:
        if not step.is_done:
            step.result = {"echo": token}
    proof = hashlib.sha256(f"{token}{login.password}".encode()).hexdigest()
    return {"proof": proof, "url": f"https://example.org/?token={token}", "all": [login.password]}


@actor(max_attempts=2, min_backoff=10, max_backoff=20)
def fail_to_sign_in(token: Annotated[str, Sensitive()]) -> None:
    """Fails, and tells the value in its error and in the one before."""
    try:
        raise ValueError(f"server says: {token}")
    except ValueError as error:
        logger.exception("failed with %s", token)
        raise ConnectionError(f"cannot use {token!r}") from error


@actor(max_attempts=1)
def give_up(token: Annotated[str, Sensitive()]) -> None:
    """Ends dead at once."""
    raise PermanentError(token)
