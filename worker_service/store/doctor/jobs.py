"""Jobs: each has a record that can be used, a message while it waits, its place, and is in the list of all jobs."""

import json
from typing import Any

from redis.exceptions import ResponseError

from .look import Look, Says

CHECK = "jobs"

SAYS: Says = {
    "lost_record": (
        "Job {subject} has a message, but its record is lost: it would never run, and is shown nowhere.",
        "bury it (dead, damaged_record) with the queue and the actor of its message; it can be put back",
    ),
    "remains": (
        "Job {subject} had ended ({detail}), and its record is lost.",
        "remove what is left of it",
    ),
    "unreadable": (
        "The record of job {subject} is damaged: {detail} is missing or cannot be read.",
        "bury it (dead, damaged_record); one that had ended is marked only",
    ),
    "no_message": (
        "Job {subject} waits, but its message is lost: it cannot run.",
        "bury it (dead, damaged_record), as the next claim would",
    ),
    "unwatched": (
        "The deadline of job {subject} is not among those that are watched.",
        "watch it, so that the job expires in time",
    ),
    "misplaced": (
        "Job {subject} is {detail}, but does not stand where such jobs do.",
        "put it there",
    ),
    "abandoned": (
        "Job {subject} runs in session {detail}, which is gone: nobody would ever rescue it.",
        "let the next rescue take it, charged as a crash, because nobody can tell whether it was to blame",
    ),
    "unregistered": (
        "A job of queue {subject} runs, but the registry does not know that queue: nobody would see it there.",
        "register it",
    ),
    "unlisted": ("Job {subject} is missing in the list of all jobs.", "add it"),
}


def check_jobs(look: Look) -> None:
    """Lost records first: what is made of them is then judged as any other."""
    for ids in look.names("msg"):
        lost = [id for id, exists in zip(ids, _have_record(look, ids), strict=True) if not exists]
        subjects = [part for id in lost for part in (id, *_queue_and_actor(look, id))]
        if subjects:
            look.examine(CHECK, SAYS, "examine_messages", subjects, width=3)
    for ids in look.names("job"):
        look.examine(CHECK, SAYS, "examine_jobs", ids)


def _have_record(look: Look, ids: list[bytes]) -> list[int]:
    with look.client.pipeline(transaction=False) as pipe:
        for id in ids:
            pipe.exists(look.key("job", id))
        found: list[int] = pipe.execute()
    return found


def _queue_and_actor(look: Look, id: bytes) -> tuple[bytes, bytes]:
    """What a message says of its job; nothing for what it does not say, or cannot say."""
    try:
        message: Any = json.loads(look.client.get(look.key("msg", id)) or b"")
    except (ResponseError, ValueError, RecursionError):
        return b"", b""
    return _text(message, "queue_name"), _text(message, "actor_name")


def _text(message: Any, name: str) -> bytes:
    value = message.get(name) if isinstance(message, dict) else None
    return value.encode(errors="replace") if isinstance(value, str) else b""
