"""The key to begin with, for whoever deploys the service."""

import os
import secrets
import tempfile
from pathlib import Path

MODE = 0o440
"""For its owner, and for a group: that of what scrapes metrics, for example."""


def first_key(file: Path) -> str | None:
    """Make a key in a file, whole or not at all; of several processes that do, one does.

    Returns:
        The key; None when the file is there already.

    Raises:
        OSError: it cannot be written.
    """
    if file.exists():
        return None
    key = secrets.token_hex(32)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".key-") as made:
        made.write(f"{key}\n")
        made.flush()
        os.fchmod(made.fileno(), MODE)
        os.fsync(made.fileno())
        try:
            os.link(made.name, file)
        except FileExistsError:
            return None
    return key
