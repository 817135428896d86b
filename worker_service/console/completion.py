"""``completion``: lets a shell complete commands, options and values.

Names of queues, schedules, workers and actors (of those that live workers know) come straight from the store: the
service, asked in this process, would take longer than people wait for a key. A shell shows whatever is printed in the
middle of a line, so nothing is: what cannot be had in time is not offered.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

if TYPE_CHECKING:
    import redis

    from ..settings import Settings
    from ..store.workers import Worker

PROGRAM = "worker-service"
SECONDS = 1.0
"""How long the store may take."""
MOST_WORKERS = 50
"""Whose actors are offered."""

Read = Callable[["redis.Redis", "Settings"], Iterable[str]]
Complete = Callable[[click.Context, click.Parameter, str], list[str]]


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print a script by which SHELL completes commands, options and names.

    \b
    bash, in ~/.bashrc:  eval "$(worker-service completion bash)"
    zsh, in ~/.zshrc:    eval "$(worker-service completion zsh)"   (after compinit)
    fish, once:          worker-service completion fish > ~/.config/fish/completions/worker-service.fish
    """
    made = get_completion_class(shell)
    assert made is not None
    variable = f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE"
    click.echo(made(click.Command(PROGRAM), {}, PROGRAM, variable).source())


def _named(read: Read) -> Complete:
    """What offers those of some names that begin as the word does."""

    def complete(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
        return sorted({name for name in _in_time(read) if name.startswith(begun)})

    return complete


def _in_time(read: Read) -> list[str]:
    """What ``read`` finds within `SECONDS`; nothing after an error."""
    from ..settings import settings
    from ..store import connect

    found: list[str] = []

    def look() -> None:
        try:
            with connect(settings().redis_url, retries=0, timeout=SECONDS) as client:
                found.extend(read(client, settings()))
        except Exception:  # noqa: BLE001 - whatever it is, a shell is no place to tell
            return

    logging.disable()
    thread = threading.Thread(target=look, daemon=True)  # connecting and looking a name up may take long
    thread.start()
    thread.join(SECONDS)
    return list(found)


def _queues(client: "redis.Redis", settings: "Settings") -> Iterable[str]:
    from ..store import Queries

    return Queries(client, settings.namespace).queues()


def _schedules(client: "redis.Redis", settings: "Settings") -> Iterable[str]:
    from ..store import Schedules

    return Schedules(client, settings.namespace).names()


def _actors(client: "redis.Redis", settings: "Settings") -> Iterable[str]:
    from ..broker.offered import offered

    return offered({name: name for worker in _live(client, settings) for name in worker.actors})


def _workers(client: "redis.Redis", settings: "Settings") -> Iterable[str]:
    return [worker.id for worker in _live(client, settings)]


def _live(client: "redis.Redis", settings: "Settings") -> "list[Worker]":
    from ..store.keys import Keys
    from ..store.workers import Workers

    _, found, _ = Workers(client, Keys(settings.namespace)).newest(MOST_WORKERS)
    return found


queue_name, schedule_name, actor_name, worker_id = map(_named, (_queues, _schedules, _actors, _workers))
