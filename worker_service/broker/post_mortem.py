"""How a worker process ended, found out by its keeper, which is not its parent. Known on Linux only.

The kernel keeps the exit status in /proc until the parent has asked for it, which may be at once. From then on a
descriptor of the process has it (Linux 6.15), which the process itself opens and hands to its keeper, that may still
be starting when it ends; on older systems the keeper has to be quick.
"""

import os
import signal
import struct
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

LONGEST_SECONDS = 0.05
LOOK_SECONDS = 0.0005
_STATE, _FLAGS, _EXIT_CODE = 0, 6, 49
"""Places in /proc/PID/stat behind the name: fields 3, 9 and 52 of proc_pid_stat(5)."""
_EXITING = 0x4
"""PF_EXITING of the kernel: the status is there, although the process still lets go of what it holds."""

_INFO = struct.Struct("<QQ11Ii")
"""struct pidfd_info of ioctl_pidfd(2); the exit status comes last."""
_GET_INFO = 0xC040FF0B
_INFO_EXIT = 1 << 3


def open_myself() -> int:
    """A descriptor of this process, to be inherited by its keeper; -1 where there is no such thing."""
    with suppress(AttributeError, OSError):
        return os.pidfd_open(os.getpid())
    return -1


class PostMortem:
    """Args:
    pid: of a process of this user.
    descriptor: of the same process; see `open_myself`.
    """

    def __init__(self, pid: int, descriptor: int) -> None:
        self._pid = pid
        self._descriptor = descriptor

    def how_it_ended(self) -> str:
        """Words to put behind "the process": ``was killed by SIGKILL``, ``ended with exit code 7``, or ``died``."""
        status = self._status()
        if status is None:
            return "died"
        number = status & 0x7F
        return f"was killed by {_name(number)}" if number else f"ended with exit code {status >> 8}"

    def _status(self) -> int | None:
        """As wait(2) would give it."""
        give_up_at = monotonic() + LONGEST_SECONDS
        while monotonic() < give_up_at:
            try:
                fields = Path(f"/proc/{self._pid}/stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                return self._status_of_one_that_is_gone()
            if fields[_STATE] in (b"Z", b"X") or int(fields[_FLAGS]) & _EXITING:
                return int(fields[_EXIT_CODE])
            sleep(LOOK_SECONDS)
        return None

    def _status_of_one_that_is_gone(self) -> int | None:
        import fcntl  # not on every system

        request = _INFO.pack(_INFO_EXIT, *[0] * 13)
        try:
            mask, *_, status = _INFO.unpack(fcntl.ioctl(self._descriptor, _GET_INFO, request))
        except (OSError, ValueError):
            return None
        return int(status) if mask & _INFO_EXIT else None


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
