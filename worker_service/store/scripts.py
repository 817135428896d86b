"""Loads lua/<verb>.lua, prepends the libraries its header names, and runs it by its hash."""

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import redis
from redis.exceptions import NoScriptError

from .connection import translated

_LUA = files(__package__) / "lua"
_USES = re.compile(r"^-- Uses: (.+)$", re.MULTILINE)

VERBS = (
    "submit",
    "put_schedule",
    "declare_schedule",
    "remove_schedule",
    "pause_schedule",
    "resume_schedule",
    "fire",
    "miss",
    "hinder_schedule",
    "lead",
    "open_session",
    "claim",
    "extend",
    "progress",
    "log",
    "begin_step",
    "end_step",
    "settle_step",
    "finish",
    "close_session",
    "rescue",
    "cancel",
    "purge",
    "run_now",
    "tell_worker",
    "replay",
    "replay_as",
    "delete",
    "pause",
    "resume",
    "limit",
    "spend",
    "expire",
    "prune",
    "begin_roll_up",
    "roll_up",
    "add_key",
    "use_key",
    "rotate_key",
    "revoke_key",
    "open_login",
    "begin_audit",
    "end_audit",
    "group_failures",
    "peek",
    "is_claimable",
    "examine_types",
    "examine_numbers",
    "examine_schedules",
    "examine_counters",
    "examine_messages",
    "examine_jobs",
    "examine_places",
    "examine_sessions",
    "examine_belongings",
    "examine_tags",
    "examine_queues",
    "examine_members",
    "examine_groups",
    "examine_holders",
    "examine_locks",
    "examine_totals",
)


@cache
def source(verb: str) -> str:
    """The whole text of a script: its libraries in the order of its header, then itself."""
    body = (_LUA / f"{verb}.lua").read_text()
    found = _USES.search(body)
    libraries = found.group(1).split() if found else []
    parts = [(_LUA / "lib" / f"{name}.lua").read_text() for name in libraries]
    return "\n".join([*parts, body])


@cache
def _hash(verb: str) -> str:
    return hashlib.sha1(source(verb).encode()).hexdigest()


@cache
def _verbs() -> dict[str, str]:
    return {_hash(verb): verb for verb in VERBS}


def verb_of(command: Sequence[Any]) -> str | None:
    """Which script a command runs, if it runs one by its hash."""
    return _verbs().get(command[1]) if command[0] == "EVALSHA" else None


class Scripts:
    """The scripts of one namespace.

    Args:
        execute: sends a command that may be repeated: a client's, or that of a `Line`.
        prefix: the namespace prefix, the only key they are given; see lua/lib/keys.lua.
    """

    def __init__(self, execute: Callable[..., Any], prefix: str) -> None:
        self._execute = execute
        self._prefix = prefix

    def command(self, verb: str, *args: Any) -> tuple[Any, ...]:
        """What runs a script that the server knows already."""
        return ("EVALSHA", _hash(verb), 1, self._prefix, *args)

    def run(self, verb: str, *args: Any) -> Any:
        """Run one script with ``args`` as ARGV.

        Raises:
            StoreUnavailable: Redis is away for now; whether the script ran is unknown, so repeat the same call.
        """
        with translated():
            try:
                return self._execute(*self.command(verb, *args))
            except NoScriptError:
                return self._execute("EVAL", source(verb), 1, self._prefix, *args)

    def run_all(self, client: redis.Redis, verb: str, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Run one script some times in one round trip; what one of them raises stands in the place of its reply.

        Raises:
            StoreUnavailable: Redis is away for now; whether any of them ran is unknown, so repeat the same calls.
        """
        with translated():
            replies = self._pipelined(client, verb, calls)
            if any(isinstance(reply, NoScriptError) for reply in replies):
                client.script_load(source(verb))
                replies = self._pipelined(client, verb, calls)
        return [_translated(reply) for reply in replies]

    def _pipelined(self, client: redis.Redis, verb: str, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        with client.pipeline(transaction=False) as pipe:
            for args in calls:
                pipe.execute_command(*self.command(verb, *args))
            replies: list[Any] = pipe.execute(raise_on_error=False)
        return replies


def _translated(reply: Any) -> Any:
    if not isinstance(reply, Exception):
        return reply
    try:
        with translated():
            raise reply
    except Exception as error:  # noqa: BLE001 - whatever it is, it is returned
        return error
