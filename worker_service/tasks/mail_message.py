"""A mail as it is sent: addresses read strictly, headers that hold what was given and nothing more."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import NonASCIILocalPartDefect
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from ..jobs.errors import PermanentError

_POLICY = SMTP.clone(cte_type="7bit")  # not every server takes 8 bits
_NOT_IN_A_LINE = {"Cc", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail and its envelope.

    Attributes:
        sender, recipients: plain addresses.
        needs_utf8: whether an address has letters that only a server with SMTPUTF8 (RFC 6531) takes.
    """

    message_id: str
    sender: str
    recipients: list[str]
    needs_utf8: bool
    content: bytes


def compose(sender: str, to: Sequence[str], subject: str, text: str, html: str | None, id: str) -> Mail:
    """Write a mail.

    Args:
        sender, to: addresses, each plain or with a name: ``Ann <ann@example.org>``.
        html: a second form of the text.
        id: makes the Message-ID, together with the sender's domain; the same for a repeat.

    Raises:
        PermanentError: an address is wrong or missing, or a header would have more than one line.
    """
    author, recipients = _address(sender), [_address(each) for each in to]
    if not recipients:
        raise PermanentError("a mail needs at least one recipient")
    message = EmailMessage(policy=_POLICY)
    message_id = f"<{id}@{author.domain}>"
    try:
        message["From"] = author
        message["To"] = recipients
        message["Subject"] = subject
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = message_id
        message.set_content(text)
        if html is not None:
            message.add_alternative(html, subtype="html")
        _check_lines(message)
        plain = [author.addr_spec, *(each.addr_spec for each in recipients)]
        needs_utf8 = not all(map(str.isascii, plain))
        content = message.as_bytes(policy=_POLICY.clone(utf8=needs_utf8))
    except ValueError as error:  # a line break in a header, or half a character in the text
        raise PermanentError(f"the mail cannot be written: {error}") from error
    return Mail(message_id, plain[0], list(dict.fromkeys(plain[1:])), needs_utf8, content)


def _address(text: str) -> Address:
    wrong = f"not a mail address: {text!r} (one address in each entry; give several as a list)"
    try:
        header = SMTP.header_factory("To", text)
    except Exception as error:  # the parser stumbles over some texts
        raise PermanentError(wrong) from error
    defects = [each for each in header.defects if not isinstance(each, NonASCIILocalPartDefect)]
    is_one = len(header.addresses) == 1 and header.groups[0].display_name is None
    if defects or not is_one or not header.addresses[0].domain or not _is_line(text):
        raise PermanentError(wrong)
    found: Address = header.addresses[0]
    return found


def _check_lines(message: EmailMessage) -> None:
    """Of the headers as they were read: an encoded word (``=?utf-8?q?=0A?=``) may hide what its text does not show."""
    for name, value in message.items():
        if not _is_line(str(value)):
            raise PermanentError(f"the header {name} would hold a line break or control character")


def _is_line(text: str) -> bool:
    return not any(unicodedata.category(character) in _NOT_IN_A_LINE for character in text)
