"""``/v1/stats``: numbers and nothing else in one flat object, as autoscalers want them."""

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..broker.schedules import Entry, Timetable
from ..settings import Settings
from ..store.overview import FINAL_STATES, Overview, Overviews
from .answers import StatsJson
from .documented import documented


def stats(broker: JobBroker, settings: Settings) -> Blueprint:
    """The route of numbers."""
    routes = Blueprint("stats", __name__)
    readings = Overviews(broker.store.client, broker.store.namespace)
    timetable = Timetable(broker, settings.timezone)

    @routes.get("/v1/stats")
    @documented("Read numbers for autoscalers.", {200: StatsJson})
    def show() -> Response:
        return jsonify(
            {**_of_jobs(readings.read()), "threads": readings.threads(), **_of_schedules(timetable)}
        )

    return routes


def _of_jobs(overview: Overview) -> dict[str, int]:
    """A queue's own numbers stand under ``queued:NAME``, ``delayed:NAME``, ``running:NAME``,
    ``wanted_threads:NAME`` and ``oldest_ms:NAME``."""
    return {
        "queued": overview.queued,
        "delayed": overview.delayed,
        "running": overview.running,
        "wanted_threads": overview.wanted_threads,
        "oldest_ms": overview.oldest_ms,
        **{state: overview.kept[state] for state in FINAL_STATES},
        "workers": overview.open_workers,
        "workers_stalled": len(overview.stalled_workers),
        **({} if overview.canary_age_ms is None else {"canary_age_ms": overview.canary_age_ms}),
        **{f"queued:{queue.name}": queue.queued for queue in overview.queues},
        **{f"running:{queue.name}": queue.running for queue in overview.queues},
        **{f"wanted_threads:{queue.name}": queue.wanted_threads for queue in overview.queues},
        **{f"delayed:{queue.name}": queue.delayed for queue in overview.queues},
        **{f"oldest_ms:{queue.name}": queue.oldest_ms or 0 for queue in overview.queues},
    }


def _of_schedules(timetable: Timetable) -> dict[str, int]:
    found, schedulers = timetable.all(), timetable.schedules
    readable = [each for each in found if isinstance(each, Entry)]
    now_ms = schedulers.now_ms()
    return {
        "schedulers": len(schedulers.live_schedulers()),
        "scheduler_leads": int(schedulers.leader() is not None),
        "schedules": len(found),
        "schedules_damaged": len(found) - len(readable),
        "schedule_lag_ms": max((each.lag_ms(now_ms) for each in readable), default=0),
        "schedule_last_tick_ms": max((each.stored.last_ms or 0 for each in readable), default=0),
        "schedules_missed": sum(each.stored.missed for each in readable),
        "schedules_skipped": sum(each.stored.skipped for each in readable),
    }
