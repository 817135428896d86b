"""People sign in with a key, or with the one-time link that `worker-service up` prints, and out again.

A link is opened by mail scanners and previews too, so opening it shows a button, and only that signs in.
"""

import secrets

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from ..settings import Settings
from .access import cookie_name
from .keyring import KeyExpired, Keyring
from .links import inside, link
from .principal import NOBODY, current_principal

LASTS_MS = 12 * 3600 * 1000
FORM_LIMIT = 16 * 1024


def login(keyring: Keyring, settings: Settings) -> Blueprint:
    """The routes that sign browsers in and out."""
    routes = Blueprint("login", __name__)
    name = cookie_name(settings)

    @routes.get("/login")
    def form() -> Response:
        if not keyring.are_demanded():
            return _seen(link("/"))
        return _page(request.args.get("code", ""), request.args.get("next", ""))

    @routes.post("/login")
    def enter() -> Response:
        key, code, following = _read_form("key", "code", "next")
        cookie = secrets.token_urlsafe(32)
        try:
            entry = keyring.login_with_code(cookie) if code else keyring.login_with_key(key, cookie)
        except KeyExpired as error:
            return _page("", following, str(error))
        if entry is None:
            return _page("", following, "This is no key.")
        if not keyring.logins.open(cookie, entry, LASTS_MS, code=code):
            return _page("", following, "This link was used before, or is too old. A key will do.")
        g.principal = keyring.owner_of_cookie(cookie) or NOBODY  # for the audit log
        return _with_cookie(_seen(inside(following)), name, cookie)

    @routes.post("/logout")
    def leave() -> Response:
        if cookie := request.cookies.get(name):
            keyring.logins.close(cookie)
            keyring.forget()
        response = _seen(link("/login"))
        response.delete_cookie(
            name, path=link("/"), secure=request.is_secure, httponly=True, samesite="Strict"
        )
        return response

    @routes.app_context_processor
    def who() -> dict[str, object]:
        """For templates: who is signed in, None where nobody has to be."""
        return {"signed_in": current_principal().name if name in request.cookies else None}

    return routes


def _page(code: str, following: str, problem: str = "") -> Response:
    page = render_template("login.html", code=code, next=following, problem=problem)
    return make_response(page, 401 if problem else 200)


def _seen(address: str) -> Response:
    return make_response(redirect(address, 303))


def _with_cookie(response: Response, name: str, cookie: str) -> Response:
    response.set_cookie(
        name,
        cookie,
        max_age=LASTS_MS // 1000,
        path=link("/"),
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return response


def _read_form(*names: str) -> tuple[str, ...]:
    if (request.content_length or 0) > FORM_LIMIT:
        raise RequestEntityTooLarge(f"The form has more than {FORM_LIMIT} bytes.")
    request.max_content_length = FORM_LIMIT
    return tuple(request.form.get(name, "").strip() for name in names)
