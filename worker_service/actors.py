"""The worker's front door: ``dramatiq worker_service.actors``. Declares the built-in actors, then imports your own."""

from . import registry
from .tasks.add import add as _add
from .tasks.fetch_remote import fetch_remote as _fetch_remote

registry.broker()

add = registry.actor(_add)
fetch_remote = registry.actor(_fetch_remote, max_attempts=5)

registry.import_own_modules()
