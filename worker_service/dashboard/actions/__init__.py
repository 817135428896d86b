"""What people can do on the pages: a table of actions, each of which is one request to the HTTP interface.

Reading order: action (what one consists of), then one file per noun.
"""

from . import bulk, jobs, queues, workers
from .action import Action, Field, Given

ACTIONS: dict[str, Action] = {
    action.name: action for action in (*jobs.ACTIONS, *bulk.ACTIONS, *queues.ACTIONS, *workers.ACTIONS)
}

__all__ = ["ACTIONS", "Action", "Field", "Given"]
