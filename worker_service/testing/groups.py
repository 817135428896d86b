"""What follows when all members of a group have completed, or one of them never will."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..store import NewJob
from .record import TestJob


@dataclass(slots=True)
class _Group:
    size: int = 0
    joined: set[str] = field(default_factory=set)
    failed: bool = False
    callbacks: tuple[NewJob, ...] = ()


class Groups:
    """The groups by their ids."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def create(self, id: str, size: int) -> None:
        """Prepare to count the members."""
        group = self._group(id)
        group.size = group.size or size

    def tell_callbacks(self, new: NewJob) -> None:
        """A member comes, which knows the callbacks."""
        if new.group and new.callbacks:
            group = self._group(new.group)
            group.callbacks = group.callbacks or new.callbacks

    def completed(self, job: TestJob) -> Iterable[NewJob]:
        """What follows when this job has completed."""
        if not (job.new.group and job.new.is_member):
            return ()
        group = self._group(job.new.group)
        if not group.size:
            return ()
        group.joined.add(job.id)
        if len(group.joined) < group.size:
            return ()
        return self._groups.pop(job.new.group).callbacks

    def failed(self, job: TestJob) -> Iterable[NewJob]:
        """The callbacks, dead, when this job will not complete."""
        if not job.new.group:
            return ()
        group = self._group(job.new.group)
        if not group.size or group.failed:
            return ()
        group.failed = True
        return [replace(each, dead_reason="group_failed") for each in group.callbacks]

    def _group(self, id: str) -> _Group:
        return self._groups.setdefault(id, _Group())
