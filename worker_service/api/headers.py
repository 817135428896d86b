"""What every answer tells browsers about itself: to run nothing of others, to be shown in no
other page, to be kept by nobody.

A view that has something else to say says it first; here is only added what it left out.
"""

from flask import Flask, Response

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Of pages: scripts and styles are files of this service, and none stands in a page."""

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OF_PAGES = {
    "Content-Security-Policy": PAGE_POLICY,
    # Not no-referrer: browsers would send forms with "Origin: null", as if from another site.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
OF_DATA = {"Content-Security-Policy": DATA_POLICY, "Referrer-Policy": "no-referrer"}


def install(app: Flask) -> None:
    """Add them to every answer of an application."""
    app.after_request(_with_headers)


def _with_headers(response: Response) -> Response:
    given = {name.lower() for name, _ in response.headers}
    # What has an entity tag may be asked for again, but never given to anybody else.
    caching = {"Cache-Control": "private, no-cache" if "etag" in given else "no-store"}
    for headers in (ALWAYS, OF_PAGES if response.mimetype == "text/html" else OF_DATA, caching):
        for name, value in headers.items():
            if name.lower() not in given:
                response.headers.add(name, value)
    return response
