"""Every page, and where it is found: a page that is added is added here."""

from collections.abc import Callable
from urllib.parse import quote

from tests.browser.hostile import NAME
from tests.up.service import RunningService


def job_page(service: RunningService, query: str) -> str:
    """The page of the newest job that a query finds."""
    return "/ui/jobs/" + str(service.http.get(f"/v1/jobs?{query}").json()["items"][0]["id"])


PAGES: dict[str, Callable[[RunningService], str]] = {
    "overview": lambda _: "/",
    "jobs": lambda _: "/ui/jobs",
    "jobs-dead": lambda _: "/ui/jobs?filter=state:dead",
    "jobs-wrong": lambda _: "/ui/jobs?filter=nope:<b>",
    "job-strange": lambda _: f"/ui/jobs/{quote(NAME)}",
    "job-dead": lambda service: job_page(service, "state=dead&actor=fail"),
    "job-done": lambda service: job_page(service, "state=succeeded&actor=order"),
    "job-large": lambda service: job_page(service, "state=succeeded&q=deep"),
    "retry": lambda _: "/ui/do/retry-jobs?which=all&filter=state:dead&next=/",
    "failures": lambda _: "/ui/failures",
    "queues": lambda _: "/ui/queues",
    "schedules": lambda _: "/ui/schedules",
    "schedule": lambda _: "/ui/schedules/every-minute",
    "schedule-new": lambda _: "/ui/do/create-schedule?actor=order&next=/",
    "schedule-edit": lambda _: "/ui/do/edit-schedule?name=every-minute&next=/",
    "workers": lambda _: "/ui/workers",
    "actors": lambda _: "/ui/actors",
    "actor": lambda _: "/ui/actors/order",
    "system": lambda _: "/ui/system",
    "keys": lambda _: "/ui/system/keys",
    "audit": lambda _: "/ui/system/audit",
    "question": lambda _: f"/ui/do/purge-queue?queue={quote(NAME)}&next=/",
    "problem": lambda _: "/ui/nope",
}
