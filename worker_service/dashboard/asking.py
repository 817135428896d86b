"""Asks the HTTP interface from inside: pages show and do what it answers, so that no rule is written twice.

A question is a request of its own, with the cookie or the key of whoever looks at the page: scopes, checks, the audit
log and the problems are those of the interface. It names the endpoint and not a path, so that no name of a queue leads
anywhere else.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from flask import Flask, Response, current_app, request

from ..api.principal import AT_TERMINAL
from ..api.problems import request_id
from ..jobs.compact import compact

_KEPT = (
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "REMOTE_ADDR",
    "HTTP_HOST",
    "HTTP_COOKIE",
    "HTTP_AUTHORIZATION",
    "HTTP_ORIGIN",
    "HTTP_SEC_FETCH_SITE",
    "wsgi.version",
    "wsgi.url_scheme",
    "wsgi.errors",
    "wsgi.multithread",
    "wsgi.multiprocess",
    "wsgi.run_once",
    AT_TERMINAL,
)
"""Of the request for the page: who asks, from where, and what his browser says of it."""


class Refused(Exception):
    """The interface answered with a problem.

    Attributes:
        problem: see `api.answers.ProblemJson`.
        headers: of the answer, such as ``Retry-After``.
    """

    def __init__(self, problem: dict[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(problem["detail"])
        self.problem = problem
        self.headers = headers

    @property
    def status(self) -> int:
        """Of the answer."""
        return int(self.problem["status"])


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is no problem.

    Attributes:
        json: its body, None when it has none.
        headers: of it.
    """

    json: Any
    headers: Mapping[str, str]


def read(
    endpoint: str, places: Mapping[str, str] | None = None, *, query: Mapping[str, Any] | None = None
) -> Any:
    """The JSON that an endpoint answers; see `ask`."""
    return ask(endpoint, places, query=query).json


def ask(
    endpoint: str,
    places: Mapping[str, str] | None = None,
    *,
    query: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Ask an endpoint of the interface.

    Args:
        endpoint: as in `api.scopes.SCOPES`.
        places: what stands in the path.
        query: parameters; those that are None are left out.
        body: a JSON object.
        headers: further ones.

    Raises:
        Refused: the answer is a problem.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    rule = next(each for each in app.url_map.iter_rules(endpoint) if each.rule.startswith("/v1/"))
    method = min((rule.methods or set()) - {"HEAD", "OPTIONS"})
    path = unquote(app.url_map.bind("localhost").build(endpoint, dict(places or {}), method))
    environ = _environ(method, path, query or {}, body, headers or {})
    with app.app_context(), app.request_context(environ) as asked:  # with a `g` of its own
        asked.request.url_rule, asked.request.view_args = rule, dict(places or {})
        asked.request.routing_exception = None
        answer = app.full_dispatch_request()
        return _read(answer)


def _read(answer: Response) -> Reply:
    found: Any = answer.get_json(silent=True) if answer.get_data() else None
    if answer.status_code >= 400:
        raise Refused(found, dict(answer.headers))
    return Reply(found, dict(answer.headers))


def _environ(
    method: str,
    path: str,
    query: Mapping[str, Any],
    body: Mapping[str, Any] | None,
    headers: Mapping[str, str],
) -> dict[str, Any]:
    outer = request.environ
    text = b"" if body is None else compact(body)
    return {
        **{name: outer[name] for name in _KEPT if name in outer},
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        "HTTP_X_REQUEST_ID": request_id(),
        "REQUEST_METHOD": method,
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": urlencode({name: value for name, value in query.items() if value is not None}),
        "CONTENT_TYPE": "" if body is None else "application/json",
        "CONTENT_LENGTH": str(len(text)),
        "wsgi.input": io.BytesIO(text),
    }
