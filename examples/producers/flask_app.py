"""Flask: takes orders, and asks for a mail about each."""

import os
from typing import Any

from flask import Flask, abort, request

from worker_service.client import Client, NoAnswer

app = Flask(__name__)
# One for all requests: it keeps connections. Two attempts: somebody waits for the answer.
jobs = Client(
    os.environ.get("WORKER_SERVICE_URL", "http://127.0.0.1:8000"),
    os.environ.get("WORKER_SERVICE_KEY"),
    timeout_ms=3_000,
    attempts=2,
)


@app.post("/orders")
def place_order() -> tuple[dict[str, Any], int]:
    """Take an order. Here it would be kept and committed, before the job is asked for."""
    order = request.get_json()
    mail = {"to": order["email"], "subject": f"Order {order['number']}", "text": "It is on its way."}
    try:
        job = jobs.submit("send_email", mail, idempotency_key=f"order-{order['number']}")
    except NoAnswer:
        abort(503, "try again")
    return {"number": order["number"], "job": job.id}, 202
