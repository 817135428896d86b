"""The day as one page that needs nothing else: no script, no other file."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...jobs.durations import duration
from . import charts
from .charts import Bar, Bars, OverTime, Series
from .day import Counted, Day, Spread

if TYPE_CHECKING:
    import jinja2

MOST_FAILURES = 50
_ENDS = {"succeeded": "good", "dead": "bad", "cancelled": "quiet", "expired": "late"}


def as_html(day: Day) -> str:
    """The page."""
    return _template().render(
        day=day,
        busiest=max(day.hours, key=lambda hour: hour.ended),
        over_time=[
            _ends(day),
            _spreads(day, "How long jobs waited, per hour", lambda hour: hour.wait),
            _spreads(day, "How long attempts ran, per hour", lambda hour: hour.run),
        ],
        slowest=_slowest(day),
        failing=[_most_failed(day), _failed_parts(day)],
        punctuality=_late(day),
        failures=day.failures[:MOST_FAILURES],
        geometry=charts,
    )


def as_text(day: Day) -> str:
    """The most important of it in a few lines, for a mail."""
    total = day.total
    counts = (
        f"{number(total['enqueued'])} were created, {number(total['succeeded'])} succeeded, "
        f"{number(total['dead'])} failed for good ({percent(total.failed_part)}), "
        f"{number(total['retried'])} attempts were repeated."
    )
    durations = (
        f"Half of them waited at most {in_words(total.wait.p50)} and ran at most {in_words(total.run.p50)}; "
        f"95 of 100: {in_words(total.wait.p95)} and {in_words(total.run.p95)}."
    )
    lines = [f"The jobs of {day.date} (UTC).", "", counts, durations]
    for chart in (_most_failed(day), _slowest(day), _late(day)):
        if chart.bars:
            lines += ["", f"{chart.title} ({chart.measure}):"]
            lines += [f"  {bar.name}: {bar.text}" for bar in chart.bars[:3]]
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """A whole number with commas."""
    return f"{value:,.0f}"


def percent(part: float) -> str:
    """A part of 1; what is not nothing does not look like nothing."""
    return "0 %" if not part else "< 0.1 %" if part < 0.001 else f"{part * 100:.1f} %"


def in_words(ms: float | None) -> str:
    """A duration; a dash for none."""
    return "-" if ms is None else duration(ms)


def _ends(day: Day) -> OverTime:
    parts = [Series(name, style, [hour[name] for hour in day.hours]) for name, style in _ENDS.items()]
    return OverTime("Jobs that ended, per hour", _labels(day), parts, number, is_stack=True)


def _spreads(day: Day, title: str, of_hour: Callable[[Counted], Spread]) -> OverTime:
    spreads = [of_hour(hour) for hour in day.hours]
    lines = [
        Series("half at most", "busy", [each.p50 for each in spreads]),
        Series("95 of 100 at most", "late", [each.p95 for each in spreads]),
    ]
    return OverTime(title, _labels(day), lines, in_words)


def _labels(day: Day) -> list[str]:
    return [hour.name for hour in day.hours]


def _slowest(day: Day) -> Bars:
    bars = [_duration_bar(each.name, each.run.p95) for each in day.actors]
    return charts.largest("Slowest actors", "95 of 100 ran at most", "late", bars)


def _most_failed(day: Day) -> Bars:
    bars = [Bar(each.name, each["dead"], number(each["dead"])) for each in day.actors]
    return charts.largest("Failures by actor", "jobs that failed for good", "bad", bars)


def _failed_parts(day: Day) -> Bars:
    return charts.largest(
        "Most failing actors", "of the jobs that ended", "bad", [_failed_part(each) for each in day.actors]
    )


def _failed_part(actor: Counted) -> Bar:
    text = f"{percent(actor.failed_part)} of {number(actor.ended)}"
    return Bar(actor.name, actor.failed_part, text)


def _late(day: Day) -> Bars:
    bars = [_duration_bar(each.name, each.late_quantile_ms(0.95)) for each in day.schedules]
    return charts.largest("Least punctual schedules", "95 of 100 ticks were late by at most", "late", bars)


def _duration_bar(name: str, ms: int | None) -> Bar:
    return Bar(name, ms or 0, in_words(ms))


def _clock(ms: int) -> str:
    """The time of day in UTC."""
    minutes = ms // 60_000 % (24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


@lru_cache(maxsize=1)
def _template() -> "jinja2.Template":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"number": number, "percent": percent, "in_words": in_words, "clock": _clock}
    environment.filters.update(filters)
    return environment.get_template("page.html.jinja")
