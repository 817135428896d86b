"""What all commands share: how they ask, how they fail, and ``--json``."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from .output import say_json
from .refusals import told

if TYPE_CHECKING:
    from ..client import Client, NoAnswer

as_json = click.option("--json", "json_wanted", is_flag=True, help="Tell it to a program.")

NOT_ASKED = 2
"""Exit code when the store or the settings did not let us ask."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def asks(fn: Callable[..., None]) -> Callable[..., None]:
    """Give a command the service as its first argument, and end it with the exit codes of this package."""

    @wraps(fn)
    def command(**arguments: Any) -> None:
        from ..broken_modules import ActorModuleFailed
        from ..client import ClientError, NoAnswer, Problem
        from ..jobs.errors import StoreTooNew
        from ..settings import WrongSettings
        from .service import service

        try:
            with service() as client:
                fn(client, **arguments)
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except NoAnswer as error:
            _end(_unanswered(error), error)
        except (ActorModuleFailed, StoreTooNew, WrongSettings) as error:
            _end(str(error), error)
        except Problem as error:
            raise click.ClickException(told(error)) from error
        except ClientError as error:
            raise click.ClickException(str(error)) from error

    return command


def answers(say: Callable[[Any], None]) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Print what a command returns: to a program as JSON, to people by ``say``."""

    def decorate(fn: Callable[..., Any]) -> Callable[..., None]:
        @as_json
        @asks
        @wraps(fn)
        def command(client: "Client", json_wanted: bool, **arguments: Any) -> None:
            found = fn(client, **arguments)
            (say_json if json_wanted else say)(found)

        return command

    return decorate


def _end(why: str, error: Exception) -> None:
    """End the command because the service could not be asked."""
    click.echo(f"Error: {why}", err=True)
    raise SystemExit(NOT_ASKED) from error


def _unanswered(error: "NoAnswer") -> str:
    """Why the store did not let us ask and, when it is away, where it was looked for and how that is changed."""
    from ..settings import settings
    from ..store import shown_url

    if error.problem is None:
        return str(error)
    why = told(error.problem)
    if not error.problem.type.endswith(":store-unavailable"):
        return why
    where = f"{why}\nIt was looked for at {shown_url(settings().redis_url)}"
    if "redis_url" in settings().model_fields_set:
        return f"{where} (JOBS_REDIS_URL); `worker-service check redis` tells more."
    return f"{where}: run this where `worker-service up` runs, or set JOBS_REDIS_URL to the address that it prints."


def show(client: "Client", path: str, **query: Any) -> Any:
    """What a GET answers."""
    return client.request(
        "GET", path, query={name: value for name, value in query.items() if value is not None}
    )
