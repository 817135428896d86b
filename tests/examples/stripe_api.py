"""A stand-in for the payment service, as its documentation says it behaves with idempotency keys.

The first answer under a key is kept and given again, errors included, unless the request was not begun: it was wrong,
or another one with this key is under way. Other parameters under the same key are refused. Keys may be forgotten.
Answers may get lost after the work was done.
"""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

Answer = tuple[int, dict[str, Any]]
KEY = "sk_test_shop"
DECLINED_CARD = "pm_card_chargeDeclined"


class StripeApi(ThreadingHTTPServer):
    """The server; `serving` runs one.

    Attributes:
        intents: all payments, the oldest first.
        lose: how many of the next answers to lose, after the work was done.
        next_answers: what to answer in place of the next requests: a status, headers and an error.
        seen: how often each idempotency key came.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.intents: list[dict[str, Any]] = []
        self.lose = 0
        self.next_answers: list[tuple[int, dict[str, str], dict[str, Any]]] = []
        self.seen: Counter[str] = Counter()
        self.kept: dict[str, tuple[dict[str, str], Answer | None]] = {}
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def charged(self, key: str) -> int:
        """How many payments succeeded that were asked for with this key."""
        return sum(
            intent["status"] == "succeeded" and intent["metadata"].get("idempotency_key") == key
            for intent in self.intents
        )

    def forget_keys(self) -> None:
        """As it may after 24 hours."""
        with self.lock:
            self.kept.clear()

    def create(self, given: dict[str, str], key: str) -> tuple[Answer, bool]:
        """Make a payment; also says whether this was the answer of an earlier request."""
        with self.lock:
            self.seen[key] += 1
            if key in self.kept:
                return self._again(given, *self.kept[key])
            wrong = _what_is_wrong(given)
            if wrong is not None:
                return wrong, False
            self.kept[key] = (given, None)
            answer = self._pay(given)
            self.kept[key] = (given, answer)
            return answer, False

    def _again(
        self, given: dict[str, str], first: dict[str, str], answer: Answer | None
    ) -> tuple[Answer, bool]:
        if given != first:
            return (
                400,
                _error("idempotency_error", "Keys may only be used with the same parameters."),
            ), False
        if answer is None:
            return (409, _error("idempotency_error", "In use.", code="idempotency_key_in_use")), False
        return answer, True

    def _pay(self, given: dict[str, str]) -> Answer:
        number = next(self.numbers)
        is_declined = given["payment_method"] == DECLINED_CARD
        intent = {
            "id": f"pi_{number}",
            "object": "payment_intent",
            "amount": int(given["amount"]),
            "currency": given["currency"],
            "customer": given["customer"],
            "created": 1_790_000_000 + number,
            "status": "requires_payment_method" if is_declined else "succeeded",
            "metadata": {
                name[len("metadata[") : -1]: value
                for name, value in given.items()
                if name.startswith("metadata[")
            },
        }
        self.intents.append(intent)
        if is_declined:
            error = _error("card_error", "Your card was declined.", code="card_declined")
            error["error"]["payment_intent"] = intent
            return 402, error
        return 200, intent

    def list(self, customer: str, after: str | None, limit: int) -> dict[str, Any]:
        """A page of the payments of a customer, the newest first."""
        found = [each for each in reversed(self.intents) if each["customer"] == customer]
        if after is not None:
            found = found[[each["id"] for each in found].index(after) + 1 :]
        return {
            "object": "list",
            "url": "/v1/payment_intents",
            "data": found[:limit],
            "has_more": len(found) > limit,
        }


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """Run a server for a while."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StripeApi

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.server.next_answers:
            status, headers, error = self.server.next_answers.pop(0)
            self._answer(status, error, headers)
            return
        if not self._is_known() or self.path != "/v1/payment_intents":
            self._answer(401, _error("invalid_request_error", "Invalid API key provided."), {})
            return
        given = dict(parse_qsl(body, keep_blank_values=True))
        answer, is_replayed = self.server.create(given, self.headers["Idempotency-Key"])
        if self.server.lose > 0:
            self.server.lose -= 1
            self.close_connection = True
            return
        self._answer(*answer, {"Idempotent-Replayed": "true"} if is_replayed else {})

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        found = self.server.list(query["customer"], query.get("starting_after"), int(query.get("limit", 10)))
        self._answer(200, found, {})

    def _is_known(self) -> bool:
        return bool(self.headers["Authorization"] == f"Bearer {KEY}")

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        all_headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "Request-Id": "req_1",
            **headers,
        }
        for name, value in all_headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _what_is_wrong(given: dict[str, str]) -> Answer | None:
    if not given.get("customer", "").startswith("cus_"):
        error = _error("invalid_request_error", "No such customer.", code="resource_missing")
        return 400, error
    if "payment_method_types[0]" in given:  # since 2026-09-30.endive
        error = _error("invalid_request_error", "Gone.", code="payment_method_types_no_longer_supported")
        return 400, error
    if int(given["amount"]) < 50:
        return 400, _error("invalid_request_error", "Too small.", code="amount_too_small")
    return None


def _error(kind: str, message: str, **more: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message, **more}}
