"""``worker-service doctor``: what is wrong with the store, in words a person can act on."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from time import monotonic

from .jobs.errors import StoreUnavailable
from .settings import Settings
from .store import connect
from .store.doctor import Finding, Report, examine

SHOWN = 20
"""How many findings of a kind are told one by one; JSON has all."""
PROGRESS_SECONDS = 2.0


def run_doctor(settings: Settings, *, repair: bool, say: Callable[[str], None]) -> Report:
    """Examine the store.

    Args:
        settings: where it is.
        repair: whether to mend what is found.
        say: is told every `PROGRESS_SECONDS` how far the examination is.

    Raises:
        StoreUnavailable: Redis is away, or does not let us look.
        StoreTooNew: the data was written by a newer version, which knows more of it.
    """
    with connect(settings.redis_url) as client:
        return examine(client, settings.namespace, repair=repair, tell=_now_and_then(say))


def _now_and_then(say: Callable[[str], None]) -> Callable[[str, int], None]:
    last = monotonic()

    def tell(what: str, looked_at: int) -> None:
        nonlocal last
        if monotonic() - last >= PROGRESS_SECONDS:
            last = monotonic()
            say(f"{what}: {looked_at:,} looked at")

    return tell


def as_text(report: Report) -> Iterator[str]:
    """The report for people, line by line."""
    told: Counter[tuple[str, bool]] = Counter()
    for finding in report.findings:
        told[finding.what, finding.repaired] += 1
        if told[finding.what, finding.repaired] <= SHOWN:
            yield from _told(finding)
    for (what, repaired), number in told.items():
        if number > SHOWN:
            done = ", repaired" if repaired else ""
            yield f"... and {number - SHOWN:,} more of this kind ({what}{done}); --json lists all."
    yield from report.notes
    yield _summary(report)


def as_json(report: Report) -> str:
    """The report for programs."""
    return json.dumps(
        {
            "findings": [asdict(finding) for finding in report.findings],
            "left": len(report.left),
            "notes": report.notes,
            "looked_at": report.looked_at,
        }
    )


def unexamined(error: Exception) -> str:
    """Why the store could not be looked at, and what to do when its server is away or another one than was meant."""
    why = f"the store could not be checked. {error}"
    if not isinstance(error, StoreUnavailable):
        return why
    return f"{why.rstrip('.')}. Set JOBS_REDIS_URL to the server of the jobs, or start `make run` in this folder."


def error_as_json(why: str) -> str:
    """What programs get in place of a report."""
    return json.dumps({"error": why})


def _told(finding: Finding) -> Iterator[str]:
    yield finding.detail
    yield f"  {'repaired' if finding.repaired else 'a repair would'}: {finding.remedy}"


def _summary(report: Report) -> str:
    jobs = f"{report.looked_at['jobs']:,} jobs looked at"
    if not report.findings:
        return f"Nothing is wrong ({jobs})."
    repaired, left = len(report.findings) - len(report.left), len(report.left)
    if not left:
        return f"{repaired:,} findings, all repaired ({jobs})."
    hint = (
        "" if repaired or not report.repairable else "; `worker-service doctor --repair` repairs what can be"
    )
    return f"{left:,} findings left, {repaired:,} repaired ({jobs}){hint}."
