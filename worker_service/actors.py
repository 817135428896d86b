"""The worker's front door: ``dramatiq worker_service.actors``. Declares the built-in actors, then imports your own."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from . import current_job, registry
from .broker.offered import SERVICE_QUEUE
from .daily import day_before, read_day
from .settings import settings
from .store.canary import Canary
from .tasks.add import add as _add
from .tasks.cleanup_temp import cleanup_temp as _cleanup_temp
from .tasks.fetch_remote import fetch_remote as _fetch_remote
from .tasks.generate_report import Mailing
from .tasks.generate_report import generate_report as _generate_report
from .tasks.mail_template import written
from .tasks.resize_image import Format
from .tasks.resize_image import resize_image as _resize_image
from .tasks.send_email import MailServer
from .tasks.send_email import send_email as _send_email

Recipients = str | Annotated[list[str], Field(min_length=1)]
Pixels = Annotated[int, Field(ge=1, le=10_000)]
Sizes = Annotated[list[tuple[Pixels, Pixels]], Field(min_length=1, max_length=20)]

registry.broker()

add = registry.actor(_add)


@registry.actor(max_attempts=5)  # type: ignore[untyped-decorator]
def fetch_remote(url: str) -> dict[str, Any]:
    """Fetch ``url`` and return its status, type, size in bytes and the first 16 KiB of its text."""
    return _fetch_remote(_files(), url, settings().outbound_allow)


@registry.actor(queue_name="emails")  # type: ignore[untyped-decorator]
def send_email(
    to: Recipients,
    subject: str | None = None,
    text: str | None = None,
    html: str | None = None,
    template: str | None = None,
    values: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Send a mail to one address or to several: a subject and a text, with HTML as its second form, or a template."""
    words = written(settings().mail_templates, subject, text, html, template, values)
    return _send_email(_mail_server(), to, *words, job_id=current_job().id)


@registry.actor(queue_name="reports")  # type: ignore[untyped-decorator]
def resize_image(
    source: str,
    width: Pixels | None = None,
    height: Pixels | None = None,
    format: Format | None = None,  # noqa: A002 - what a request calls it
    sizes: Sizes | None = None,
) -> dict[str, Any]:
    """Make an image, a path below ``files`` in the data directory or a URL, fit into a box, or each of ``sizes``."""
    allowed = settings().outbound_allow
    return _resize_image(_files(), source, width, height, format, sizes, allowed=allowed)


@registry.actor(queue_name="reports")  # type: ignore[untyped-decorator]
def generate_report(day: date | None = None) -> dict[str, Any]:
    """Write what the jobs of a day (UTC, by default the one before) came to, as a page and a table, and mail them."""
    job = current_job()
    found = read_day(registry.broker().store, day or day_before(job.tick or datetime.now(UTC)))
    return _generate_report(_files(), found, Mailing(_mail_server(), settings().report_to, job.id))


@registry.actor(queue_name=SERVICE_QUEUE, max_attempts=1, store_result=False)  # type: ignore[untyped-decorator]
def canary() -> None:
    """A sign that schedules, store and workers do their work; JOBS_CANARY sends one each minute."""
    Canary(registry.broker().store).came_through(current_job().id)


@registry.actor
def cleanup_temp(older_than_hours: Annotated[float, Field(ge=0)] = 24) -> dict[str, int]:
    """Remove temporary files of actors, below ``files`` in the data directory, that are older."""
    return _cleanup_temp(_files(), older_than_hours)


def _files() -> Path:
    return settings().data_dir / "files"


def _mail_server() -> MailServer:
    given = settings()
    return MailServer(
        host=given.smtp_host,
        port=given.smtp_port,
        tls=given.smtp_tls,
        sender=given.smtp_from,
        username=given.smtp_username,
        password=given.smtp_password.get_secret_value() if given.smtp_password else None,
    )


registry.import_own_modules()
