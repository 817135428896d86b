"""One job: all that is known of it, and what can be done with it."""

import shlex
from typing import Any

from flask import Blueprint, Response, request

from ..asking import read
from ..json_view import json_text
from ..page import page
from ..timeline import OUTCOMES, moments
from ..tracebacks import own_frames

SENT_AGAIN = ("queue", "priority", "max_attempts", "tags", "metadata")
"""Fields that a command line to send the job again repeats, where they say anything."""


def add_job(routes: Blueprint) -> None:
    """The route of the page."""

    @routes.get("/ui/jobs/<path:id>")
    def job(id: str) -> Response:
        found = read("jobs.show", {"id": id})
        return page(
            "job.html",
            job=found,
            explanation=read("explaining.show", {"id": id}),
            log=read("jobs.log", {"id": id})["items"],
            moments=moments(found),
            own_frames=own_frames,
            outcomes=OUTCOMES,
            args=json_text(found["args"], indent=2),
            curl=_curl(found),
        )


def _curl(job: dict[str, Any]) -> str:
    body = {
        "actor": job["actor"],
        "args": job["args"],
        **{name: job[name] for name in SENT_AGAIN if job[name]},
    }
    words = ["curl", "-s", f"{request.url_root.rstrip('/')}/v1/jobs", "-H", "Content-Type: application/json"]
    key = (
        ' -H "Authorization: Bearer $JOBS_KEY"'
        if "Authorization" in request.headers or request.cookies
        else ""
    )
    return f"{shlex.join(words)}{key} -d {shlex.quote(json_text(body))}"
