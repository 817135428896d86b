"""Nothing that a request says is ignored: a parameter or a field that an operation does not know is refused.

What an operation takes it says itself (`documented`), and checks; here is what is the same for those that take nothing.
"""

from flask import Flask, request
from werkzeug.exceptions import UnsupportedMediaType

from ..jobs.errors import InvalidQuery
from .body import json_object_if_any
from .checked import NoFields, checked
from .documented import Document
from .scopes import OPEN, SCOPES


def install(app: Flask) -> None:
    """Check requests before their views do."""

    def refuse() -> None:
        document = getattr(app.view_functions.get(request.endpoint or ""), "document", None)
        if (
            document is None or SCOPES[request.endpoint or ""] is OPEN
        ):  # pages for people; probes, sent by anything
            return
        _refuse_parameters(document)
        _refuse_encoding()
        if document.body is NoFields:
            checked(NoFields, json_object_if_any(request))

    app.before_request(refuse)


def _refuse_parameters(document: Document) -> None:
    if document.query is None and request.args:
        name = next(iter(request.args))
        raise InvalidQuery(
            f"No parameter {name!r}: this takes none.", pointer=f"/query/{name}", code="unknown_parameter"
        )


def _refuse_encoding() -> None:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
