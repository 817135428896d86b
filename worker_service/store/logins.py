"""Signed-in browsers: a random cookie each, of which the store has the hash; and codes that sign in once."""

import secrets
from dataclasses import dataclass
from typing import Any

import redis

from .api_keys import hash_of
from .connection import translated
from .job_record import text_of
from .keys import Keys
from .scripts import Scripts

CODE_MS = 10 * 60_000
"""How long a code may be used."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who is signed in.

    Attributes:
        key: id of the key.
        proof: that it was shown; what it is, the caller decides.
    """

    key: str
    proof: str


class Logins:
    """The signed-in browsers of one namespace.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self._keys = Keys(namespace)
        self._scripts = Scripts(client.execute_command, self._keys.prefix)

    def make_code(self) -> str:
        """A code that signs in once, within `CODE_MS`."""
        code = secrets.token_urlsafe(32)
        with translated():
            self._client.set(self._keys.login_code(hash_of(code)), 1, px=CODE_MS)
        return code

    def open(self, cookie: str, login: Login, lasts_ms: int, *, code: str = "") -> bool:
        """Sign a browser in; False when a code was given that is none, or none any more."""
        digest = hash_of(code) if code else ""
        word = self._scripts.run("open_login", hash_of(cookie), lasts_ms, login.key, login.proof, digest)
        return bool(word == b"opened")

    def find(self, cookie: str) -> Login | None:
        """Who is signed in with this cookie."""
        with translated():
            found: Any = self._client.hgetall(self._keys.login(hash_of(cookie)))
        record = text_of(found)
        return Login(record.get("key", ""), record.get("proof", "")) if record else None

    def close(self, cookie: str) -> None:
        """Sign a browser out; safe to repeat."""
        with translated():
            self._client.delete(self._keys.login(hash_of(cookie)))
