"""The page that shows the OpenAPI document: Swagger UI, which is vendored, so nothing is loaded from elsewhere."""

from flask import Blueprint, Response, make_response, render_template

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Its icons are data: addresses in its style sheet; "Try it out" asks this service."""


def documentation() -> Blueprint:
    """The route of the page."""
    routes = Blueprint("documentation", __name__, template_folder="templates")

    @routes.get("/docs")
    def show() -> Response:
        response = make_response(render_template("documentation.html"))
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return routes
