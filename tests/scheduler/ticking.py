"""Actors of the schedulers under test; the environment says how often they run."""

import json
import os

from worker_service import actor
from worker_service.jobs.declared import Schedule


def work():
    """What a tick asks for."""


SCHEDULES = {name: Schedule(*each) for name, each in json.loads(os.environ.get("SCHEDULES", "{}")).items()}

for name, every in json.loads(os.environ.get("INTERVALS", "{}")).items():
    actor(work, actor_name=name, every=every, schedule={"overlap": "allow_all"})
