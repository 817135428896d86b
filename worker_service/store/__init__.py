"""The job store: every key (keys), every transition as one Lua script (lua/), writes and reads over them.

Reading order: keys, lua/, scripts, records, transitions, job_record, job_filter, fitting, queries, listing, matching,
failures, overview, oldest, workers, fitness, listening, connection, address, line; doctor/ checks that all of it holds.
"""

from .address import check_server, shown_url
from .connection import connect
from .job_filter import JobFilter
from .job_record import Delivery, Job, JobStep
from .listening import Listening
from .listing import JobPage, Listing, Place
from .queries import Queries
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
from .schedules import Damaged, Lead, ScheduleRef, Schedules, SchedulesBell, StoredSchedule, Tick
from .transitions import Store

__all__ = [
    "Claim",
    "ClaimedJob",
    "Damaged",
    "Delivery",
    "Idempotency",
    "Job",
    "JobFilter",
    "JobPage",
    "JobStep",
    "Lead",
    "Listening",
    "Listing",
    "Lock",
    "NewJob",
    "Outcome",
    "Place",
    "Queries",
    "Rescued",
    "ScheduleRef",
    "Schedules",
    "SchedulesBell",
    "SessionLost",
    "Store",
    "StoredSchedule",
    "Submitted",
    "Tick",
    "check_server",
    "connect",
    "shown_url",
]
