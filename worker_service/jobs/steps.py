"""Steps: what a job does once although it may run several times. Their names, and what is found out about them."""

import re
from dataclasses import dataclass
from typing import Any

from .errors import StepMisused

STEPS_LIMIT = 100
"""Steps that the ledger of one job holds; a bound on what it takes of the server's memory."""

STEP_RESULT_LIMIT = 8 * 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


@dataclass(frozen=True, slots=True)
class Happened:
    """The answer of a `verify` callback: an earlier run did it, and this was its result."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class NotHappened:
    """The answer of a `verify` callback: no earlier run did it, and none is about to."""


def check_name(name: str) -> None:
    """Whether a step may be called so.

    Raises:
        StepMisused: it is not 1 to 64 of ``A-Z a-z 0-9 . _ : -``, a letter or digit first.
    """
    if not _NAME.fullmatch(name):
        raise StepMisused(
            f"{name!r} cannot name a step: use 1 to 64 of A-Z, a-z, 0-9 and . _ : -, a letter or digit first"
        )
