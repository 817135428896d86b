"""The audit log: who did what, when, from where and why; and what became of it.

An entry is written before what it tells of is done, its end after that. So a process that dies in between hides
nothing: the entry stands there without an end. What was refused stands in a log of its own, which a flood of wrong keys
may fill without washing the other one away.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import redis

from .connection import translated
from .job_record import text_of
from .keys import Keys
from .scripts import Scripts

MOST_ENTRIES = 20_000
MOST_REFUSALS = 1_000
MOST_LOOKED_AT = 5_000
"""Entries that one page looks at; a filter may need more pages."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody is about to do.

    Attributes:
        who: id of the principal; ``name``, for people.
        what: the operation.
        subject: what it is done to: the address.
        origin: where the request came from.
        why: as far as it was said.
        request: its id.
    """

    who: str
    name: str
    what: str
    subject: str
    origin: str
    why: str
    request: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A deed, and what became of it.

    Attributes:
        id: of the entry, for `Audit.page`.
        end: the status of the answer, and the address of what was made; empty when nobody told: it may have been done.
    """

    id: str
    deed: Deed
    end: str

    @property
    def at_ms(self) -> int:
        """When it was entered."""
        return int(self.id.partition("-")[0])


class Audit:
    """The audit log of one namespace.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self._keys = Keys(namespace)
        self._scripts = Scripts(client.execute_command, self._keys.prefix)

    def begin(self, deed: Deed) -> str:
        """Enter what is about to be done; returns the id of the entry."""
        fields = [text for pair in asdict(deed).items() for text in pair]
        id: bytes = self._scripts.run("begin_audit", MOST_ENTRIES, *fields)
        return id.decode()

    def end(self, id: str, end: str) -> None:
        """Note what became of it."""
        self._scripts.run("end_audit", id, end)

    def refuse(self, deed: Deed, end: str) -> None:
        """Enter what was refused."""
        with translated():
            fields: Any = {**asdict(deed), "end": end}
            self._client.xadd(self._keys.refusals, fields, maxlen=MOST_REFUSALS)

    def page(
        self,
        limit: int,
        *,
        before: str | None = None,
        who: str | None = None,
        what: str | None = None,
        since_ms: int = 0,
        refused: bool = False,
    ) -> tuple[list[AuditEntry], str | None]:
        """Entries, the newest first.

        Args:
            limit: how many at most.
            before: id of the entry after which the page begins.
            who: id or name of a principal.
            what: an operation, or what stands before the dot of some.
            since_ms: none that are older.
            refused: from the log of what was refused.

        Returns:
            The entries, and ``before`` of the next page; None when there is none.
        """
        key = self._keys.refusals if refused else self._keys.audit
        found: list[tuple[str, dict[str, str]]] = []
        for _ in range(MOST_LOOKED_AT // _AT_ONCE):
            with translated():
                rows: Any = self._client.xrevrange(
                    key, f"({before}" if before else "+", since_ms, count=_AT_ONCE
                )
            for row, fields in rows:
                before, record = row.decode(), text_of(fields)
                if _is_meant(record, who, what):
                    found.append((before, record))
                    if len(found) == limit:
                        return self._ended(found), before
            if len(rows) < _AT_ONCE:
                return self._ended(found), None
        return self._ended(found), before

    def _ended(self, found: list[tuple[str, dict[str, str]]]) -> list[AuditEntry]:
        if not found:
            return []
        with translated():
            ends: Any = self._client.hmget(self._keys.audit_ends, [id for id, _ in found])
        return [
            AuditEntry(id, _deed(record), end.decode(errors="replace") if end else record.get("end", ""))
            for (id, record), end in zip(found, ends, strict=True)
        ]


def _is_meant(record: Mapping[str, str], who: str | None, what: str | None) -> bool:
    done = record.get("what", "")
    return (who is None or who in (record.get("who"), record.get("name"))) and (
        what is None or what in (done, done.partition(".")[0])
    )


def _deed(record: Mapping[str, str]) -> Deed:
    return Deed(**{name: record.get(name, "") for name in Deed.__dataclass_fields__})
