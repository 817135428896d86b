"""What is asked of lua/submit.lua, and many calls of it of which the server does one while the next is made."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from redis.exceptions import ConnectionError as LostConnection
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
    submit: Callable[[Sequence[NewJob]], list[Submitted]],
    *,
    is_durable: bool,
) -> Iterator[SliceEnded]:
    """Create the jobs of each slice; one slice is sent before the reply to the one before is read.

    A thread that sends would do the same at first sight, but waits for the interpreter after each step while this
    one makes the next slice.

    Args:
        scripts: knows the command.
        line: for slices behind the first one.
        submit: for the first slice, so that the server knows the script; and for those whose reply was lost.
        is_durable: whether all has to be written over this line. Otherwise it is given back in the end.

    Raises:
        StoreUnavailable: of a durable one: the connection was lost.
    """
    turns = iter(slices)
    unanswered: deque[Sequence[NewJob]] = deque()
    try:
        for first in islice(turns, 1):
            unanswered.append(first)
            yield submit(first)
            unanswered.popleft()
        yield from _ahead(scripts, line, turns, unanswered)
    except (StoreUnavailable, NoScriptError) as error:
        line.drop()
        if is_durable and isinstance(error, NoScriptError):
            raise StoreUnavailable("Redis has lost its scripts; send the same again.") from error
        if is_durable:
            raise
        yield from _in_turn(submit, chain(tuple(unanswered), turns), error)
    finally:
        if unanswered:
            line.drop()  # replies are on their way that nobody waits for
        elif not is_durable:
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
    submit: Callable[[Sequence[NewJob]], list[Submitted]],
    turns: Iterator[Sequence[NewJob]],
    error: StoreUnavailable | NoScriptError,
) -> Iterator[SliceEnded]:
    """After an error: once more if the connection was lost, but not if nothing was heard for long."""
    lost = error if isinstance(error, StoreUnavailable) and not _is_lost_connection(error) else None
    for some in turns:
        if lost is None:
            try:
                yield submit(some)
                continue
            except StoreUnavailable as again:
                lost = again
        yield [lost] * len(some)  # at once: not each of them waits for Redis


def _is_lost_connection(error: StoreUnavailable) -> bool:
    return isinstance(error.__cause__, LostConnection)
