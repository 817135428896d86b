"""The pages. They only read; nothing on them runs in the browser but CSS."""

from collections.abc import Callable

from flask import Blueprint, Response, make_response, render_template, request

from ..broker.broker import JobBroker
from ..jobs.errors import StoreUnavailable
from ..store.overview import Overviews
from . import spans, wording

NEWEST_JOBS = 20
REFRESH_SECONDS = 5

FILTERS: tuple[Callable[..., object], ...] = (
    wording.duration,
    wording.rfc_3339,
    wording.clock,
    wording.first_line,
    spans.waited_ms,
    spans.ran_ms,
)


def dashboard(broker: JobBroker) -> Blueprint:
    """The routes of the pages and of what they load."""
    routes = Blueprint("dashboard", __name__, template_folder="templates", static_folder="static")
    readings = Overviews(broker.store.client, broker.store.namespace)

    @routes.get("/")
    def overview() -> Response:
        page = render_template(
            "overview.html",
            overview=readings.read(),
            jobs=broker.listing.page(NEWEST_JOBS, brief=True).jobs,
            refresh=0 if request.args.get("refresh") == "0" else REFRESH_SECONDS,
            namespace=broker.store.namespace,
            address=request.url_root.rstrip("/"),
        )
        return make_response(page)

    @routes.errorhandler(StoreUnavailable)
    def away(error: StoreUnavailable) -> Response:
        response = make_response(render_template("away.html", refresh=REFRESH_SECONDS, error=error), 503)
        response.headers["Retry-After"] = str(REFRESH_SECONDS)
        return response

    for each in FILTERS:
        routes.add_app_template_filter(each)
    return routes
