"""What people can do on the pages: a table of actions, each of which is one request to the HTTP interface.

Reading order: action (what one consists of), then one file per noun.
"""

from . import actors, bulk, jobs, keys, queues, schedules, workers
from .action import Action, Field, Given

ACTIONS: dict[str, Action] = {
    action.name: action
    for noun in (jobs, bulk, queues, workers, schedules, actors, keys)
    for action in noun.ACTIONS
}

__all__ = ["ACTIONS", "Action", "Field", "Given"]
