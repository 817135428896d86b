"""The header ``Idempotency-Key``: a request that is sent again makes no second job.

Source: draft-ietf-httpapi-idempotency-key-header-07. The key may be a quoted string, as there, or a bare token.
"""

import hashlib
import json
import re
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest

from ..jobs.spelling import one_spelling
from ..settings import Settings
from ..store import Idempotency
from .principal import current_principal

HEADER = "Idempotency-Key"
ABOUT_THE_KEY = {HEADER: "The request may be sent again with the same key and body: it makes no second job."}
"""For documents of operations that take one."""

#: Without commas: servers join the values of a header that comes twice.
_BARE = re.compile(r"[!#-+\-.-~][!-+\-.-~]{0,254}")
_QUOTED = re.compile(r'"((?:[!#-\[\]-~]|\\["\\]){1,255})"')


def read_idempotency(headers: Headers, body: dict[str, Any], settings: Settings) -> Idempotency | None:
    """The idempotency of a request, None when it has no key.

    Args:
        body: the request; another one with the same key is refused.

    Raises:
        BadRequest: the key is malformed, or missing where the settings require one.
    """
    key = read_key(headers)
    if key is not None:
        return remembered_as(key, body, settings)
    if settings.require_idempotency_key:
        raise BadRequest(
            f"Send the header {HEADER}, with a new value for each job: JOBS_REQUIRE_IDEMPOTENCY_KEY."
        )
    return None


def read_key(headers: Headers) -> str | None:
    """The key of a request, None when it has none.

    Raises:
        BadRequest: it is malformed.
    """
    given = headers.get(HEADER)  # of two headers, the server has joined the values
    if given is None:
        return None
    key = _parse(given)
    if key is None:
        raise BadRequest(
            f'{HEADER}: send one value of 1 to 255 visible ASCII characters, as in "8e03978e-40d5".'
        )
    return key


def remembered_as(key: str, body: dict[str, Any], settings: Settings) -> Idempotency:
    """The idempotency of what is asked for under a key."""
    owner = current_principal().id  # two clients may choose the same key
    return Idempotency(f"{owner}:{_sha256(key)}", _sha256(_canonical(body)), settings.idempotency_ms)


def _parse(text: str) -> str | None:
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    return text if _BARE.fullmatch(text) else None


def _canonical(body: dict[str, Any]) -> str:
    """The same text for the same values, whatever the order of names, the white space and the spelling of numbers."""
    text = _CANONICAL.encode(body)
    return _CANONICAL.encode(one_spelling(body)) if ".0" in text or "e+" in text else text


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
