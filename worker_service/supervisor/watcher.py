"""Ends all groups when the supervisor is killed.

A watcher (`sh`, blocked in `read` on a pipe from us) is told the groups that run, and ends them once the pipe closes.
Linux's PR_SET_PDEATHSIG would reach the leaders only, not the processes they started.
"""

import contextlib
import subprocess
from collections.abc import Callable, Iterator

_WATCH = """
groups=
while read -r line; do groups=$line; done
any_alive() {
    for group in $groups; do kill -s 0 -- "-$group" && return; done
    return 1
}
for group in $groups; do kill -s TERM "$group"; done
looks=0
while any_alive && [ $looks -lt 50 ]; do sleep 0.1; looks=$((looks + 1)); done
for group in $groups; do kill -s KILL -- "-$group"; done
"""


@contextlib.contextmanager
def watcher() -> Iterator[Callable[[list[int]], None]]:
    """Yield a function that tells the watcher which groups run now."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "watch-worker-service"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    pipe, told = process.stdin, list[int]()

    def tell(groups: list[int]) -> None:
        if groups != told:
            told[:] = groups
            with contextlib.suppress(BrokenPipeError):  # somebody killed the watcher
                pipe.write(" ".join(map(str, groups)).encode() + b"\n")
                pipe.flush()

    try:
        yield tell
    finally:
        process.kill()
        process.communicate()
