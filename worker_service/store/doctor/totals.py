"""Counters of actors: as many jobs came as have ended, are lost, or wait or run."""

from itertools import chain

from .look import Look, Says

CHECK = "totals"

MOST_ACTIVE = 5_000
"""Jobs that wait or run, up to which all are counted at one instant: a bound on how long the server is held."""
MOST_ACTORS = 500

SAYS: Says = {
    "too_few_ends": (
        "Of the jobs of actor {subject} that came, {detail} have neither ended nor wait or run.",
        "count them as lost",
    ),
    "too_many_ends": (
        "Of the jobs of actor {subject} that ended, wait or run, {detail} were not counted when they came.",
        "count them as enqueued",
    ),
}


def check_totals(look: Look) -> None:
    """All actors at one instant, when they are few enough and nothing is left to repair: that would be told twice."""
    actors = list(chain.from_iterable(look.names("total")))
    if look.report.repairable:
        look.report.notes.append("Counters were not judged: they can be once the rest is repaired.")
    elif len(actors) > MOST_ACTORS:
        look.report.notes.append(f"Counters were not judged: there are more than {MOST_ACTORS} actors.")
    elif look.examine(CHECK, SAYS, "examine_totals", actors, MOST_ACTIVE) == [1]:
        look.report.notes.append(
            f"Counters were not judged: more than {MOST_ACTIVE:,} jobs wait or run, too many to count at one instant."
        )
