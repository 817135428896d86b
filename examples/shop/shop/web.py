"""The shop's web process: ``flask --app shop.web run``. It writes down what is asked for; jobs do it."""

import logging
from typing import Any

from dramatiq import BrokerConnectionError
from flask import Flask, abort, request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from .database import LedgerEntry, User, sessions
from .jobs import charge_user, reconcile, send_welcome_email

app = Flask(__name__)
logger = logging.getLogger(__name__)


@app.post("/users")
def sign_up() -> tuple[dict[str, Any], int]:
    """Make a user, then ask for a mail to him: after the commit, because a worker may be quicker than that."""
    given = request.get_json()
    user = User(
        name=given["name"], email=given["email"], customer=given.get("customer"), card=given.get("card")
    )
    with sessions() as session:
        session.add(user)
        try:
            session.commit()
        except IntegrityError:
            abort(409, "this address has an account")
        user_id = user.id
    try:
        send_welcome_email.send(user_id)
    except BrokerConnectionError:
        logger.warning("The welcome of user %s is left to welcome_forgotten_users.", user_id, exc_info=True)
    return {"id": user_id}, 201


@app.get("/users/<int:user_id>")
def show_user(user_id: int) -> dict[str, Any]:
    """A user, and what he has paid."""
    with sessions() as session:
        user = session.get(User, user_id) or abort(404)
        entries = session.scalars(select(LedgerEntry).where(LedgerEntry.user_id == user_id)).all()
    paid = [{"payment": each.payment, "amount": each.amount, "currency": each.currency} for each in entries]
    return {"name": user.name, "was_welcomed": user.welcomed_at is not None, "paid": paid}


@app.post("/users/<int:user_id>/charges")
def pay(user_id: int) -> tuple[dict[str, str], int]:
    """Ask for a charge. A browser that repeats this, with the same key, does not ask for another one."""
    key = request.headers.get("Idempotency-Key") or abort(400, "give an Idempotency-Key")
    given = request.get_json()
    try:
        message = charge_user.send(user_id, given["amount"], given["currency"], f"user-{user_id}-{key}")
    except BrokerConnectionError:
        abort(503, "nothing was charged; try again")
    return {"job": message.message_id}, 202


@app.post("/reconciliations")
def compare() -> tuple[dict[str, str], int]:
    """Ask for a comparison of two sources."""
    given = request.get_json()
    return {"job": reconcile.send(given["source"], given["target"]).message_id}, 202
