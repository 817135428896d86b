"""How long a job waited before its newest attempt, and how long that ran."""

from typing import Any

from .wording import ms

_ATTEMPTED = ("running", "succeeded", "dead")


def waited_ms(job: dict[str, Any], now_ms: int) -> int | None:
    """From created, or due if that was later, to started, or to now; None where it does not wait for a worker (yet)."""
    if job["state"] == "queued":
        end: int | None = now_ms
    else:
        end = ms(job["started_at"]) if job["state"] in _ATTEMPTED else None
    begin = max(ms(job["run_at"]) or 0, ms(job["created_at"]) or 0)
    return None if end is None else max(0, end - begin)


def ran_ms(job: dict[str, Any], now_ms: int) -> int | None:
    """From started to finished, or to now; None where no attempt is under way or ended the job."""
    started = ms(job["started_at"])
    if job["state"] not in _ATTEMPTED or started is None:
        return None
    return max(0, (ms(job["finished_at"]) or now_ms) - started)
