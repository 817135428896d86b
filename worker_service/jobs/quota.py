"""How much a key may ask for in a minute."""

from dataclasses import dataclass
from typing import Literal, get_args

Unit = Literal["requests", "jobs"]

WINDOW_MS = 60_000
MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Quota:
    """A number of requests of any kind, or of jobs that are handed in, in each minute."""

    of: Unit
    per_minute: int

    def to_text(self) -> str:
        """The same as a small field."""
        return f"{self.of} {self.per_minute}"


def read_quota(text: str) -> Quota | None:
    """A quota from such a field; None for any other text."""
    of, _, number = text.partition(" ")
    units: tuple[Unit, ...] = get_args(Unit)
    unit = next((each for each in units if each == of), None)
    return Quota(unit, int(number)) if unit and number.isdigit() else None
