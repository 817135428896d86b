"""The pages, one file each: its routes, and what it asks the HTTP interface for.

Their templates have the same names.
"""

from .actors import add_actors
from .failures import add_failures
from .job import add_job
from .jobs import add_jobs
from .overview import add_overview
from .queues import add_queues
from .schedules import add_schedules
from .system import add_system
from .workers import add_workers

PAGES = (
    add_overview,
    add_jobs,
    add_job,
    add_failures,
    add_queues,
    add_schedules,
    add_workers,
    add_actors,
    add_system,
)
"""Each adds its routes to the blueprint."""
