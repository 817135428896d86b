"""The payment service. Asked twice with one idempotency key, it charges once, as long as it keeps the key."""

import os
import random
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import stripe

from worker_service import RetryLater
from worker_service.jobs.retry_after import respect_retry_after

KEY_KEPT = timedelta(hours=23)
"""How long a key is relied on. Stripe keeps it for at least 24 hours; after that the same request charges anew."""


@dataclass(frozen=True)
class Payment:
    """What came of a request: the id of a payment that succeeded, or why the card was declined."""

    id: str | None = None
    declined: str | None = None


def pay(customer: str, card: str, amount: int, currency: str, key: str) -> Payment:
    """Charge a card.

    Raises:
        RetryLater: the service is busy, or is at the same request already.
        stripe.StripeError: it failed, or refuses the request. Of a lost or failed answer nobody knows whether the
            card was charged: ask again, with the same key.
    """
    try:
        intent = _client().v1.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "customer": customer,
                "payment_method": card,
                # Nobody is there to be sent to a page of his bank.
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "confirm": True,
                "off_session": True,
                "metadata": {"idempotency_key": key},
            },
            {"idempotency_key": key},
        )
    except stripe.CardError as error:
        return Payment(declined=error.code or "card_declined")
    except (stripe.RateLimitError, stripe.APIError) as error:
        _wait_if_asked_to(error)
        raise
    if intent.status != "succeeded":
        raise RuntimeError(f"payment {intent.id} is {intent.status}, which a card that was charged is not")
    return Payment(intent.id)


def find(customer: str, key: str) -> Payment | None:
    """The payment that was made with this key, for when the service may have forgotten the key itself."""
    made = _client().v1.payment_intents.list({"customer": customer, "limit": 100})
    for intent in made.auto_paging_iter():
        if intent.status == "succeeded" and getattr(intent.metadata, "idempotency_key", None) == key:
            return Payment(intent.id)
    return None


@cache
def _client() -> stripe.StripeClient:
    # No retries in here: the job is tried again, and a thread that sleeps could do another one.
    address = os.environ.get("STRIPE_API_BASE", stripe.DEFAULT_API_BASE)
    return stripe.StripeClient(
        os.environ["STRIPE_API_KEY"], base_addresses={"api": address}, max_network_retries=0
    )


def _wait_if_asked_to(error: stripe.StripeError) -> None:
    respect_retry_after(_Answer(error.http_status, error.headers or {}))
    if error.http_status in (409, 429):
        raise RetryLater(timedelta(seconds=random.uniform(1, 3)), note=f"payments: {error.user_message}")


@dataclass(frozen=True)
class _Answer:
    status_code: int | None
    headers: dict[str, str]
