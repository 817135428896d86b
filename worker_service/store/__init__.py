"""The job store: every key (keys), every transition as one Lua script (lua/), writes and reads over them.

Reading order: keys, lua/, scripts, transitions, queries, listening, connection, line.
"""

from .connection import connect
from .listening import Listening
from .queries import Delivery, Job, Queries
from .transitions import Claim, ClaimedJob, NewJob, Outcome, Rescued, SessionLost, Store

__all__ = [
    "Claim",
    "ClaimedJob",
    "Delivery",
    "Job",
    "Listening",
    "NewJob",
    "Outcome",
    "Queries",
    "Rescued",
    "SessionLost",
    "Store",
    "connect",
]
