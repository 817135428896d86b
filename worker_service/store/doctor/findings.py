"""What an examination has to say."""

from collections import Counter
from dataclasses import dataclass, field

BEYOND_REPAIR = frozenset({"unknown_key", "damaged_schedule"})
"""Kinds of damage that no repair touches, and that keep nothing else from being judged."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        check: the check that found it; see `CHECKS`.
        what: a word for the kind of damage.
        subject: the id of the job, the name of the queue, the key ... that it is about.
        detail: what is wrong, as a sentence.
        remedy: what a repair does about it.
        repaired: whether this one did.
    """

    check: str
    what: str
    subject: str
    detail: str
    remedy: str
    repaired: bool


@dataclass(slots=True)
class Report:
    """What one examination of a namespace found.

    Attributes:
        findings: in the order of the checks.
        notes: what was not judged, and why.
        looked_at: by check, how many of its subjects were there.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    looked_at: Counter[str] = field(default_factory=Counter)

    @property
    def left(self) -> list[Finding]:
        """What is wrong still."""
        return [finding for finding in self.findings if not finding.repaired]

    @property
    def repairable(self) -> list[Finding]:
        """What of it a repair is for."""
        return [finding for finding in self.left if finding.what not in BEYOND_REPAIR]
