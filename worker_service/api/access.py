"""Who may ask: whoever shows the admin key; without one, programs of this machine. For what: see scopes.

==================== =================== ====================================================
request              without a key       with one (`JOBS_ADMIN_KEY`)
==================== =================== ====================================================
`/livez`, `/readyz`  by a loopback name  open to all: they say nothing that is secret
GET, HEAD            by a loopback name  `Authorization: Bearer`, or Basic for a browser
any other            by a loopback name  `Authorization: Bearer`
==================== =================== ====================================================

A browser repeats a password by itself, also for a page of somebody else that makes it send a form; so Basic reads
and never changes anything. What a browser marks as sent by another site is refused in any case (as Go's
`http.CrossOriginProtection` does).
"""

import hmac
from urllib.parse import urlsplit

from flask import Flask, Request, g, request
from pydantic import SecretStr
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import BadRequest, Forbidden, Unauthorized

from ..settings import Settings, is_loopback
from .principal import AT_TERMINAL, FIRST_ADMIN, LOCAL, at_terminal, current_principal
from .scopes import SCOPES

OPEN = frozenset({"/livez", "/readyz"})
READS = frozenset({"GET", "HEAD"})
SAFE = READS | {"OPTIONS"}
REALM = "worker service"  # with a space: else Werkzeug leaves out the quotes that RFC 9110 asks for


def install(app: Flask, settings: Settings) -> None:
    """Refuse requests of others than those above."""
    key = settings.admin_key

    def refuse() -> None:
        if person := request.environ.get(AT_TERMINAL):
            g.principal = at_terminal(person)
            return
        if key is None:
            _refuse_other_hosts(request)
        if request.method not in SAFE:
            _refuse_other_sites(request)
        g.principal = LOCAL if key is None else FIRST_ADMIN
        if key is not None and request.path not in OPEN:
            _refuse_without(key, request)
        _refuse_beyond_scope(request)

    app.before_request(refuse)


def check_table(app: Flask) -> None:
    """Whether every operation has a scope, and every scope an operation; called when all routes are there.

    Raises:
        RuntimeError: names those without.
    """
    odd = set(app.view_functions) ^ set(SCOPES)
    if odd:
        raise RuntimeError(f"scopes.py and the routes differ: {', '.join(sorted(odd))}")


def _refuse_beyond_scope(request: Request) -> None:
    scope = SCOPES[request.endpoint] if request.endpoint else None
    if scope is not None and not current_principal().may(scope):
        raise Forbidden(f"This key has no scope '{scope}', which this needs.")


def _refuse_other_hosts(request: Request) -> None:
    """A web page whose name was made to point at this machine (DNS rebinding) still sends that name.

    Flask's TRUSTED_HOSTS would do, but cannot name an IPv6 address.
    """
    given = request.headers.get("Host", "")
    try:
        name = urlsplit(f"//{given}").hostname
    except ValueError:
        name = None
    if name is None or not is_loopback(name):
        raise BadRequest(
            f"The host {given!r} is not served: without an admin key only this machine may ask. "
            "JOBS_ADMIN_KEY sets one."
        )


def _refuse_other_sites(request: Request) -> None:
    origin, host = request.headers.get("Origin"), request.headers.get("Host", "")
    if origin is not None and origin.partition("://")[2].lower() != host.lower():
        raise Forbidden(
            f"A page of {origin!r} may not change anything at {host!r}. "
            "A proxy in between has to pass the Host header on."
        )
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Forbidden("A page of another site may not change anything here.")


def _refuse_without(key: SecretStr, request: Request) -> None:
    given = _given_key(request)
    if given is not None and hmac.compare_digest(given.encode(), key.get_secret_value().encode()):
        return
    schemes = ("bearer", "basic") if request.method in READS else ("bearer",)
    ways = [WWWAuthenticate(scheme, {"realm": REALM}) for scheme in schemes]
    problem = "Another key is needed" if given is not None else "A key is needed"
    raise Unauthorized(f"{problem}: send it as 'Authorization: Bearer KEY'.", www_authenticate=ways)


def _given_key(request: Request) -> str | None:
    """Bearer is read here, because Werkzeug takes a key with ``=`` inside for parameters."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic" and request.method in READS and request.authorization is not None:
        return request.authorization.password
    return None
