"""Actors of a made-up shop, for pictures of the dashboard."""

import time

from worker_service import RetryLater, actor, current_job


class PaymentDeclined(Exception):
    """The bank says no."""


@actor(queue_name="payments", max_attempts=1)
def charge_card(order: int, amount: float, currency: str = "EUR") -> str:
    """Charges a customer's card for an order."""
    if order % 7 == 0:
        raise PaymentDeclined(f"order {order}: insufficient funds")
    return f"charged {amount:.2f} {currency}"


@actor(queue_name="mails", max_attempts=5)
def send_receipt(order: int, to: str) -> str:
    """Mails the receipt of an order."""
    if order % 11 == 0:
        raise RetryLater(delay_ms=600_000, note="the mail server is busy")
    return f"sent to {to}"


@actor(queue_name="images", max_attempts=3)
def resize(path: str, width: int, height: int) -> dict[str, object]:
    """Makes a thumbnail of a product's picture."""
    return {"path": path.replace(".jpg", f"-{width}x{height}.jpg"), "bytes": 48_213}


@actor(queue_name="reports", max_attempts=1)
def monthly_report(month: str) -> str:
    """Adds up a month, and tells how far it is."""
    job = current_job()
    assert job is not None
    for day in range(1, 31):
        job.progress(day / 30 * 100, f"{month}-{day:02}")
        if day % 5 == 0:
            job.log(f"{month}-{day:02}: 1,284 orders, 61,220.40 EUR")
        time.sleep(4)
    return "done"
