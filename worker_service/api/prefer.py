"""The header ``Prefer: wait=N`` (RFC 7240): the client would rather wait than ask again."""

import re

from werkzeug.datastructures import Headers

MOST_SECONDS = 60

ABOUT_PREFER = "`wait=N`: answer when the job has ended, or as it stands after N seconds, at most 60."

_WAIT = re.compile(r'\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?', re.IGNORECASE)


def wait_seconds(headers: Headers) -> int | None:
    """How long the client wants to wait for the end of a job, at most `MOST_SECONDS`; None when it does not.

    A preference that cannot be read is no preference, as the RFC has it; of several the first one counts.
    """
    for part in headers.get("Prefer", "").split(","):  # of two headers, the server has joined the values
        found = _WAIT.fullmatch(part)
        if found:
            return min(int(found[1]), MOST_SECONDS)
    return None


def applied(seconds: int) -> dict[str, str]:
    """The header of an answer that was waited for."""
    return {"Preference-Applied": f"wait={seconds}"}
