"""Are jobs worked off as fast behind a million that wait as behind ten thousand?

    python -m benchmarks --only backlog

The time that a worker takes for the first 8,000 no-op jobs of a queue that holds 10,000, and of one that holds a
million, in alternating rounds. "Kept" is the ratio within a round.

Not shown: other systems; what they do depends on the list or sorted set of Redis in the same way.
"""

from .contestants import Contestant, settings_of_ours
from .report import Section, spread
from .stage import START_SECONDS, stage

FEW, MANY, COUNTED = 10_000, 1_000_000, 8_000


def measure(rounds: int, quick: bool) -> list[Section]:
    """A million jobs take a minute to send; three rounds at most."""
    many = 100_000 if quick else MANY
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(min(rounds, 3)):
        for one in settings_of_ours():
            run = {"few": _rate(one, FEW), "many": _rate(one, many)}
            found.setdefault(one.name, []).append(run)
            print(f"  {one.name}: {run}", flush=True)
    return [
        Section(
            f"Backlog: the first {COUNTED:,} of {FEW:,} and of {many:,} waiting jobs",
            ["", f"jobs/s of {FEW:,}", f"jobs/s of {many:,}", "kept"],
            [
                [
                    name,
                    spread([run["few"] for run in runs]),
                    spread([run["many"] for run in runs]),
                    spread([run["many"] / run["few"] for run in runs], "{:.2f}"),
                ]
                for name, runs in found.items()
            ],
            found,
        )
    ]


def _rate(one: Contestant, waiting: int) -> float:
    with stage(one) as there:
        there.produce("fill", "stamp", waiting, 0)
        with there.workers():
            begin = there.wait(lambda: there.count_stamps() > 0, START_SECONDS, "the start")
            early = there.count_stamps()
            end = there.wait(lambda: there.count_stamps() >= COUNTED, START_SECONDS, f"{COUNTED} jobs")
            return (there.count_stamps() - early) / (end - begin)
