"""The schedules that actors declare with ``every``."""

from dataclasses import dataclass

from worker_service.broker.broker import JobBroker
from worker_service.jobs.intervals import interval_ms


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an actor runs: at every multiple of ``every_ms`` since the epoch; named as the actor is."""

    name: str
    every_ms: int


def declared(broker: JobBroker) -> list[Schedule]:
    """The schedules of a broker's actors, by name."""
    intervals = {name: actor.options.get("every") for name, actor in sorted(broker.actors.items())}
    return [Schedule(name, interval_ms(every)) for name, every in intervals.items() if every is not None]
