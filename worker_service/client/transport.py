"""Sends a request until it is answered: after a lost connection, a timeout, or an answer that means "later".

Every request may be sent again: reads and removals by nature, all others under an ``Idempotency-Key`` that is made once
per call and comes with each repetition.
"""

import random
import time
import uuid
from collections.abc import Mapping
from typing import Any

import httpx2

from .errors import NoAnswer, Problem

LATER = frozenset({429, 502, 503, 504})
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 5.0


class Transport:
    """A connection pool to one service.

    Args:
        url: of the service, as ``http://127.0.0.1:8000``.
        key: an API key, where the service wants one.
        timeout_ms: how long one attempt may go without a sign of life.
        attempts: how often a request is sent at most.
        transport: of httpx2, in place of connections.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        timeout_ms: int,
        attempts: int,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self.http = httpx2.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=timeout_ms / 1000,
            trust_env=False,
            transport=transport,
        )
        self._attempts = attempts

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        wait_ms: int = 0,
    ) -> httpx2.Response:
        """The answer to a request.

        Args:
            wait_ms: how much longer than usual the service may take, because it was asked to wait.

        Raises:
            Problem: the service refuses it.
            NoAnswer: every attempt failed.
            ValueError: the URL of the service is none of http or https.
        """
        if not self._url.startswith(("http://", "https://")):
            raise ValueError(f"{self._url!r} is no URL of a service: write it as http://127.0.0.1:8000")
        sent = dict(headers or {})
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid.uuid4().hex)
        timeout = httpx2.Timeout(self.http.timeout)
        timeout.read = (timeout.read or 0) + wait_ms / 1000
        why, asked, problem = "", "", None
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(pause(attempt, asked))
            try:
                answer = self.http.request(
                    method, path, json=json, params=query, headers=sent, timeout=timeout
                )
            except httpx2.TransportError as error:
                why, asked, problem = f"{type(error).__name__}: {error}", "", None
                continue
            if answer.status_code not in LATER:
                return _checked(answer, is_repeated=attempt > 0)
            problem = problem_of(answer)
            why = f"{answer.status_code} {problem.detail}"
            asked = answer.headers.get("Retry-After", "")
        raise NoAnswer(f"{method} {self._url}{path} was sent {self._attempts} times in vain: {why}", problem)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def problem_of(answer: httpx2.Response) -> Problem:
    """What an answer says is wrong."""
    return Problem(answer.status_code, _body(answer))


def _checked(answer: httpx2.Response, *, is_repeated: bool) -> httpx2.Response:
    """A removal whose answer was lost finds nothing when it is repeated: it has happened."""
    was_removed = is_repeated and answer.request.method == "DELETE" and answer.status_code == 404
    if answer.status_code >= 400 and not was_removed:
        raise problem_of(answer)
    kind = answer.headers.get("Content-Type", "none")
    if answer.content and "json" not in kind and not was_removed:
        told = (
            f"{answer.url} answered {answer.status_code} with a body that is no JSON (Content-Type: {kind})"
        )
        raise Problem(answer.status_code, {"title": "Not an answer of worker-service", "detail": told})
    return answer


def _body(answer: httpx2.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"detail": answer.text[:500]}


def pause(attempt: int, retry_after: str = "") -> float:
    """Seconds before an attempt: random below a ceiling that doubles, and at least what the service asks for."""
    ceiling = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempt)
    asked = float(retry_after) if retry_after.isdigit() else 0.0
    return asked + random.uniform(0, ceiling)
