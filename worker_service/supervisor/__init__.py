"""Keeps a few commands running side by side, as one: their log lines together, one Ctrl-C for all.

- Each command leads a process group of its own, so Ctrl-C of the terminal reaches the supervisor alone. It
  ends them one after the other, the last one first: SIGTERM to the leader, time to finish, then SIGKILL to
  whatever is left of the group.
- A command that ends by itself is started again, after a wait that grows. Until all are ready for the first
  time it ends the whole instead, because then it is a mistake in the set-up.
- Asked to restart all, it ends each in the same way and starts it again as soon as it has ended: one that
  finishes its work first holds no other up.
- When the supervisor is killed, nothing of it stays: see `watcher`.
"""

from .log import Log
from .part import Command
from .supervisor import ENDED_NOW, Supervisor
from .wakeups import STOP_SIGNALS

__all__ = ["ENDED_NOW", "STOP_SIGNALS", "Command", "Log", "Supervisor"]
