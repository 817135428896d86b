"""What this project asks worker-service for."""

import logging
import os

from worker_service.client import Client, NoAnswer

from .models import Order

logger = logging.getLogger(__name__)

# One for all requests: it keeps connections. Two attempts: somebody waits for the answer.
_client = Client(
    os.environ.get("WORKER_SERVICE_URL", "http://127.0.0.1:8000"),
    os.environ.get("WORKER_SERVICE_KEY"),
    timeout_ms=3_000,
    attempts=2,
)


def submit_mail(order: Order) -> bool:
    """Ask for the mail about an order that is committed, and write down its job.

    May be called again: the key is made of the order, and the service answers with the job that there is.

    Returns:
        Whether there is a job; otherwise the order is left to `submit_forgotten`.
    """
    mail = {"to": order.email, "subject": f"Order {order.number}", "text": "It is on its way."}
    try:
        job = _client.submit("send_email", mail, idempotency_key=f"order-{order.number}")
    except NoAnswer as error:
        logger.warning("The mail about order %s is left to submit_forgotten: %s", order.number, error)
        return False
    Order.objects.filter(pk=order.pk).update(job=job.id)
    return True
