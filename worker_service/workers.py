"""Worker processes that do not take each other along.

Dramatiq's own command ends all its processes when one of them dies. So each runs under a command of its own, and
one that ends is started again while the others go on.
"""

import os
import sys
from collections.abc import Sequence
from tempfile import NamedTemporaryFile

from .broker.recycling import TURN_FILE
from .commands import worker_command
from .jobs.errors import StoreUnavailable
from .logs import for_parts, is_json
from .settings import Settings
from .store import Queries, connect
from .supervisor import Command, Log, Supervisor

OWN_NAME = "supervisor"


def run_workers(settings: Settings, processes: int, arguments: Sequence[str]) -> int:
    """Keep worker processes running until SIGINT or SIGTERM; returns the exit code.

    Args:
        processes: how many.
        arguments: of the ``dramatiq`` command of each.

    Returns:
        0 after an orderly stop, 1 when one ended before all had begun to work: a mistake in the set-up.
    """
    grace = settings.shutdown_grace_ms / 1000
    names = [f"worker-{number}" for number in range(1, processes + 1)] if processes > 1 else ["worker"]
    commands = [Command(name, worker_command(arguments), grace, "running jobs") for name in names]
    reads = Queries(connect(settings.redis_url), settings.namespace)
    before = _opened(reads)
    with NamedTemporaryFile(prefix="worker-service-") as turn:
        log = Log([OWN_NAME, *names], prefixed=processes > 1, as_json=is_json(sys.stdout))
        environment = {**os.environ, **for_parts(sys.stdout), TURN_FILE: turn.name}
        supervisor = Supervisor(commands, environment, log, OWN_NAME, stop_together=True)
        return supervisor.run(
            is_ready=lambda: _opened(reads) - before >= processes,
            on_ready=lambda: log.write(OWN_NAME, f"Worker processes that are ready: {processes}."),
        )


def _opened(reads: Queries) -> int:
    """Sessions ever opened, not those that are: a first job may kill its process before anybody has looked."""
    try:
        return reads.sessions_opened()
    except StoreUnavailable:
        return 0  # the workers wait for the server, and so do we
