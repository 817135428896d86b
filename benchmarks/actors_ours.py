"""The jobs as actors of worker-service, every setting at its default."""

from worker_service import actor

from . import jobs

nothing = actor(jobs.nothing)
stamp = actor(jobs.stamp)
