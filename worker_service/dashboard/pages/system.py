"""The system: the server, who may ask what, and who did what."""

from flask import Blueprint, Response, request

from ..asking import Refused, read
from ..page import page


def add_system(routes: Blueprint) -> None:
    """The routes of the server, of keys, and of the audit log."""

    @routes.get("/ui/system")
    def system() -> Response:
        return page("system.html", server=read("server.show"), stats=read("stats.show"))

    @routes.get("/ui/system/keys")
    def keys() -> Response:
        return page("keys.html", keys=read("keys.index")["items"])

    @routes.get("/ui/system/audit")
    def audit() -> Response:
        asked = {name: request.args.get(name) or None for name in ("who", "what", "refused", "cursor")}
        problem, found = None, None
        try:
            found = read("audit.index", query=asked)
        except Refused as error:
            if error.status != 422:
                raise
            problem = error.problem
        return page("audit.html", 422 if problem else 200, found=found, problem=problem, asked=asked)
