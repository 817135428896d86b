"""What a person has chosen for his browser: light or dark, and whether single keys do something. Kept in a cookie."""

from dataclasses import dataclass

from flask import Blueprint, Request, Response, redirect, request

from ..api.links import inside, link

COOKIE = "worker-service-look"
THEMES = ("system", "light", "dark")
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Look:
    """A choice.

    Attributes:
        theme: one of `THEMES`.
        keys: whether single keys do something.
    """

    theme: str = "system"
    keys: bool = True

    @classmethod
    def of(cls, asked: Request) -> "Look":
        """What the cookie of a request says."""
        theme, _, keys = asked.cookies.get(COOKIE, "").partition(".")
        return cls(theme if theme in THEMES else "system", keys != "nokeys")

    def __str__(self) -> str:
        return f"{self.theme}.{'keys' if self.keys else 'nokeys'}"


def add_look(routes: Blueprint) -> None:
    """The route that keeps a choice."""

    @routes.post("/ui/look")
    def choose() -> Response:
        before = Look.of(request)
        theme, keys = request.form.get("theme", before.theme), request.form.get("keys")
        look = Look(theme if theme in THEMES else before.theme, before.keys if keys is None else keys == "on")
        response = redirect(inside(request.form.get("back", "")), 303)
        response.set_cookie(
            COOKIE,
            str(look),
            max_age=YEAR_SECONDS,
            path=link("/"),
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
        )
        return response  # type: ignore[return-value]
