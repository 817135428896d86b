"""A reading as people see it: an overview, what is wrong, and a table each of queues, workers, throughput and
failures, shortened to the rows that there are."""

import time
from collections.abc import Iterable, Sequence
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...dashboard.wording import first_line
from ...jobs.durations import duration
from .rates import COUNTED, Rates
from .reading import Item, Reading
from .warnings import warnings

BARS = " ▁▂▃▄▅▆▇█"
CHART_MINUTES = 30
FULL = 10**6
"""Rows where all may be shown."""
HEADS = 2
"""Rows that a table has beside its own: the heads, and a blank one before them."""
NEARLY = 0.8
"""Of a job's time limit; from here on it stands out."""

Row = Sequence[RenderableType]


def screen(reading: Reading, rates: Rates, *, rows: int = FULL, columns: int = FULL, note: str = "") -> Group:
    """All of it.

    Args:
        rows, columns: that may be used.
        note: about the view itself, at its end.
    """
    overview = _overview(reading)
    wrong = [Text(f"! {text}", style="bold yellow") for text in warnings(reading)]
    throughput = list(_throughput(reading, rates))
    bodies = [list(_queues(reading, rates)), list(_workers(reading)), list(_failures(reading))]
    lines = sum(len(wrap(text.plain, columns)) for text in (overview, *wrong, Text(note)))
    used = lines + HEADS * 4 + len(throughput)
    queues, workers, failures = _fitting(bodies, rows - used)
    return Group(
        overview,
        *wrong,
        _table("queue queued> delayed> oldest> in/min> out/min> *", queues),
        _table("worker state pid> busy> heard-of> *runs for> limit>", workers),
        _table("jobs-a-minute > *last-30-min", throughput),
        _table("failures> actor *error last-(UTC) newest-job", failures),
        *([Text(note, style="dim")] if note else []),
    )


def _fitting(bodies: list[list[Row]], rows: int) -> list[list[Row]]:
    """The first rows of each, so that all fit; what one does not need is left to the others."""
    shares = {id(body): 0 for body in bodies}
    for _ in range(min(max(rows, len(bodies)), sum(map(len, bodies)))):
        hungry = [body for body in bodies if shares[id(body)] < len(body)]
        if hungry:
            shares[id(min(hungry, key=lambda body: shares[id(body)]))] += 1
    return [_shortened(body, shares[id(body)]) for body in bodies]


def _shortened(body: list[Row], share: int) -> list[Row]:
    if share >= len(body):
        return body
    more = len(body) - max(share - 1, 0)
    return [*body[: max(share - 1, 0)], (Text(f"... {more} more", style="dim"),)]


def _overview(reading: Reading) -> Text:
    stats = reading.stats
    line = Text(time.strftime("%H:%M:%S"), style="dim")
    for name in ("queued", "delayed", "running", "dead", "workers", "schedulers"):
        line.append(f"  {name} ", style="dim").append(f"{stats[name]:,}", style="bold")
    busy = sum(worker["running"] for worker in reading.workers)
    line.append("  threads ", style="dim").append(f"{busy}/{stats['threads']}", style="bold")
    line.append("  oldest ", style="dim").append(duration(stats["oldest_ms"]), style="bold")
    return line


def _queues(reading: Reading, rates: Rates) -> Iterable[Row]:
    for queue in sorted(reading.queues, key=lambda each: (-each["queued"], each["name"])):
        name = queue["name"]
        yield (
            Text(name),
            f"{queue['queued']:,}",
            f"{queue['scheduled_or_retrying']:,}",
            _span(queue["oldest_ms"]),
            _rate(rates.into(name)),
            _rate(rates.out_of(name)),
            Text("paused", style="yellow") if queue["paused"] else "",
        )


def _workers(reading: Reading) -> Iterable[Row]:
    for worker in reading.workers:
        jobs = worker.get("jobs", [])
        state = Text(worker["state"], style="" if worker["state"] == "active" else "yellow")
        busy = f"{worker['running']}/{worker['threads'] or '?'}"
        heard = _span(worker["heartbeat_age_ms"])
        yield (Text(worker["host"]), state, str(worker["pid"] or ""), busy, heard, *_running(jobs[:1]))
        for job in jobs[1:]:
            yield ("", "", "", "", "", *_running([job]))


def _running(jobs: list[Item]) -> Iterable[RenderableType]:
    for job in jobs:
        ran, limit = job["running_ms"], job["time_limit_ms"]
        is_nearly_over = ran is not None and limit is not None and ran > NEARLY * limit
        yield Text(f"{job['actor']} {job['id']}")
        yield Text(_span(ran), style="bold yellow" if is_nearly_over else "")
        yield _span(limit)


def _throughput(reading: Reading, rates: Rates) -> Iterable[Row]:
    for name, words in COUNTED.items():
        minutes = [minute[name] for minute in reading.minutes]
        now = rates.of(name)
        if now is None and len(minutes) > 1:
            now = minutes[-2]  # the last one that is over
        chart = Text(sparkline(minutes[-CHART_MINUTES:]), style="red" if name == "dead" else "")
        yield (Text(words), _rate(now), chart)


def _failures(reading: Reading) -> Iterable[Row]:
    for each in sorted(reading.failures, key=lambda group: -group["count"]):
        error = each["error"]
        told = f"{error['type']}: {error['message']}" if error else each["reason"]
        yield (
            f"{each['count']:,}",
            Text(each["actor"]),
            Text(first_line(told)),
            _minute(each["last_at"]),
            each["newest"],
        )


def _minute(instant: str) -> str:
    """Month, day, hour and minute of an instant of the service."""
    return instant[5:16].replace("T", " ")


def _table(heads: str, body: Iterable[Row]) -> Table:
    """A table below a blank row.

    Args:
        heads: of the columns; ``>`` behind one says that it holds numbers, ``*`` before one that it takes what room is
            left, and is cut off where there is none.
    """
    made = Table(box=None, expand=True, pad_edge=False, header_style="bold dim", title=" ")
    columns = heads.split()
    for head in columns:
        made.add_column(
            head.strip("*>").replace("-", " "),
            justify="right" if head.endswith(">") else "left",
            ratio=1 if head.startswith("*") else None,
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in body:
        made.add_row(*row)
    return made


def sparkline(numbers: Sequence[int]) -> str:
    """A bar for each number, the highest for the largest of them; nothing for none."""
    most = max(numbers, default=0)
    return "".join(BARS[-(-number * (len(BARS) - 1) // most) if most else 0] for number in numbers)


def _rate(per_minute: float | None) -> str:
    if per_minute is None:
        return "-"
    return f"{per_minute:,.0f}" if per_minute >= 10 else f"{per_minute:.1f}".removesuffix(".0")


def _span(ms: int | None) -> str:
    return "-" if ms is None else duration(ms)
