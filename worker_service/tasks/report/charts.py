"""Charts without a script: where lines, columns and bars stand. The page draws them, and their numbers as a table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

WIDTH, HEIGHT = 720, 208
LEFT, TOP, BOTTOM = 64, 8, 184
NAMES = 220
"""Where bars begin, right of their names."""
ROW = 24
LONGEST_NAME = 30

_MS_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 120_000, 300_000)

Show = Callable[[float], str]


class Series(NamedTuple):
    """One line, or one part of each column.

    Attributes:
        style: its class in the page.
        values: one for each label; None where there is none.
    """

    name: str
    style: str
    values: Sequence[int | None]


class Rect(NamedTuple):
    """A part of a column."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str


class Point(NamedTuple):
    """A value of a line."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class OverTime:
    """Values over the hours of a day.

    Attributes:
        is_stack: whether series are parts of columns; else each is a line.
        show: a value in words.
    """

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    show: Show
    is_stack: bool = False

    @property
    def top(self) -> int:
        """The upper end of the axis."""
        columns = [
            [value or 0 for value in column]
            for column in zip(*(each.values for each in self.series), strict=True)
        ]
        largest = max((sum(column) if self.is_stack else max(column) for column in columns), default=0)
        return _round_up(largest) if self.is_stack else _round_up_ms(largest)

    @property
    def grid(self) -> list[tuple[float, str]]:
        """Height and words of each line of the grid."""
        halves = (0.0, 1.0) if self.top % 2 else (0.0, 0.5, 1.0)
        return [(self._y(part * self.top), self.show(part * self.top)) for part in halves]

    @property
    def places(self) -> list[tuple[float, str]]:
        """Where labels stand; every third is written."""
        return [(self._x(number), label) for number, label in enumerate(self.labels) if number % 3 == 0]

    @property
    def rects(self) -> Iterator[Rect]:
        """The parts of all columns, from below."""
        width = (WIDTH - LEFT) / len(self.labels) - 4
        for number, label in enumerate(self.labels):
            below = 0
            for each in self.series:
                if value := each.values[number]:
                    y, foot = self._y(below + value), self._y(below)
                    title = f"{label} {each.name}: {self.show(value)}"
                    yield Rect(self._x(number) - width / 2, y, width, foot - y, each.style, title)
                    below += value

    @property
    def lines(self) -> Iterator[tuple[str, list[Point]]]:
        """Style and points of each piece of a line; an hour without a value parts two pieces."""
        for each in self.series:
            numbered = groupby(enumerate(each.values), key=lambda pair: pair[1] is None)
            for is_gap, values in numbered:
                if not is_gap:
                    yield each.style, [self._point(each.name, number, value or 0) for number, value in values]

    def _point(self, name: str, number: int, value: int) -> Point:
        title = f"{self.labels[number]} {name}: {self.show(value)}"
        return Point(self._x(number), self._y(value), title)

    def _x(self, number: int) -> float:
        return round(LEFT + (number + 0.5) * (WIDTH - LEFT) / len(self.labels), 1)

    def _y(self, value: float) -> float:
        return round(BOTTOM - value / self.top * (BOTTOM - TOP), 1)


class Bar(NamedTuple):
    """One name and its value, also in words."""

    name: str
    value: float
    text: str

    @property
    def short(self) -> str:
        """The name, as far as there is room."""
        return self.name if len(self.name) <= LONGEST_NAME else self.name[: LONGEST_NAME - 1] + "…"


@dataclass(frozen=True, slots=True)
class Bars:
    """Names by their values, the largest first.

    Attributes:
        measure: what the value is.
    """

    title: str
    measure: str
    style: str
    bars: Sequence[Bar]

    @property
    def height(self) -> int:
        """Of the whole chart."""
        return ROW * len(self.bars)

    def width_of(self, bar: Bar) -> float:
        """In the chart; the largest leaves room for its words."""
        largest = max(each.value for each in self.bars)
        return round(max(1.0, bar.value / largest * (WIDTH - NAMES - 110)), 1)


def largest(title: str, measure: str, style: str, bars: Sequence[Bar], number: int = 10) -> Bars:
    """A chart of the largest values that are any."""
    ordered = sorted((bar for bar in bars if bar.value > 0), key=lambda bar: (-bar.value, bar.name))
    return Bars(title, measure, style, ordered[:number])


def _round_up(value: int) -> int:
    """The next 1, 2 or 5 with zeros."""
    power = 10 ** (len(str(value)) - 1) if value else 1
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _round_up_ms(value: int) -> int:
    return next((step for step in _MS_STEPS if step >= value), max(600_000, value))
