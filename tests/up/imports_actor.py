"""An actor that tells what its process has imported."""

import sys

from worker_service import actor


@actor
def imported(prefix: str) -> list[str]:
    """Names of modules that begin so."""
    return sorted(name for name in sys.modules if name.startswith(prefix))
