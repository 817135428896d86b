"""Sends a mail over SMTP.

A mail goes to all recipients or to none: when the server refuses one of them for now (4xx), nothing is sent and the
job is retried, because a later attempt for one would reach the others a second time. A recipient refused for good
(5xx) does not keep the mail from the others; the result names him.

At least once: when the connection is lost between the server's taking the mail and its saying so, the next attempt
sends it again, with the same Message-ID.
"""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..jobs.errors import PermanentError
from .mail_message import Attachment, Mail, compose

TIMEOUT_SECONDS = 30.0


class RecipientDelayed(Exception):
    """Raised when the server refuses a recipient for now; nobody got the mail."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in.

    Attributes:
        host: None when there is no mail server.
        tls: ``starttls``, ``tls`` from the first byte, or ``none``. The certificate has to be one that this machine
            trusts; ``SSL_CERT_FILE`` names other authorities.
        sender: the address mails come from.
    """

    host: str | None
    port: int
    tls: Literal["starttls", "tls", "none"]
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def send_email(
    server: MailServer,
    to: str | Sequence[str],
    subject: str,
    text: str,
    html: str | None = None,
    *,
    job_id: str,
    attachments: Sequence[Attachment] = (),
) -> dict[str, Any]:
    """Send a mail.

    Connection trouble and temporary answers (4xx) are raised, to be retried.

    Args:
        to: an address or several, each plain or with a name: ``Ann <ann@example.org>``.
        html: a second form of the text, for those who can see it.
        job_id: becomes the Message-ID, so that a repeat can be recognised.

    Returns:
        ``message_id``, the ``accepted`` addresses, and the ``refused`` ones with the server's words.

    Raises:
        PermanentError: there is no server, or it refuses login, encryption, sender, mail or all recipients for good;
            or an address or the subject is wrong.
        RecipientDelayed: a recipient is refused for now.
    """
    recipients = [to] if isinstance(to, str) else to
    mail = compose(server.sender, recipients, subject, text, html, job_id, attachments)
    if server.host is None:
        raise PermanentError(
            "there is no mail server: set JOBS_SMTP_HOST (`worker-service up` brings one for trying out, "
            "which writes mails to files)"
        )
    try:
        with _connected(server) as smtp:
            refused = _hand_in(smtp, mail)
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPResponseException as error:
        if not _is_final(error.smtp_code):
            raise
        raise PermanentError(
            f"{server.host} answered {_worded(error.smtp_code, error.smtp_error)}"
        ) from error
    except smtplib.SMTPException as error:  # what the server does not offer: STARTTLS, a login, SMTPUTF8
        raise PermanentError(f"{server.host}: {error}") from error
    return {
        "message_id": mail.message_id,
        "accepted": [address for address in mail.recipients if address not in refused],
        "refused": refused,
    }


@contextlib.contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    assert server.host is not None
    context = ssl.create_default_context()
    smtp = (
        smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
        if server.tls == "tls"
        else smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    )
    try:
        if server.tls == "starttls":
            smtp.starttls(context=context)
        smtp.ehlo_or_helo_if_needed()
        if server.username is not None:
            _log_in(smtp, server.username, server.password or "")
        yield smtp
        # The server has the mail: what goes wrong now is no reason to send it again.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            smtp.quit()
    finally:
        smtp.close()


def _log_in(smtp: smtplib.SMTP, username: str, password: str) -> None:
    try:
        smtp.login(username, password)
    except UnicodeEncodeError as error:
        raise PermanentError("name and password of the mail server have to be ASCII") from error


def _hand_in(smtp: smtplib.SMTP, mail: Mail) -> dict[str, str]:
    """One transaction; returns who was refused for good, and the server's words."""
    options = [f"size={len(mail.content)}"] if smtp.has_extn("size") else []
    if mail.needs_utf8:
        if not smtp.has_extn("smtputf8"):
            raise PermanentError(
                "an address has letters that the mail server does not take (it has no SMTPUTF8); "
                "write the domain in its xn-- form"
            )
        options += ["SMTPUTF8", "BODY=8BITMIME"]
    code, words = smtp.mail(mail.sender, options)
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, words, mail.sender)
    replies = {address: smtp.rcpt(address) for address in mail.recipients}
    refused = {address: reply for address, reply in replies.items() if reply[0] not in (250, 251)}
    told = {address: _worded(*reply) for address, reply in refused.items()}
    if not all(_is_final(code) for code, _ in refused.values()):
        raise RecipientDelayed(f"nobody got the mail, as recipients were refused: {told}")
    if len(refused) == len(mail.recipients):
        raise PermanentError(f"all recipients were refused: {told}")
    code, words = smtp.data(mail.content)
    if code != 250:
        raise smtplib.SMTPDataError(code, words)
    return told


def _is_final(code: int) -> bool:
    return 500 <= code < 600


def _worded(code: int, words: bytes | str) -> str:
    return f"{code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}"
