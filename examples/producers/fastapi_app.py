"""FastAPI: takes orders, and asks for a mail about each."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

from worker_service.client import Client, NoAnswer


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for all requests: it keeps connections. Two attempts: somebody waits for the answer."""
    url = os.environ.get("WORKER_SERVICE_URL", "http://127.0.0.1:8000")
    with Client(url, os.environ.get("WORKER_SERVICE_KEY"), timeout_ms=3_000, attempts=2) as jobs:
        app.state.jobs = jobs
        yield


app = FastAPI(lifespan=lifespan)


class Order(BaseModel):
    """What a request says."""

    number: int
    email: str


@app.post("/orders", status_code=202)
def place_order(order: Order, request: Request) -> dict[str, Any]:
    """Take an order. A plain ``def``, which FastAPI calls in a thread: the client waits for its answer."""
    mail = {"to": order.email, "subject": f"Order {order.number}", "text": "It is on its way."}
    try:
        job = request.app.state.jobs.submit("send_email", mail, idempotency_key=f"order-{order.number}")
    except NoAnswer as error:
        raise HTTPException(503, "try again") from error
    return {"number": order.number, "job": job.id}
