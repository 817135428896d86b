"""What a benchmark found, as tables for people (markdown) and numbers for programs (JSON)."""

import json
import math
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from worker_service.embedded import find_server

from . import charts
from .environments import SHARED_PACKAGES

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parent / "README.md"
UNITS = {"per_second": "jobs per second"}


@dataclass(frozen=True)
class Section:
    """The answer to one question.

    Attributes:
        rows: one per contestant, its name first.
        raw: every single measurement, by contestant.
        charted: the measurement that is drawn, if one is.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    raw: dict[str, Any] = field(default_factory=dict)
    charted: str = ""

    @property
    def slug(self) -> str:
        """The title as a name of a file."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.partition(", 8 at")[0].lower()).strip("-")

    def markdown(self) -> str:
        """The section as a markdown table under its title."""
        lines = [list(self.columns), ["---"] + ["---:"] * (len(self.columns) - 1), *self.rows]
        return f"### {self.title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def spread(values: Sequence[float], form: str = "{:,.0f}") -> str:
    """Median, with the smallest and the largest value."""
    middle, low, high = (
        form.format(value) for value in (statistics.median(values), min(values), max(values))
    )
    return middle if len(values) == 1 else f"{middle} ({low}-{high})"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def surroundings() -> dict[str, str]:
    """Where and with what a run was made."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "server": _version_of(find_server()),
        **{name: version(name) for name in SHARED_PACKAGES},
    }


def write(sections: Sequence[Section], how: str) -> Path:
    """Write results/<date and time>.md and .json; returns the path of the first."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / time.strftime("%Y-%m-%d-%H%M%S.md", time.gmtime())
    around = surroundings()
    path.write_text(page(sections, around, how))
    raw = {"how": how, "surroundings": around, "sections": {s.title: s.raw for s in sections}}
    path.with_suffix(".json").write_text(json.dumps(raw, indent=1) + "\n")
    return path


def page(sections: Sequence[Section], around: dict[str, str], how: str) -> str:
    """All sections, and where they were measured."""
    facts = "; ".join(f"{name} {value}" for name, value in around.items())
    return "\n".join([f"`{how}`: {facts}.\n", *(section.markdown() for section in sections)])


def write_readme(name: str, sections: Sequence[Section], how: str) -> None:
    """Put the answer to a question, and its charts, between the markers of README.md that name the question."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, rest = README.read_text().split(begin)
    after = rest.split(end)[1]
    drawn = "".join(
        f"\n![{section.title}](results/{chart.name})\n" for section in sections if (chart := draw(section))
    )
    README.write_text(f"{before}{begin}\n{page(sections, surroundings(), how)}{drawn}\n{end}{after}")


def draw(section: Section) -> Path | None:
    """Write the chart of a section as results/<title>.svg; None where nothing is drawn."""
    if not section.charted:
        return None
    values = {name: [run[section.charted] for run in runs] for name, runs in section.raw.items()}
    path = RESULTS / f"{section.slug}.svg"
    path.write_text(charts.bars(f"{section.title.partition(',')[0]}, {UNITS[section.charted]}", values))
    return path


def _version_of(server: Path) -> str:
    words = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    return words.split(" sha=")[0]


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.machine()
