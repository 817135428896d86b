"""The job store: every key (keys), every transition as one Lua script (lua/), writes and reads over them.

Reading order: keys, lua/, scripts, records, transitions, job_record, job_filter, queries, listing, matching, failures,
overview, oldest, fitness, listening, connection, address, line; doctor/ checks that all of it holds.
"""

from .address import check_server, shown_url
from .connection import connect
from .job_filter import JobFilter
from .job_record import Delivery, Job, JobStep
from .listening import Listening
from .listing import JobPage, Listing, Place
from .queries import Queries, ScheduleState
from .records import (
    Claim,
    ClaimedJob,
    Idempotency,
    Lock,
    NewJob,
    Outcome,
    Rescued,
    SessionLost,
    Submitted,
)
from .transitions import Store

__all__ = [
    "Claim",
    "ClaimedJob",
    "Delivery",
    "Idempotency",
    "Job",
    "JobFilter",
    "JobPage",
    "JobStep",
    "Listening",
    "Listing",
    "Lock",
    "NewJob",
    "Outcome",
    "Place",
    "Queries",
    "Rescued",
    "ScheduleState",
    "SessionLost",
    "Store",
    "Submitted",
    "check_server",
    "connect",
    "shown_url",
]
