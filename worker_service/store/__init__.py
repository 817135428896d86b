"""The job store: every key (keys), every transition as one Lua script (lua/), writes and reads over them.

Reading order: keys, lua/, scripts, schema, records, transitions, durability, vitals, job_record, job_filter, fitting,
queries, listing, matching, failures, webhook_deliveries, overview, oldest, histogram, rates, workers, claimable,
circumstances, api_keys, logins, audit, examination, fitness, listening, watcher, connection, address, line; doctor/
checks that all of it holds.
"""

from .address import check_server, shown_url
from .api_keys import ApiKey, ApiKeys, ShownKey
from .audit import Audit, AuditEntry, Deed
from .circumstances import Circumstances
from .claim_order import ClaimOrder
from .claimable import Claimable
from .connection import connect
from .durability import Level
from .examination import Finding, examine
from .job_filter import JobFilter
from .job_record import Delivery, Job, JobStep, LogLine
from .listening import Heard, Listening
from .listing import JobPage, Listing, Place
from .logins import Login, Logins
from .queries import Queries
from .rates import Rates
from .records import (
    Claim,
    ClaimedJob,
    Hook,
    Idempotency,
    Lock,
    NewJob,
    Outcome,
    Rescued,
    SessionLost,
    Spent,
    Submitted,
)
from .schedule_record import Damaged, ScheduleRef, StoredSchedule, Tick, meaning_of
from .schedules import Lead, Schedules, SchedulesBell
from .transitions import Store
from .vitals import Vitals
from .watcher import LOST, Watch, Watcher

__all__ = [
    "LOST",
    "ApiKey",
    "ApiKeys",
    "Audit",
    "AuditEntry",
    "Circumstances",
    "Claim",
    "ClaimOrder",
    "Claimable",
    "ClaimedJob",
    "Damaged",
    "Deed",
    "Delivery",
    "Finding",
    "Heard",
    "Hook",
    "Idempotency",
    "Job",
    "JobFilter",
    "JobPage",
    "JobStep",
    "Lead",
    "Level",
    "Listening",
    "Listing",
    "Lock",
    "LogLine",
    "Login",
    "Logins",
    "NewJob",
    "Outcome",
    "Place",
    "Queries",
    "Rates",
    "Rescued",
    "ScheduleRef",
    "Schedules",
    "SchedulesBell",
    "SessionLost",
    "ShownKey",
    "Spent",
    "Store",
    "StoredSchedule",
    "Submitted",
    "Tick",
    "Vitals",
    "Watch",
    "Watcher",
    "check_server",
    "connect",
    "examine",
    "meaning_of",
    "shown_url",
]
