"""The service for Python programs that do not share its code: HTTP, typed, safe to repeat.

Reading order: client (what can be asked), job (what comes back), transport (how a request is sent until it is
answered), errors. Loads neither Dramatiq nor Flask.
"""

from .client import Client
from .errors import ClientError, JobFailed, NoAnswer, Problem, WaitedTooLong
from .job import Event, Job, Submission

__all__ = [
    "Client",
    "ClientError",
    "Event",
    "Job",
    "JobFailed",
    "NoAnswer",
    "Problem",
    "Submission",
    "WaitedTooLong",
]
