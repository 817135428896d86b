"""The service without a web process: its HTTP interface inside of this process, asked through the client."""

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from ..client import Client


@contextmanager
def service() -> Iterator["Client"]:
    """Asks the service whose store the settings name.

    Raises:
        ActorModuleFailed, WrongSettings: it cannot be asked.
    """
    import httpx2

    from .. import registry
    from ..api.principal import AT_TERMINAL
    from ..client import Client
    from ..settings import settings
    from ..web import create_app

    application = create_app(registry.load(), settings())

    def at_terminal(environ: "WSGIEnvironment", start: "StartResponse") -> Any:
        environ[AT_TERMINAL] = _person()
        return application(environ, start)

    transport = httpx2.WSGITransport(app=at_terminal, raise_app_exceptions=True)
    # One attempt: nothing is between us and the store, whose connection repeats what may be repeated.
    with Client("http://localhost", attempts=1, transport=transport) as client:
        yield client


def _person() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = "somebody"
    return f"{user}@{socket.gethostname()}"
