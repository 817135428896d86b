"""API keys: who may ask for what. A key's secret is shown once, when it is made; the store has its hash.

A secret is random, of 256 bits, so one round of SHA-256 keeps it as safe as the slow hashes that passwords need. It
names its key (``wsk_<id>_<random>``), so that it is found by one look.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from ..jobs.errors import TooManyKeys, UnknownKey
from ..jobs.quota import Quota, read_quota
from .connection import translated
from .job_record import read_json, text_of
from .keys import Keys
from .scripts import Scripts

MOST_KEYS = 1000
USE_NOTED_MS = 60_000
"""How long after a noted use the next one is."""

_SECRET = re.compile(r"wsk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret. Instants are UTC ms.

    Attributes:
        scopes: what it may do.
        actors: those it may send jobs to; None: all.
        quota: how much it may ask for in a minute; None: any number.
        old_until_ms: until when the secret before the newest one is taken; None when there is none.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    actors: tuple[str, ...] | None
    created_at_ms: int
    expires_at_ms: int | None
    used_at_ms: int | None
    rotated_at_ms: int | None
    old_until_ms: int | None
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key whose secret somebody knows.

    Attributes:
        digest: hash of that secret.
        left_ms: how long the secret is still taken; below zero when it expired; None: until it is revoked.
    """

    key: ApiKey
    digest: str
    left_ms: int | None


class ApiKeys:
    """The API keys of one namespace.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self._keys = Keys(namespace)
        self._scripts = Scripts(client.execute_command, self._keys.prefix)

    def exist(self) -> bool:
        """Whether there is any; an expired one counts until it is revoked."""
        with translated():
            return bool(self._client.exists(self._keys.api_keys))

    def all(self) -> list[ApiKey]:
        """All keys, the oldest first."""
        with translated():
            ids: Any = self._client.zrange(self._keys.api_keys, 0, MOST_KEYS - 1)
            with self._client.pipeline(transaction=False) as pipe:
                for id in ids:
                    pipe.hgetall(self._keys.api_key(id.decode()))
                records = pipe.execute()
        return [
            _read(id.decode(), text_of(record)) for id, record in zip(ids, records, strict=True) if record
        ]

    def find(self, id: str) -> ApiKey:
        """The key with this id.

        Raises:
            UnknownKey: there is no such key.
        """
        with translated():
            record: Any = self._client.hgetall(self._keys.api_key(id))
        if not record:
            raise _unknown(id)
        return _read(id, text_of(record))

    def add(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        actors: Sequence[str] | None = None,
        expires_in_ms: int | None = None,
        quota: Quota | None = None,
        now_ms: int | None = None,
    ) -> tuple[ApiKey, str]:
        """Create a key.

        Returns:
            The key and its secret, which nobody can learn later.

        Raises:
            TooManyKeys: there are `MOST_KEYS` already.
        """
        id = secrets.token_hex(6)
        secret = _new_secret(id)
        allowed = "" if actors is None else json.dumps(sorted(set(actors)), separators=(",", ":"))
        expires = "" if expires_in_ms is None else f"+{expires_in_ms}"
        asked = quota.to_text() if quota else ""
        values = (
            id,
            hash_of(secret),
            expires,
            name,
            " ".join(sorted(set(scopes))),
            allowed,
            MOST_KEYS,
            asked,
        )
        if self._scripts.run("add_key", _now(now_ms), *values) == b"full":
            raise TooManyKeys(f"There are {MOST_KEYS} keys: revoke some.")
        return self.find(id), secret

    def rotate(self, id: str, *, overlap_ms: int = 0, now_ms: int | None = None) -> tuple[ApiKey, str]:
        """Give a key another secret.

        Args:
            overlap_ms: how long the one before is taken as well.

        Returns:
            The key and its new secret.

        Raises:
            UnknownKey: there is no such key.
        """
        secret = _new_secret(id)
        self._scripts.run("rotate_key", _now(now_ms), id, hash_of(secret), overlap_ms)
        return self.find(id), secret

    def revoke(self, id: str) -> None:
        """Remove a key.

        Raises:
            UnknownKey: there is no such key.
        """
        if self._scripts.run("revoke_key", id) == b"unknown":
            raise _unknown(id)

    def of_secret(self, secret: str, *, now_ms: int | None = None) -> ShownKey | None:
        """The key that a secret belongs to, in one round trip; its use is noted. None for any other text."""
        found = _SECRET.fullmatch(secret)
        return None if found is None else self.of_hash(found[1], hash_of(secret), now_ms=now_ms)

    def of_hash(self, id: str, digest: str, *, now_ms: int | None = None) -> ShownKey | None:
        """The same for a secret whose hash was kept."""
        now, fields = self._scripts.run("use_key", _now(now_ms), id, digest, USE_NOTED_MS)
        record = text_of(dict(zip(fields[::2], fields[1::2], strict=True)))
        is_new = hmac.compare_digest(record.get("hash", "").encode(), digest.encode())
        is_old = hmac.compare_digest(record.get("old_hash", "").encode(), digest.encode())
        if not (is_new or is_old):
            return None
        ends = [_int(record, "expires_at"), None if is_new else _int(record, "old_until") or 0]
        return ShownKey(
            _read(id, record), digest, min((end - now for end in ends if end is not None), default=None)
        )


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _unknown(id: str) -> UnknownKey:
    return UnknownKey(f"No key has the id {id!r}: it never existed, or it was revoked.")


def _new_secret(id: str) -> str:
    return f"wsk_{id}_{secrets.token_urlsafe(32)}"


def _read(id: str, record: Mapping[str, str]) -> ApiKey:
    actors = read_json(record["actors"]) or () if record.get("actors") else None  # damaged: none
    return ApiKey(
        id=id,
        name=record.get("name", ""),
        scopes=tuple(record.get("scopes", "").split()),
        actors=None if actors is None else tuple(map(str, actors)),
        created_at_ms=_int(record, "created_at") or 0,
        expires_at_ms=_int(record, "expires_at"),
        used_at_ms=_int(record, "used_at"),
        rotated_at_ms=_int(record, "rotated_at"),
        old_until_ms=_int(record, "old_until"),
        quota=read_quota(record.get("quota", "")),
    )


def _int(record: Mapping[str, str], name: str) -> int | None:
    return int(float(record[name])) if record.get(name) else None


def _now(now_ms: int | None) -> str | int:
    return "" if now_ms is None else now_ms
