"""What is remembered of pages that were fetched, so that a server need not send again what has not changed.

A file per address, written whole: two jobs that fetch the same page leave the answer of one of them. What cannot be
read is as if it were not there, and the page is fetched.
"""

import contextlib
import hashlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from .files import write_whole

FOLDER = "fetched"
"""Below the directory of files; cleanup_temp removes what was not used for a while."""


class Fetched(BaseModel):
    """An answer and what its server calls this state of the page.

    Attributes:
        result: of the job.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    etag: str | None
    last_modified: str | None
    result: dict[str, Any]


def conditions_of(fetched: Fetched) -> dict[str, str]:
    """The headers of RFC 9110, section 13.1, that ask whether it still holds."""
    given = {"If-None-Match": fetched.etag, "If-Modified-Since": fetched.last_modified}
    return {name: value for name, value in given.items() if value and value.isascii()}  # or it cannot be sent


def recall(files: Path, url: str) -> Fetched | None:
    """What is remembered of an address."""
    try:
        return Fetched.model_validate_json(_place(files, url).read_bytes())
    except (OSError, ValidationError):
        return None


def remember(files: Path, url: str, fetched: Fetched) -> None:
    """Keep it for the next fetch."""
    with contextlib.suppress(OSError):  # the page is there all the same; only the next fetch costs more
        write_whole(_place(files, url), fetched.model_dump_json().encode())


def _place(files: Path, url: str) -> Path:
    return files / FOLDER / f"{hashlib.sha256(url.encode()).hexdigest()}.json"
