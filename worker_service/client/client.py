"""`Client`: what a program may ask of the service."""

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

import httpx2

from .errors import JobFailed, Problem, WaitedTooLong
from .job import Event, Job, Submission
from .transport import LATER, Transport, pause, problem_of

WAIT_SECONDS = 30
"""Of one request that waits for the end of a job."""
SILENCE_SECONDS = 45
"""After which a stream counts as lost: it shows every 15 s that it lives."""
BATCH = 1000
"""Jobs in one request."""


class Client:
    """Asks a service over HTTP; may be shared by threads, and is closed by ``with`` or `close`.

    A call that fails on the way is repeated, and never makes a second job: each has an ``Idempotency-Key`` of its own.
    Names and units are those of the HTTP interface.

    Args:
        url: of the service, as ``http://127.0.0.1:8000``.
        key: an API key, where the service wants one.
        timeout_ms: how long one attempt may go without a sign of life.
        attempts: how often a request is sent at most.
        transport: of httpx2, in place of connections (an application in this process, for example).
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout_ms: int = 10_000,
        attempts: int = 5,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._transport = Transport(url, key, timeout_ms, attempts, transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def request(
        self, method: str, path: str, *, json: Any = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """Anything else that the HTTP interface knows.

        Returns:
            What it answers, as JSON values; None without a body.

        Raises:
            Problem: the service refuses it.
            NoAnswer: the service is away.
        """
        answer = self._transport.send(method, path, json=json, query=query)
        return answer.json() if answer.content else None

    def submit(
        self,
        actor: str,
        args: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        wait_ms: int = 0,
        **fields: Any,
    ) -> Job:
        """Create a job.

        Args:
            actor: its name.
            args: by name, as JSON values.
            idempotency_key: of the caller's own, when this very request may come from another process again.
            wait_ms: let the service wait so long for the end of the job, up to a minute, before it answers.
            fields: what else a request may say: ``queue``, ``delay_ms`` (a timedelta too), ``run_at`` (a datetime
                too), ``expires_in_ms``, ``priority``, ``max_attempts``, ``unique``, ``tags`` and so on.

        Returns:
            The job; with ``unique``, the one that does the work already.

        Raises:
            Problem: the service refuses it; says which fields are wrong.
            NoAnswer: the service is away; the call may be repeated with the same ``idempotency_key``.
        """
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex, **_prefer(wait_ms)}
        body = _request(actor, args, fields)
        answer = self._transport.send("POST", "/v1/jobs", json=body, headers=headers, wait_ms=wait_ms)
        return Job.from_json(answer.json())

    def submit_many(self, jobs: Iterable[Mapping[str, Any]]) -> list[Submission]:
        """Create many jobs, in requests of a thousand.

        Args:
            jobs: as the bodies of the HTTP interface: ``{"actor": "add", "args": {"x": 1, "y": 2}}``.

        Returns:
            One per job, in order: a wrong one does not keep the others from being created.

        Raises:
            Problem: the service refuses all.
            NoAnswer: the service is away; of the last thousand it is unknown whether they were created.
        """
        found: list[Submission] = []
        for some in _slices(jobs):
            items = [{"idempotency_key": uuid.uuid4().hex, **_written(job)} for job in some]
            answer = self._transport.send("POST", "/v1/jobs:batch", json=items)
            found += map(_submission, answer.json()["items"])
        return found

    def get(self, id: str) -> Job:
        """The job with this id.

        Raises:
            Problem: there is none (any more).
        """
        return Job.from_json(self._transport.send("GET", f"/v1/jobs/{id}").json())

    def wait(self, id: str, timeout_ms: int | None = None) -> Job:
        """A job when it has ended, however.

        Args:
            timeout_ms: how long to wait; None: without end.

        Raises:
            WaitedTooLong: it has not ended in time.
        """
        deadline = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        while True:
            left = WAIT_SECONDS if deadline is None else min(WAIT_SECONDS, deadline - time.monotonic())
            wait_ms = max(0, int(left * 1000))
            answer = self._transport.send("GET", f"/v1/jobs/{id}", headers=_prefer(wait_ms), wait_ms=wait_ms)
            job = Job.from_json(answer.json())
            if job.is_final:
                return job
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitedTooLong(job)
            if "Preference-Applied" not in answer.headers:  # too many wait already: ask again in a moment
                time.sleep(min(1.0, max(left, 0)))

    def result(self, id: str, timeout_ms: int | None = None) -> Any:
        """What the actor returned, once the job has ended.

        Raises:
            JobFailed: it ended without success.
            WaitedTooLong: it has not ended in time.
        """
        job = self.wait(id, timeout_ms)
        if job.state != "succeeded":
            raise JobFailed(job)
        return job.result

    def events(self, id: str) -> Iterator[Event]:
        """What happens to a job, from its beginning to its end; goes on where it was when a connection is lost.

        Raises:
            Problem: there is no such job.
            NoAnswer: the service is away for long.
        """
        last = ""
        while True:
            try:
                for event in self._stream(f"/v1/jobs/{id}/events", last):
                    last = event.id or last
                    if event.data:
                        yield Event(event.event, event.json(), event.id)
                    if event.event == "done":
                        return
            except httpx2.TransportError:
                time.sleep(pause(1))
                self.get(id)  # says when the service is away for long, or the job is gone

    def changes(self) -> Iterator[str]:
        """What kind of thing changes, for who wants to know when to read again: ``jobs``, ``queues``, ``workers`` or
        ``schedules``; all of them at the beginning and after a connection was lost. Has no end.

        Raises:
            Problem: the service refuses to tell.
            NoAnswer: the service is away for long.
        """
        while True:
            try:
                for event in self._stream("/v1/events", ""):
                    if event.event != "message":  # which has no name: how soon to come again
                        yield event.event
            except httpx2.TransportError:
                time.sleep(pause(1))
                self.request("GET", "/livez")  # says when the service is away for long

    def _stream(self, path: str, last: str) -> Iterator[httpx2.ServerSentEvent]:
        headers = {"Last-Event-ID": last} if last else {}
        timeout = httpx2.Timeout(self._transport.http.timeout)
        timeout.read = SILENCE_SECONDS
        with self._transport.http.stream("GET", path, headers=headers, timeout=timeout) as answer:
            if answer.status_code in LATER:
                time.sleep(float(answer.headers.get("Retry-After", 1)))
                return
            if answer.status_code != 200:
                answer.read()
                raise problem_of(answer)
            yield from httpx2.EventSource(answer)

    def jobs(self, **filters: Any) -> Iterator[Job]:
        """Jobs, the newest first, page by page as they are asked for.

        Args:
            filters: ``state``, ``queue``, ``actor``, ``tag``, ``since``, ``until``, ``q``, and ``limit`` of a page.
        """
        query = {name: _value(value) for name, value in filters.items()}
        while True:
            page = self._transport.send("GET", "/v1/jobs", query=query).json()
            yield from map(Job.from_json, page["items"])
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def cancel(self, id: str) -> Job:
        """Stop a job: at once, or by an interrupt while it runs.

        Raises:
            Problem: it has ended already, or there is none.
        """
        return Job.from_json(self._transport.send("POST", f"/v1/jobs/{id}/cancel").json())

    def retry(self, id: str, args: Mapping[str, Any] | None = None) -> Job:
        """Put a dead or cancelled job back.

        Args:
            args: run it as a new job with these arguments.

        Raises:
            Problem: it is neither, or another job does its work.
        """
        body = {} if args is None else {"args": args}
        return Job.from_json(self._transport.send("POST", f"/v1/jobs/{id}/retry", json=body).json())

    def delete(self, id: str) -> None:
        """Remove a finished job.

        Raises:
            Problem: it has not ended, or there is none.
        """
        self._transport.send("DELETE", f"/v1/jobs/{id}")


def _prefer(wait_ms: int) -> dict[str, str]:
    return {"Prefer": f"wait={-(-wait_ms // 1000)}"} if wait_ms > 0 else {}


def _request(actor: str, args: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    if args is not None and not isinstance(args, Mapping):
        raise TypeError(f"args of {actor!r} are given by name, as in {{'x': 1}}")
    return _written({"actor": actor, "args": dict(args or {}), **fields})


def _written(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in fields.items()}


def _value(value: Any) -> Any:
    if isinstance(value, timedelta):
        return int(value.total_seconds() * 1000)
    return value.isoformat() if isinstance(value, datetime) else value


def _submission(item: Mapping[str, Any]) -> Submission:
    if "job" in item:
        return Submission(Job.from_json(item["job"]), None)
    return Submission(None, Problem(item["status"], item["problem"]))


def _slices(jobs: Iterable[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    taken: list[Mapping[str, Any]] = []
    for job in jobs:
        taken.append(job)
        if len(taken) == BATCH:
            yield taken
            taken = []
    if taken:
        yield taken
