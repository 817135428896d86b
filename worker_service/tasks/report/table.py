"""The day as a table that spreadsheets open: a line per actor."""

import csv
import io

from .day import Day, Spread

_COUNTS = ("enqueued", "started", "succeeded", "dead", "cancelled", "expired", "retried", "crashed")


def as_csv(day: Day) -> str:
    """Counts, and milliseconds that jobs waited and ran: the mean, and what half and 95 of 100 needed at most."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    columns = [f"{which}_{name}_ms" for name in ("wait", "run") for which in Spread._fields]
    table.writerow(["actor", *_COUNTS, *columns])
    for actor in day.actors:
        table.writerow([actor.name, *(actor[name] for name in _COUNTS), *actor.wait, *actor.run])
    return text.getvalue()
