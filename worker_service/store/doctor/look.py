"""How checks read a namespace: in slices, while it works.

Names come from SCAN and its kin, which miss nothing that stays and may show what has just gone. So a name is only a
reason to look: what it stands for is judged, and mended, inside of one script that reads it anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import redis
from redis.exceptions import NoPermissionError, ResponseError

from ..keys import Keys
from ..scripts import Scripts
from .findings import Finding, Report

SLICE = 100
"""Subjects in one run of a script: a bound on how long the server is held."""
_SCANNED = 500

Says = Mapping[str, tuple[str, str]]
"""Word of a script -> what is wrong, with {subject} and {detail} in it, and what a repair does about it."""

_HINDERED = (
    "{subject} could not be judged: {detail}.",
    "nothing; what hinders it has to be repaired first",
)


class Look:
    """One examination.

    Args:
        client: see `connect`.
        keys: of the namespace.
        repair: whether scripts mend what they find.
        now_ms: replaces the server's clock, for tests.
        tell: is told now and then what is looked at, and how much of it has been.
    """

    def __init__(
        self,
        client: redis.Redis,
        keys: Keys,
        *,
        repair: bool,
        now_ms: int | None,
        tell: Callable[[str, int], None],
    ) -> None:
        self.client = client
        self.keys = keys
        self.report = Report()
        self._scripts = Scripts(client.execute_command, keys.prefix)
        self._flags = ("" if now_ms is None else now_ms, int(repair))
        self._tell = tell

    def names(self, *families: str) -> Iterator[list[bytes]]:
        """What the keys of some families are called behind the family, in slices; '' is every key, its whole name."""
        for family in families:
            start = self.keys.prefix + (family and family + ":")
            found: Any = self.client.scan_iter(match=start + "*", count=_SCANNED)
            yield from self._watched(
                f"{family} keys" if family else "all keys", (key[len(start) :] for key in found)
            )

    def key(self, family: str, name: bytes) -> bytes:
        """The key that a name stands for; as bytes, because whoever did damage may have used any."""
        return f"{self.keys.prefix}{family}:".encode() + name

    def members(self, key: str | bytes) -> Iterator[list[bytes]]:
        """The members of a zset, or the fields of a hash, in slices; none when the key is of another type."""
        kind = self.client.type(key)
        found: Iterator[Any] = iter(())
        if kind == b"zset":
            found = (member for member, _ in self.client.zscan_iter(key, count=_SCANNED))
        elif kind == b"hash":
            found = (field for field, _ in self.client.hscan_iter(key, count=_SCANNED))
        yield from self._watched(f"members of {_text(key).removeprefix(self.keys.prefix)}", found)

    def _watched(self, what: str, found: Iterator[bytes]) -> Iterator[list[bytes]]:
        for number, names in enumerate(slices(found)):
            yield names
            self._tell(what, number * SLICE + len(names))

    def examine(
        self, check: str, says: Says, verb: str, subjects: Sequence[bytes], *before: Any, width: int = 1
    ) -> list[Any]:
        """Run a script over some subjects, and add what it finds to the report.

        Args:
            check: its name, for people.
            verb: the script.
            before: its arguments before the subjects.
            width: how many of ``subjects`` belong to one of them.

        Returns:
            What the script returns beside its findings.
        """
        self.report.looked_at[check] += len(subjects) // width
        rest: list[Any]
        try:
            rows, *rest = self._scripts.run(verb, *self._flags, *before, *subjects)
        except NoPermissionError:
            raise
        except ResponseError as error:  # a key that the script needs is of another type
            rows, rest = [(check.encode(), b"hindered", 0, str(error).encode())], []
        for subject, word, mended, detail in rows:
            self._add(check, says, _text(word), _text(subject), _text(detail), bool(mended))
        return rest

    def add(self, check: str, says: Says, word: str, subject: bytes, detail: str = "") -> None:
        """Add a finding that needs no script, and that nothing repairs."""
        self._add(check, says, word, _text(subject), detail, False)

    def _add(self, check: str, says: Says, word: str, subject: str, detail: str, repaired: bool) -> None:
        wrong, remedy = _HINDERED if word == "hindered" else says[word]
        about = {"subject": subject, "detail": detail}
        sentence, remedy = wrong.format(**about), remedy.format(**about)
        self.report.findings.append(Finding(check, word, subject, sentence, remedy, repaired))


def slices(found: Iterable[bytes]) -> Iterator[list[bytes]]:
    """What is found, in lists of at most `SLICE`."""
    taken: list[bytes] = []
    for each in found:
        taken.append(each)
        if len(taken) == SLICE:
            yield taken
            taken = []
    if taken:
        yield taken


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")
