"""Actors of the schedulers under test; the environment says how often they run."""

import json
import os

from worker_service import actor, current_job
from worker_service.jobs.declared import Schedule


def work():
    """What a tick asks for."""


@actor
def note(name: str):
    """Write down that a job has run, which a process that is killed cannot take back."""
    file = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{name} {current_job().id}\n".encode())
    os.close(file)


SCHEDULES = {name: Schedule(*each) for name, each in json.loads(os.environ.get("SCHEDULES", "{}")).items()}

for name, every in json.loads(os.environ.get("INTERVALS", "{}")).items():
    actor(work, actor_name=name, every=every, schedule={"overlap": "allow_all"})
