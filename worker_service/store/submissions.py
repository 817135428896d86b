"""What is asked of lua/submit.lua, and many calls of it of which the server does one while the next is made."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from redis.exceptions import NoScriptError

from ..jobs.errors import StoreUnavailable
from .connection import translated
from .line import Line
from .records import NewJob, Submitted
from .scripts import Scripts

SliceEnded = Sequence[Submitted] | Sequence[StoreUnavailable]
"""What became of the jobs of a slice; errors where Redis went away, and nobody knows."""


def arguments(jobs: Sequence[NewJob], *, all_or_none: bool = False, now_ms: int | None = None) -> list[Any]:
    """The values of the script; see `Store.submit`."""
    values: list[Any] = ["" if now_ms is None else now_ms, int(all_or_none), len(jobs)]
    for job in jobs:
        values += job.idempotency.arguments() if job.idempotency else ("", "", "")
        values += job.arguments()
    return values


def answer(replies: list[Any]) -> list[Submitted]:
    """What the script's reply says."""
    return [
        Submitted(word.decode(), created_at, *(text.decode() for text in about))
        for word, created_at, *about in replies
    ]


def submit_each(
    scripts: Scripts,
    line: Line,
    slices: Iterable[Sequence[NewJob]],
    again: Callable[[Sequence[NewJob]], list[Submitted]] | None = None,
) -> Iterator[SliceEnded]:
    """Create the jobs of each slice; one slice is sent before the reply to the one before is read.

    A thread that sends would do the same at first sight, but waits for the interpreter after each step while this
    one makes the next slice.

    Args:
        line: given back in the end, unless `again` is None.
        again: how a slice is sent whose reply was lost, and those behind it; None when that is not to be done.

    Raises:
        StoreUnavailable: the connection was lost, and there is no ``again``.
    """
    turns = iter(slices)
    unanswered: deque[Sequence[NewJob]] = deque()
    try:
        yield from _ahead(scripts, line, turns, unanswered)
    except (StoreUnavailable, NoScriptError) as error:
        line.drop()
        if again is None:
            raise StoreUnavailable(f"The connection was lost: {error}") from error
        yield from _in_turn(again, chain(tuple(unanswered), turns))
    finally:
        if unanswered:
            line.drop()  # replies are on their way that nobody waits for
        elif again is not None:
            line.release()


def _ahead(
    scripts: Scripts,
    line: Line,
    turns: Iterator[Sequence[NewJob]],
    unanswered: "deque[Sequence[NewJob]]",
) -> Iterator[SliceEnded]:
    with translated():
        for some in turns:
            unanswered.append(some)
            line.send(*scripts.command("submit", *arguments(some)))
            if len(unanswered) > 1:
                yield answer(line.reply())
                unanswered.popleft()
        while unanswered:
            yield answer(line.reply())
            unanswered.popleft()


def _in_turn(
    submit: Callable[[Sequence[NewJob]], list[Submitted]], turns: Iterator[Sequence[NewJob]]
) -> Iterator[SliceEnded]:
    lost: StoreUnavailable | None = None
    for some in turns:
        if lost is None:
            try:
                yield submit(some)
                continue
            except StoreUnavailable as error:
                lost = error
        yield [lost] * len(some)  # at once: not each of them waits for Redis
