"""Deliveries of webhooks, newest first, in pages: who was told of which end, and what came of it.

Each is a job. The index holds the newest 10,000; those whose job was removed meanwhile are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis

from ..jobs.states import State
from .connection import translated
from .job_record import read_json, text_of
from .keys import Keys
from .listing import Place

_CHUNK = 500
_FIELDS = ("parent", "state", "attempts", "max_attempts", "due_at", "created_at", "finished_at")


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One of them.

    Attributes:
        job: whose end it tells of.
        event: the state in which that one ended.
        state: of the delivery itself.
        attempts: that were charged.
        due_at_ms: when it is tried again; None when it is not waiting.
        error, result: of the last attempt, as far as it has them.
    """

    id: str
    job: str
    url: str
    event: str
    state: State
    attempts: int
    max_attempts: int
    created_at_ms: int
    due_at_ms: int | None
    finished_at_ms: int | None
    error: Any
    result: Any


class WebhookDeliveries:
    """Those of one namespace.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self._keys = Keys(namespace)

    def page(
        self, limit: int, *, job: str | None = None, state: State | None = None, after: Place | None = None
    ) -> tuple[list[WebhookDelivery], Place | None]:
        """At most ``limit`` deliveries, and where the next page begins.

        Args:
            job: only those that tell of this one.
            state: only those in it.
            after: where the page before ended.
        """
        found: list[tuple[Place, dict[str, str]]] = []
        with translated():
            for places in self._newest(after):
                found += [
                    (place, record)
                    for place, record in zip(places, self._records(places), strict=True)
                    if record.get("state")
                    and (job is None or record.get("parent") == job)
                    and (state is None or record["state"] == state)
                ]
                if len(found) > limit:
                    break
            page = found[:limit]
            return self._read(page), page[-1][0] if len(found) > limit else None

    def _newest(self, after: Place | None) -> Iterator[list[Place]]:
        highest, offset = after.created_at_ms if after else "+inf", 0
        while True:
            rows: Any = self._client.zrevrangebyscore(
                self._keys.deliveries, highest, "-inf", start=offset, num=_CHUNK, withscores=True
            )
            places = [Place(int(instant), id.decode()) for id, instant in rows]
            yield [place for place in places if after is None or place < after]
            if len(rows) < _CHUNK:
                return
            offset += _CHUNK

    def _records(self, places: list[Place]) -> list[dict[str, str]]:
        with self._client.pipeline(transaction=False) as pipe:
            for place in places:
                pipe.hmget(self._keys.job(place.id), _FIELDS)
            rows = pipe.execute(raise_on_error=False)  # of keys of another type, which nobody of ours made
        return [
            text_of(dict(zip(_FIELDS, row, strict=True))) if isinstance(row, list) else {} for row in rows
        ]

    def _read(self, page: list[tuple[Place, dict[str, str]]]) -> list[WebhookDelivery]:
        with self._client.pipeline(transaction=False) as pipe:
            for place, _ in page:
                pipe.get(self._keys.msg(place.id))
                pipe.hmget(self._keys.out(place.id), "error", "result")
            replies = pipe.execute(raise_on_error=False)
        return [
            _delivery(place, record, *replies[2 * number : 2 * number + 2])
            for number, (place, record) in enumerate(page)
        ]


def _delivery(place: Place, record: dict[str, str], message: Any, out: Any) -> WebhookDelivery:
    told = read_json(message)
    kwargs = told.get("kwargs") if isinstance(told, dict) else None
    about = kwargs if isinstance(kwargs, dict) else {}
    error, result = (read_json(text) for text in (out if isinstance(out, list) else (None, None)))
    state = State(record["state"]) if record["state"] in set(State) else State.DEAD
    waits = state in (State.SCHEDULED, State.RETRYING)
    return WebhookDelivery(
        id=place.id,
        job=record.get("parent", ""),
        url=str(about.get("url", "")),
        event=str(about.get("event", "")),
        state=state,
        attempts=_int(record, "attempts") or 0,
        max_attempts=_int(record, "max_attempts") or 0,
        created_at_ms=place.created_at_ms,
        due_at_ms=_int(record, "due_at") if waits else None,
        finished_at_ms=_int(record, "finished_at"),
        error=error,
        result=result,
    )


def _int(record: dict[str, str], name: str) -> int | None:
    text = record.get(name, "")
    return int(text) if text.isdigit() else None
