"""What was just done, told once by the page that is shown next."""

from urllib.parse import quote, unquote

from flask import Response, request

from ..api.links import link

COOKIE = "worker-service-notice"
SECONDS = 30
MOST_CHARACTERS = 300


def leave_notice(response: Response, text: str) -> None:
    """Have the next page tell it."""
    response.set_cookie(
        COOKIE,
        quote(text[:MOST_CHARACTERS]),
        max_age=SECONDS,
        path=link("/"),
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )


def notice() -> str:
    """What the page that is asked for has to tell; '' for nothing."""
    return unquote(request.cookies.get(COOKIE, ""))[:MOST_CHARACTERS]


def forget_notice(response: Response) -> None:
    """It was told."""
    if COOKIE in request.cookies:
        response.delete_cookie(
            COOKIE, path=link("/"), secure=request.is_secure, httponly=True, samesite="Strict"
        )
