"""What a running job says of itself, as `worker_service.store.Store` keeps it: progress, log, steps."""

import json
from collections.abc import Mapping

from ..jobs.steps import STEPS_LIMIT
from .record import TestJob


class Running:
    """Args:
    jobs: by their ids.
    """

    def __init__(self, jobs: Mapping[str, TestJob]) -> None:
        self._jobs = jobs
        self.is_cut_off = False
        """The process has died: what its code still says while it is left reaches nobody."""

    def is_held(self, id: str, token: str) -> bool:
        """Whether this delivery still counts."""
        return not self.is_cut_off and self._jobs[id].token == token

    def progress(self, id: str, token: str, progress: str, checkpoint: str = "") -> bool:
        """Note how far a job is."""
        if self.is_held(id, token):
            self._jobs[id].progress = json.loads(progress)
        return True

    def log(self, id: str, token: str, line: str) -> bool:
        """Add a line to its log."""
        if self.is_held(id, token):
            self._jobs[id].log.append(line)
        return True

    def begin_step(self, id: str, token: str, step: str, *, over: bool = False) -> tuple[str, str]:
        """Note that it is about to do what must happen once."""
        job = self._jobs[id]
        if not self.is_held(id, token):
            return "stale", ""
        state = job.steps.get(step)
        if state == "done":
            return "done", job.results[step]
        if state and job.begun_by[step] != token and not over:
            return "unknown", ""
        if not state and len(job.steps) >= STEPS_LIMIT:
            return "too_many", ""
        job.steps[step], job.begun_by[step] = "begun", token
        return "begun", ""

    def end_step(self, id: str, token: str, step: str, outcome: str, result: str = "") -> bool:
        """Note how that ended."""
        job = self._jobs[id]
        if not self.is_held(id, token):
            return False
        if job.steps.get(step) == "done":
            return True
        if outcome == "not_done":
            job.steps.pop(step, None)
        else:
            job.steps[step], job.results[step] = "done", result
        return True
