"""Problems as pages: what the HTTP interface tells, for people. Programs that ask for a page are told as ever."""

import json

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from ..api.problems import as_problem
from .asking import Refused
from .page import here, page

AGAIN_SECONDS = 5
_UNAVAILABLE = 503
_KEPT = ("allow", "retry-after", "www-authenticate")


def add_errors(routes: Blueprint) -> None:
    """Answer problems of pages with pages."""

    @routes.get("/ui/<path:rest>")
    def unknown(rest: str) -> Response:
        raise NotFound(f"There is no page {rest!r}.")

    @routes.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return _page(error) if _is_for_people() else _data(error)

    @routes.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        answer = as_problem(error)
        if answer.status_code < 400 or not _is_for_people():
            return answer
        return _page(Refused(json.loads(answer.get_data()), dict(answer.headers)))


def _data(error: Refused) -> Response:
    answer = Response(json.dumps(error.problem), error.status, content_type="application/problem+json")
    return _with_headers(answer, error)


def _is_for_people() -> bool:
    return request.accept_mimetypes.best_match(["application/problem+json", "text/html"]) == "text/html"


def _page(error: Refused) -> Response:
    is_away = error.status == _UNAVAILABLE
    looks_again = AGAIN_SECONDS if is_away and request.method == "GET" else 0
    # what was sent can be asked for nowhere: who signs in goes to where it was sent from
    back = here() if request.method == "GET" else request.form.get("next", "/")
    shown = page("problem.html", error.status, problem=error.problem, looks_again=looks_again, back=back)
    return _with_headers(shown, error)


def _with_headers(answer: Response, error: Refused) -> Response:
    for name, value in error.headers.items():
        if name.lower() in _KEPT:
            answer.headers[name] = value
    return answer
