"""The actors of work.py, in a process that is killed as it writes its first outcome: before, or before the reply."""

import os
import signal
from pathlib import Path
from typing import Any

from work import *  # type: ignore[import-not-found] # noqa: F403 - found in the folder the command runs in

from worker_service.store import Store

finish = Store.finish


def die(store: Store, outcomes: Any, **fields: Any) -> list[str]:
    """Once in all processes."""
    once = Path(os.environ["DIE_ONCE_FILE"])
    if not once.exists():
        once.touch()
        if os.environ["DIE_WHEN"] == "after the write":
            finish(store, outcomes, **fields)
        os.kill(os.getpid(), signal.SIGKILL)
    return finish(store, outcomes, **fields)


Store.finish = die  # type: ignore[assignment,method-assign]
