"""The shop's actors: JOBS_ACTOR_MODULES=shop.jobs. Each takes ids and numbers, and fetches the rest when it runs."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import stripe
from pydantic import Field
from sqlalchemy import select

from worker_service import PermanentError, actor, current_job
from worker_service.actors import send_email

from . import charges, partner, reconciliation, sources
from .database import User, sessions

FORGOTTEN_AFTER = timedelta(minutes=5)


@actor(queue_name="emails", unique={"on": ["/user_id"]})
def send_welcome_email(user_id: int) -> str:
    """Welcome a user, unless that was done. The mail has one Message-ID, however often this runs."""
    with sessions() as session:
        user = session.get(User, user_id)
    if user is None:
        raise PermanentError(f"there is no user {user_id}")
    if user.welcomed_at is not None:
        return "was welcome before"
    # Called, not sent: it runs here, as a part of this job.
    send_email(user.email, f"Welcome, {user.name}", f"Hello {user.name},\n\nit is good to have you here.\n")
    with sessions.begin() as session:
        session.get_one(User, user_id).welcomed_at = datetime.now(UTC)
    return "welcome"


@actor(every=timedelta(minutes=5))
def welcome_forgotten_users(older_than_s: float = FORGOTTEN_AFTER.total_seconds()) -> int:
    """Welcome whom the web process wrote down and, because it was killed just then, asked for no mail to."""
    before = datetime.now(UTC) - timedelta(seconds=older_than_s)
    with sessions() as session:
        query = select(User.id).where(User.welcomed_at.is_(None), User.created_at < before).limit(1000)
        forgotten = session.scalars(query).all()
    for user_id in forgotten:
        send_welcome_email.send(user_id)
    return len(forgotten)


@actor(
    queue_name="payments",
    max_attempts=10,
    fail_on=(stripe.InvalidRequestError, stripe.IdempotencyError),
    unique={"on": ["/idempotency_key"]},
)
def charge_user(
    user_id: int,
    amount: Annotated[int, Field(gt=0)],
    currency: Annotated[str, Field(pattern="^[a-z]{3}$")],
    idempotency_key: Annotated[str, Field(min_length=1, max_length=255)],
) -> dict[str, Any]:
    """Charge a user, once for an ``idempotency_key``; ``amount`` is in the smallest unit of the currency."""
    return charges.charge(user_id, amount, currency, idempotency_key)


@actor(queue_name="partner")
def call_third_party(payload: dict[str, Any]) -> dict[str, Any]:
    """Tell the partner something, as soon as he has time for it."""
    return partner.call(payload, current_job().idempotency_key("call"))


@actor(queue_name="reports", time_limit=3_600_000)
def reconcile(source: str, target: str) -> dict[str, Any]:
    """Compare two sources by key: ``csv:<file>`` or ``sql:<table>``; the differences are in ``report``."""
    job = current_job()

    def show(percent: float, note: str) -> None:
        job.raise_if_stopped()
        job.progress(percent, note)

    folder = sources.files() / "reconciled"
    return reconciliation.reconcile(
        sources.open_source(source), sources.open_source(target), folder, job.id, show, job.log
    )
