"""Who may ask: whoever shows a key; without any, programs of this machine. For what: see scopes. See docs/access.md.

==================== =================== ====================================================================
request              without keys        with keys (`JOBS_ADMIN_KEY`, or any in the store)
==================== =================== ====================================================================
what scopes.py opens by anybody          by anybody: it says nothing that is secret
any other            by a loopback name  `Authorization: Bearer`, or the cookie of a browser that has signed in
==================== =================== ====================================================================

A browser sends its cookie by itself, also for a page of somebody else that makes it send a form. So what a browser
marks as sent by another site changes nothing, whatever it shows (as Go's `http.CrossOriginProtection` does); and what
comes with a cookie changes nothing unless the browser marks it as sent by a page of ours.
"""

from functools import lru_cache, partial
from urllib.parse import urlencode, urlsplit

from flask import Flask, Request, Response, g, redirect, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import BadRequest, Forbidden, Unauthorized

from ..jobs.errors import StoreUnavailable
from ..settings import Settings, is_loopback
from .keyring import KeyExpired, Keyring
from .links import link
from .principal import AT_TERMINAL, LOCAL, NOBODY, Principal, at_terminal, current_principal
from .scopes import OPEN, SCOPES

READS = frozenset({"GET", "HEAD"})
SAFE = READS | {"OPTIONS"}
REALM = "worker service"  # with a space: else Werkzeug leaves out the quotes that RFC 9110 asks for


def install(app: Flask, keyring: Keyring, settings: Settings) -> None:
    """Refuse requests of others than those above."""
    cookie = cookie_name(settings)

    def guard() -> "Response | None":
        g.principal = NOBODY
        g.may_go_on = _always
        if person := request.environ.get(AT_TERMINAL):
            g.principal = at_terminal(person)
            return None
        if request.method not in SAFE:
            _refuse_other_sites(request)
        if request.endpoint and SCOPES[request.endpoint] is OPEN:
            return None
        if not keyring.are_demanded():
            _refuse_other_hosts(request)
            g.principal = LOCAL
            g.may_go_on = lambda: not keyring.are_demanded()
            return None
        principal = _by_key(keyring, request) or _by_cookie(keyring, request, cookie)
        if principal is None:
            return _ask_for_key(request)
        g.principal = principal
        g.may_go_on = partial(_is_taken, keyring, _secret(request), request.cookies.get(cookie))
        _refuse_beyond_scope(request)
        return None

    app.before_request(guard)


def check_table(app: Flask) -> None:
    """Whether every operation has a scope, and every scope an operation; called when all routes are there.

    Raises:
        RuntimeError: names those without.
    """
    odd = set(app.view_functions) ^ set(SCOPES)
    if odd:
        raise RuntimeError(f"scopes.py and the routes differ: {', '.join(sorted(odd))}")


def cookie_name(settings: Settings) -> str:
    """Browsers keep the cookies of a host in one place, whatever the port: services differ by their namespace."""
    return f"worker-service-{settings.namespace}"


def _always() -> bool:
    return True


def _is_taken(keyring: Keyring, secret: str | None, cookie: str | None) -> bool:
    """Whether what somebody has shown would still be taken; while Redis is away nobody knows, and he goes on."""
    try:
        owner = keyring.owner_of(secret) if secret is not None else keyring.owner_of_cookie(cookie or "")
    except KeyExpired:
        return False
    except StoreUnavailable:
        return True
    return owner is not None


def _refuse_beyond_scope(request: Request) -> None:
    scope = SCOPES[request.endpoint] if request.endpoint else None
    if scope is not None and not current_principal().may(scope):
        raise Forbidden(f"This key has no scope '{scope}', which this needs.")


def _refuse_other_hosts(request: Request) -> None:
    """A web page whose name was made to point at this machine (DNS rebinding) still sends that name.

    Flask's TRUSTED_HOSTS would do, but cannot name an IPv6 address.
    """
    given = request.environ.get("HTTP_HOST", "")
    if not _is_local(given):
        raise BadRequest(
            f"The host {given!r} is not served: without an admin key only this machine may ask. "
            "JOBS_ADMIN_KEY sets one."
        )


@lru_cache(maxsize=256)
def _is_local(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)


def _refuse_other_sites(request: Request) -> None:
    given = request.environ  # Werkzeug's headers are slow about what is missing
    origin, host = given.get("HTTP_ORIGIN"), given.get("HTTP_HOST", "")
    if origin is not None and origin.partition("://")[2].lower() != host.lower():
        raise Forbidden(
            f"A page of {origin!r} may not change anything at {host!r}. "
            "A proxy in between has to pass the Host header on."
        )
    if given.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        raise Forbidden("A page of another site may not change anything here.")


def _by_key(keyring: Keyring, request: Request) -> Principal | None:
    """Who shows a key.

    Raises:
        Unauthorized: the header holds none.
    """
    secret = _secret(request)
    if secret is None:
        return None
    try:
        principal = keyring.owner_of(secret) if secret else None
    except KeyExpired as error:
        raise _unauthorized(str(error)) from None
    if principal is None:
        raise _unauthorized("Another key is needed: send it as 'Authorization: Bearer KEY'.")
    return principal


def _secret(request: Request) -> str | None:
    """What the header ``Authorization`` shows, '' when that is no key; None without it."""
    given = request.environ.get("HTTP_AUTHORIZATION")
    if given is None:
        return None
    scheme, _, secret = given.partition(" ")  # Werkzeug takes a key with "=" inside for parameters
    return secret.strip() if scheme.lower() == "bearer" else ""


def _by_cookie(keyring: Keyring, request: Request, name: str) -> Principal | None:
    given = request.cookies.get(name)
    principal = keyring.owner_of_cookie(given) if given else None
    is_marked = "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
    if principal is not None and request.method not in SAFE and not is_marked:
        raise Forbidden(
            "With a cookie only a page of ours may change anything, and this request does not say that it is from one "
            "(Origin, Sec-Fetch-Site). Programs send a key as 'Authorization: Bearer KEY'."
        )
    return principal


def _ask_for_key(request: Request) -> Response:
    """Browsers are led to the page where a person can sign in; all others are told."""
    accepted = request.accept_mimetypes.best_match(["application/problem+json", "text/html"])
    if request.method not in READS or accepted != "text/html":
        raise _unauthorized("A key is needed: send it as 'Authorization: Bearer KEY'.")
    here = request.full_path.removesuffix("?")
    return redirect(f"{link('/login')}?{urlencode({'next': here})}", 303)  # type: ignore[return-value]


def _unauthorized(detail: str) -> Unauthorized:
    return Unauthorized(detail, www_authenticate=WWWAuthenticate("bearer", {"realm": REALM}))
