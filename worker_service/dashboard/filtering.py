"""The language of the filter box: ``actor:resize state:dead since:24h args.user_id:42 "two words"``.

A word with a colon is a condition; other words stand somewhere in the job. Quotes hold together what has spaces, and
make a word with a colon an ordinary one. All of it becomes parameters of ``GET /v1/jobs``, which checks them.
"""

import re
import time
from dataclasses import dataclass, field
from typing import Any

from ..jobs.instants import to_text
from ..names import did_you_mean
from .asking import Refused
from .wording import utc_ms

CONDITIONS = ("state", "queue", "actor", "tag", "fingerprint", "since", "until", "error")
ARGUMENT = "args."
TEXTUAL = frozenset({"q", "error", "arg"})
"""Parameters that an operation on all matching jobs does not take."""

_WORD = re.compile(r'(?:([A-Za-z_]+(?:\.[^\s:"]+)?):)?(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_AGO = re.compile(r"(\d{1,6})(s|m|h|d|w)")
_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a filter says.

    Attributes:
        text: as it was typed.
        query: parameters of ``GET /v1/jobs``.
    """

    text: str
    query: dict[str, Any] = field(default_factory=dict)

    @property
    def is_textual(self) -> bool:
        """Whether jobs have to be read to tell which of them match."""
        return not TEXTUAL.isdisjoint(self.query)

    @property
    def state(self) -> str | None:
        """The only state that is wanted."""
        return self.query.get("state")

    def with_condition(self, name: str, value: str | None) -> str:
        """The text with another value for a condition; without the condition for None."""
        kept = [found[0] for found in _WORD.finditer(self.text) if found[1] != name]
        return " ".join(kept if value is None else [*kept, condition(value, name)])


def condition(value: str, name: str) -> str:
    """A condition as text; a filter of templates."""
    if re.fullmatch(r'[^\s"]+', value):
        return f"{name}:{value}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}:"{escaped}"'


def read_filter(text: str) -> Wanted:
    """Read a filter.

    Raises:
        Refused: names what is wrong with it.
    """
    query: dict[str, Any] = {}
    words: list[str] = []
    for found in _WORD.finditer(text):
        name, quoted, plain = found.groups()
        value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        is_address = quoted is None and plain.startswith("//")
        if name is None or is_address:
            words.append(found[0] if is_address else value)
            continue
        parameter, value = _parameter(name, value)
        if parameter in query:
            raise _wrong(f"Give {name!r} once.")
        query[parameter] = value
    if words:
        query["q"] = " ".join(words)
    return Wanted(text, query)


def _parameter(name: str, value: str) -> tuple[str, str]:
    if name.startswith(ARGUMENT):
        return "arg", f"{name.removeprefix(ARGUMENT)}:{value}"
    if name not in CONDITIONS:
        hint = did_you_mean(name, CONDITIONS)
        raise _wrong(f"There is no condition {name!r}.{hint} In quotes it is looked for as text.")
    return name, _instant(name, value) if name in ("since", "until") else value


def _instant(name: str, text: str) -> str:
    ago = _AGO.fullmatch(text)
    try:
        at_ms = time.time_ns() // 1_000_000 - int(ago[1]) * _UNITS_MS[ago[2]] if ago else utc_ms(text)
    except ValueError:
        raise _wrong(
            f"{name}:{text}: give how long ago (30m, 24h, 7d) or an instant (2030-01-31T12:00)."
        ) from None
    return to_text(max(0, at_ms)) or ""


def _wrong(detail: str) -> Refused:
    return Refused(
        {"type": "about:blank", "title": "The filter cannot be read", "status": 422, "detail": detail}, {}
    )
