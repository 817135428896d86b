"""The pages, one file each: its routes, and what it asks the HTTP interface for.

Their templates have the same names.
"""

from .job import add_job
from .jobs import add_jobs
from .overview import add_overview

PAGES = (add_overview, add_jobs, add_job)
"""Each adds its routes to the blueprint."""
