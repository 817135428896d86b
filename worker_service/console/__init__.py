"""What people ask of the service at a terminal. Each command sends requests of the HTTP interface, carried out in this
process instead of by a web process; so it does nothing that the interface does not do, and is checked by the same code.

Reading order: service (how a request is asked), command (options, exit codes), output and refusals (what is printed),
completion (what shells offer), then a file per noun: jobs with job_filters, bulk, progress and following; submit,
actors, queues, schedules with backfilling, keys, workers, stats, alerts, top, about. Nothing here imports Flask,
Dramatiq, rich or the client before it is used, because shells load all of it at each Tab.

Exit code 0: done; 1: refused, or there is no such thing; 2: the store or the settings did not let us ask; 130: Ctrl-C.
"""

import click

from .about import config, openapi, ping
from .actors import actors
from .alerts import alerts
from .completion import completion
from .jobs import failures, jobs
from .keys import keys
from .queues import queues
from .schedules import schedules
from .stats import stats
from .submit import submit
from .top import top
from .workers import workers

COMMANDS: dict[str, click.Command] = {
    "actors": actors,
    "alerts": alerts,
    "completion": completion,
    "config": config,
    "failures": failures,
    "jobs": jobs,
    "openapi": openapi,
    "keys": keys,
    "ping": ping,
    "queues": queues,
    "schedules": schedules,
    "stats": stats,
    "submit": submit,
    "top": top,
    "workers": workers,
}
