"""The pages, one file each: its routes, and what it asks the HTTP interface for.

Their templates have the same names.
"""

from .overview import add_overview

PAGES = (add_overview,)
"""Each adds its routes to the blueprint."""
