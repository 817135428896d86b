"""An actor of a team's own module, as JOBS_ACTOR_MODULES imports it."""

import os
import time
from pathlib import Path

from worker_service import actor


@actor
def wait_for_file(path: str) -> int:
    """Wait until a file is there; returns the id of the process that saw it."""
    while not Path(path).exists():
        time.sleep(0.01)
    return os.getpid()
