"""A mail as it is sent: addresses read strictly, headers that hold what was given and nothing more.

The headers are written here, line by line. ``EmailMessage`` folds them itself, and wrongly (seen with Python 3.11): of
lists of random addresses every fourth came out with a comma encoded, which makes two addresses one.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import NonASCIILocalPartDefect, ObsoleteHeaderDefect
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple

from ..jobs.errors import PermanentError

_ADDRESS_LIMIT = 500
_HARMLESS = (NonASCIILocalPartDefect, ObsoleteHeaderDefect)  # the second one: a period in an unquoted name
_BODY = SMTP.clone(cte_type="7bit")  # not every server takes 8 bits
_NOT_IN_A_LINE = {"Cc", "Cs", "Zl", "Zp"}
_PLAIN_WORDS = re.compile(r"[!-~]{1,60}( [!-~]{1,60})*")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail and its envelope.

    Attributes:
        sender, recipients: plain addresses, each once.
        needs_utf8: whether an address has letters that only a server with SMTPUTF8 (RFC 6531) takes.
    """

    message_id: str
    sender: str
    recipients: list[str]
    needs_utf8: bool
    content: bytes


class Attachment(NamedTuple):
    """A file that goes along; its type as in ``text/csv``."""

    name: str
    type: str
    content: bytes


def compose(
    sender: str,
    to: Sequence[str],
    subject: str,
    text: str,
    html: str | None,
    id: str,
    attachments: Sequence[Attachment] = (),
) -> Mail:
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
    if not _is_line(subject):
        raise PermanentError(f"the subject holds a line break or control character: {subject!r}")
    message_id = f"<{id}@{author.domain}>"
    headers = {
        "From": _with_name(author),
        "To": ",\r\n ".join(map(_with_name, recipients)),
        "Subject": _words(subject),
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": message_id,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    plain = list(dict.fromkeys(each.addr_spec for each in recipients))
    return Mail(
        message_id=message_id,
        sender=author.addr_spec,
        recipients=plain,
        needs_utf8=not all(map(str.isascii, [author.addr_spec, *plain])),
        content=lines.encode() + _body(text, html, attachments),
    )


def _address(text: str) -> Address:
    wrong = f"not a mail address: {text[:_ADDRESS_LIMIT]!r} (one in each entry; give several as a list)"
    if len(text) > _ADDRESS_LIMIT:  # before the parser, whose time grows faster than the text
        raise PermanentError(wrong)
    try:
        header = SMTP.header_factory("To", text)
    except Exception as error:  # the parser stumbles over some texts
        raise PermanentError(wrong) from error
    defects = [each for each in header.defects if not isinstance(each, _HARMLESS)]
    is_one = len(header.addresses) == 1 and header.groups[0].display_name is None
    if defects or not is_one:
        raise PermanentError(wrong)
    found: Address = header.addresses[0]
    is_literal = bool(found.domain) and found.addr_spec in text
    # Looked at again as it was read: encoded words (=?utf-8?q?=00?=) may hide what the text does not show.
    if not (is_literal and _is_line(text) and _is_line(str(found))):
        raise PermanentError(wrong)
    return found


def _with_name(address: Address) -> str:
    if address.display_name.isascii():
        return str(address)
    return f"{_words(address.display_name)} <{address.addr_spec}>"


def _words(text: str) -> str:
    """Words of a header: as they are, or encoded (RFC 2047) where they are more, or could be read as more."""
    is_plain = _PLAIN_WORDS.fullmatch(text) and "=?" not in text
    return Header(text, None if is_plain else "utf-8").encode(linesep="\r\n")


def _body(text: str, html: str | None, attachments: Sequence[Attachment]) -> bytes:
    body = EmailMessage(policy=_BODY)
    try:
        body.set_content(text)
        if html is not None:
            body.add_alternative(html, subtype="html")
        for name, kind, content in attachments:
            maintype, _, subtype = kind.partition("/")
            body.add_attachment(content, maintype, subtype, filename=name)
    except UnicodeEncodeError as error:
        raise PermanentError("the text holds half of a surrogate pair, which is no character") from error
    return body.as_bytes()


def _is_line(text: str) -> bool:
    return not any(unicodedata.category(character) in _NOT_IN_A_LINE for character in text)
