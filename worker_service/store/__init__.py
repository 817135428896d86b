"""The job store: every key (keys), every transition as one Lua script (lua/), writes and reads over them.

Reading order: keys, lua/, scripts, records, transitions, queries, listening, connection, address, line.
"""

from .address import check_server, shown_url
from .connection import connect
from .listening import Listening
from .queries import Delivery, Job, Queries
from .records import Claim, ClaimedJob, NewJob, Outcome, Rescued, SessionLost
from .transitions import Store

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
    "check_server",
    "connect",
    "shown_url",
]
