"""Writes what the jobs of one day came to, as a page and as a table, and mails both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .files import write_whole
from .mail_message import Attachment
from .report.day import Day
from .report.page import as_html, as_text
from .report.table import as_csv
from .send_email import MailServer, send_email


@dataclass(frozen=True, slots=True)
class Mailing:
    """Who gets the report.

    Attributes:
        to: addresses; none when it is not to be mailed.
        job_id: see `send_email`.
    """

    server: MailServer
    to: Sequence[str]
    job_id: str


def generate_report(files: Path, day: Day, mailing: Mailing) -> dict[str, Any]:
    """Write ``reports/<day>.html`` and ``reports/<day>.csv`` below ``files``; the same day again is the same files.

    Args:
        files: the directory of files.

    Returns:
        The ``html`` and ``csv`` files, relative to ``files``; how many ``actors`` are in them; to whom they were
        ``mailed``.

    Raises:
        PermanentError: the mail is refused for good, see `send_email`; the files are there.
    """
    page, table = as_html(day).encode(), as_csv(day).encode()
    html, csv = f"reports/{day.date}.html", f"reports/{day.date}.csv"
    write_whole(files / html, page)
    write_whole(files / csv, table)
    mailed: list[str] = []
    if mailing.to:
        attached = [
            Attachment(f"jobs-{day.date}.html", "text/html", page),
            Attachment(f"jobs-{day.date}.csv", "text/csv", table),
        ]
        sent = send_email(
            mailing.server,
            mailing.to,
            f"Jobs of {day.date}",
            as_text(day),
            job_id=mailing.job_id,
            attachments=attached,
        )
        mailed = sent["accepted"]
    return {"html": html, "csv": csv, "actors": len(day.actors), "mailed": mailed}
