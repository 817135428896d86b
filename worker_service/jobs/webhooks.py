"""Who wants to be told of the end of a job, and how what he is told is signed.

Source: Standard Webhooks, version 1.0.0 (github.com/standard-webhooks/standard-webhooks).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .validation import read_option

Event = Literal["succeeded", "dead", "cancelled"]
EVENTS: tuple[Event, ...] = ("succeeded", "dead", "cancelled")

URL_LIMIT = 2048
_VISIBLE = re.compile(r"[!#-;=?-\[\]_a-z~%]+")
"""What a URL may consist of (RFC 3986): ASCII, without quotes, blanks, angles, backslashes, braces and carets."""


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("Use an address that begins with https:// or http://.")
    if not _VISIBLE.fullmatch(text):
        raise ValueError("Use the characters of a URL only; write others as %XX, and host names in punycode.")
    try:
        parts = urlsplit(text)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ValueError(f"The address cannot be read: {error}.") from None
    if not is_whole:
        raise ValueError("The address names no host, or no port of one.")
    if parts.username is not None or parts.fragment:
        raise ValueError(
            "Leave out user name, password and fragment: deliveries are known by their signature."
        )
    return text


def _each_once(events: list[Event]) -> list[Event]:
    if len(set(events)) < len(events):
        raise ValueError("Name each event once.")
    return events


Url = Annotated[str, Field(min_length=1, max_length=URL_LIMIT), AfterValidator(_url)]


class Webhook(BaseModel):
    """The field ``webhook`` of a request, and the option of a message.

    Attributes:
        url: where deliveries are sent.
        events: the ends that are told of; by default all of these.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Url
    events: Annotated[list[Event], AfterValidator(_each_once)] = Field(
        default_factory=lambda: list(EVENTS), min_length=1
    )


def read_webhook(given: Any) -> Webhook:
    """Check what a message says.

    Args:
        given: a `Webhook`, or a dictionary of its fields.

    Raises:
        InvalidJob: with one problem per wrong field.
    """
    return read_option(Webhook, given, "webhook", "{'url': 'https://...', 'events': ['dead']}")


def signature_headers(id: str, now: float, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers by which a receiver knows that a delivery is ours, recent and unchanged.

    Args:
        id: of the delivery, the same in every attempt.
        now: seconds since 1970, of this attempt.
        keys: each signs, so that receivers may have any of them; the newest first.
    """
    timestamp = str(int(now))
    signed = f"{id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys)
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
