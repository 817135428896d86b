"""Who may ask: without API keys, programs of this machine."""

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import BadRequest

from ..settings import is_loopback


def install(app: Flask) -> None:
    """Refuse requests for another host.

    A web page whose name was made to point at this machine (DNS rebinding) still sends that name. Flask's
    TRUSTED_HOSTS would do, but cannot name an IPv6 address.
    """
    app.before_request(_refuse_other_hosts)


def _refuse_other_hosts() -> None:
    given = request.headers.get("Host", "")
    try:
        name = urlsplit(f"//{given}").hostname
    except ValueError:
        name = None
    if name is None or not is_loopback(name):
        raise BadRequest(f"The host {given!r} is not served: without API keys only this machine may ask.")
