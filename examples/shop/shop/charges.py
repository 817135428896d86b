"""Charges a user once for an idempotency key, however often it is asked for, and wherever that is interrupted.

1. What is asked for is written down, before it is (`Charge`).
2. The payment service is asked, with the key. When the key is so old that the service may have forgotten it, the
   service is first asked what it has done.
3. What came of it is booked, together with a receipt, in one transaction.

Killed before 2, nothing has happened. Killed after it, the next run is given the same payment under the same key, or
finds it. Killed in 3, neither booking nor receipt is there, and the next run books.

A failure (500) is given again for as long as the service keeps the key: the job dies. When somebody has looked and puts
it back, a day later, it first asks what was done.
"""

import time

from sqlalchemy.exc import IntegrityError

from worker_service import PermanentError
from worker_service.sql import once

from . import payments
from .database import Charge, LedgerEntry, User, sessions
from .payments import Payment


def charge(user_id: int, amount: int, currency: str, key: str) -> dict[str, str | None]:
    """Charge a user.

    Args:
        amount: in the smallest unit of the currency, such as cents.
        key: of this charge; the same for whoever asks for it again.

    Returns:
        The id of the ``payment``, or why it was ``declined``.

    Raises:
        PermanentError: there is no such user, or he has no card, or the key is that of another charge.
    """
    customer, card = _customer_and_card(user_id)
    asked_at = _note(Charge(idempotency_key=key, user_id=user_id, amount=amount, currency=currency))
    payment = None
    if asked_at < time.time() - payments.KEY_KEPT.total_seconds():
        payment = payments.find(customer, key)
        if payment is None:
            _ask_anew(key)
    if payment is None:
        payment = payments.pay(customer, card, amount, currency, key)
    return _book(key, payment)


def _customer_and_card(user_id: int) -> tuple[str, str]:
    with sessions() as session:
        user = session.get(User, user_id)
    if user is None or user.customer is None or user.card is None:
        raise PermanentError(f"user {user_id} has no card" if user else f"there is no user {user_id}")
    return user.customer, user.card


def _note(charge: Charge) -> float:
    """Write down that it is asked for; returns when that was done first."""
    charge.asked_at = time.time()
    wanted = (charge.user_id, charge.amount, charge.currency)
    with sessions() as session:
        session.add(charge)
        try:
            session.commit()
        except IntegrityError:  # asked for before, by this job or by another one
            session.rollback()
        noted = session.get_one(Charge, charge.idempotency_key)
        if (noted.user_id, noted.amount, noted.currency) != wanted:
            raise PermanentError(f"the key {noted.idempotency_key} is that of another charge")
        return noted.asked_at


def _ask_anew(key: str) -> None:
    with sessions.begin() as session:
        session.get_one(Charge, key).asked_at = time.time()


def _book(key: str, payment: Payment) -> dict[str, str | None]:
    with sessions.begin() as session, once("book", session) as step:
        if not step.is_done:
            charge = session.get_one(Charge, key, with_for_update=True)
            if charge.payment is None and charge.declined is None:  # else another job has booked it
                charge.payment, charge.declined = payment.id, payment.declined
                if payment.id is not None:
                    session.add(_entry(charge, payment.id))
            step.result = {"payment": charge.payment, "declined": charge.declined}
    return dict(step.result)


def _entry(charge: Charge, payment: str) -> LedgerEntry:
    return LedgerEntry(
        payment=payment, user_id=charge.user_id, amount=charge.amount, currency=charge.currency
    )
