"""Why a request was refused, in the words of who typed a command, and what to do next."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..client import Problem

NEXT = {
    "unknown-job": "To see which there are: worker-service jobs ls",
    "unknown-worker": "To see which live: worker-service workers",
    "unknown-key": "To see which there are: worker-service keys ls",
    "job-finished": "What became of it: worker-service jobs show {id}",
    "store-unfit": "What is wrong with the server: worker-service check redis",
}
"""Last part of a problem's type -> what to do; ``{id}`` is what was typed."""


def told(problem: "Problem") -> str:
    """What is wrong, a line for each wrong thing, and what to do next."""
    lines = [_one(each) for each in problem.errors] or [problem.detail or str(problem)]
    return "\n".join([*lines, *_next(problem)])


def _one(error: dict[str, Any]) -> str:
    name = _typed(error["pointer"])
    return f"{name}: {error['detail']}" if name else str(error["detail"])


def _typed(pointer: str) -> str:
    """The argument or option that a place in the request comes from; where there is none, the place."""
    parts = pointer.strip("/").split("/")
    if len(parts) == 2 and parts[0] in ("args", "query", "filter"):
        field = parts[1]
    elif len(parts) == 1:
        field = parts[0]
    else:
        return pointer
    for parameter in click.get_current_context().command.params:
        if parameter.name == field:
            return (
                parameter.human_readable_name
                if parameter.param_type_name == "argument"
                else parameter.opts[0]
            )
    return field if parts[0] == "args" else pointer


def _next(problem: "Problem") -> Iterator[str]:
    word = problem.type.rpartition(":")[2]
    if word in NEXT:
        typed = click.get_current_context().params
        yield NEXT[word].format(id=typed.get("id") or next(iter(typed.get("ids") or ()), ""))
    if word == "unknown-actor" or any(each["code"] == "unknown_actor" for each in problem.errors):
        yield _where_actors_come_from()


def _where_actors_come_from() -> str:
    from ..settings import settings

    named = ",".join(settings().actor_modules)
    return f"Actors of your own are known where JOBS_ACTOR_MODULES names their modules; here it is {named or 'empty'}."
