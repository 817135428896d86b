"""What the service answers, as types: mypy holds the code to them, and the OpenAPI document is made of them.

Each is closed: what is not named here is not in the answer. An instant is None where it does not apply, and where a
damaged record does not tell it.

Reading order: common, jobs, batch, failures, webhooks, queues, explanation, workers, actors, schedules, access.
"""

from .access import AuditEntryJson, AuditPageJson, AuditWhoJson, KeyJson, KeysJson, MadeKeyJson, QuotaJson
from .actors import (
    ActorJson,
    ActorsJson,
    ActorStatsJson,
    RateJson,
    RatesJson,
    RunsJson,
    StatsJson,
    UniqueJson,
)
from .alerts import AlertJson, AlertsJson
from .batch import AcceptedItemJson, BatchJson, RefusedItemJson
from .common import ErrorJson, Instant, LinksJson, ProblemJson, StatusJson, WrongJson
from .explanation import ExplanationJson, ReasonJson
from .failures import FailureErrorJson, FailureJson, FailureLinksJson, FailuresJson
from .jobs import (
    DeliveryJson,
    DuplicateJobJson,
    DuplicateReplayedJson,
    JobJson,
    JobPageJson,
    LogJson,
    LogLineJson,
    MatchedJson,
    ProgressJson,
    ReplayedJson,
    ResultJson,
    StepJson,
)
from .queues import PurgedJson, QueueJson, QueuePauseJson, QueuesJson
from .schedules import (
    BackfilledTickJson,
    BackfilledTicksJson,
    ComingTickJson,
    ComingTicksJson,
    DamagedScheduleJson,
    ScheduleJson,
    SchedulePauseJson,
    SchedulesJson,
    TickJobJson,
    TickJson,
    TicksJson,
)
from .server import FindingJson, ServerJson
from .webhooks import WebhookDeliveryJson, WebhookDeliveryLinksJson, WebhookDeliveryPageJson
from .workers import RunningJobJson, WorkerDetailJson, WorkerJson, WorkersJson

__all__ = [
    "AcceptedItemJson",
    "ActorJson",
    "ActorStatsJson",
    "ActorsJson",
    "AlertJson",
    "AlertsJson",
    "AuditEntryJson",
    "AuditPageJson",
    "AuditWhoJson",
    "BackfilledTickJson",
    "BackfilledTicksJson",
    "BatchJson",
    "ComingTickJson",
    "ComingTicksJson",
    "DamagedScheduleJson",
    "DeliveryJson",
    "DuplicateJobJson",
    "DuplicateReplayedJson",
    "ErrorJson",
    "ExplanationJson",
    "FailureErrorJson",
    "FailureJson",
    "FailureLinksJson",
    "FailuresJson",
    "FindingJson",
    "Instant",
    "JobJson",
    "JobPageJson",
    "KeyJson",
    "KeysJson",
    "LinksJson",
    "LogJson",
    "LogLineJson",
    "MadeKeyJson",
    "MatchedJson",
    "ProblemJson",
    "ProgressJson",
    "PurgedJson",
    "QueueJson",
    "QueuePauseJson",
    "QueuesJson",
    "QuotaJson",
    "RateJson",
    "RatesJson",
    "ReasonJson",
    "RefusedItemJson",
    "ReplayedJson",
    "ResultJson",
    "RunningJobJson",
    "RunsJson",
    "ScheduleJson",
    "SchedulePauseJson",
    "SchedulesJson",
    "ServerJson",
    "StatsJson",
    "StatusJson",
    "StepJson",
    "TickJobJson",
    "TickJson",
    "TicksJson",
    "UniqueJson",
    "WebhookDeliveryJson",
    "WebhookDeliveryLinksJson",
    "WebhookDeliveryPageJson",
    "WorkerDetailJson",
    "WorkerJson",
    "WorkersJson",
    "WrongJson",
]
