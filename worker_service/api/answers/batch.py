"""What became of many jobs of one request."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from .common import ProblemJson
from .jobs import DuplicateReplayedJson, ReplayedJson


class AcceptedItemJson(TypedDict):
    """A job of a batch that was accepted, or the one that is there for it, in short.

    ``replayed``: the same item came before; this is the job that it made.
    """

    status: Literal[200, 202]
    job: ReplayedJson | DuplicateReplayedJson
    replayed: NotRequired[Literal[True]]


class RefusedItemJson(TypedDict):
    """A job of a batch that was not accepted."""

    status: int
    problem: ProblemJson


class BatchJson(TypedDict):
    """What became of each job of a batch, in order."""

    items: list[AcceptedItemJson | RefusedItemJson]
