"""Whose key is shown: found in the store, and remembered for a few seconds, so that most requests ask nothing there.

A key that is revoked, or changed, by another process is taken here for `REMEMBERED_SECONDS` at most.
"""

import hmac
from time import monotonic

from ..jobs.errors import StoreUnavailable
from ..settings import Settings, is_loopback
from ..store import ApiKeys, Login, Logins, ShownKey
from ..store.api_keys import hash_of
from .principal import FIRST_ADMIN, LOCAL, Principal
from .scopes import Scope

REMEMBERED_SECONDS = 5.0
MOST_REMEMBERED = 1000


class KeyExpired(Exception):
    """Raised when a key is shown that was right until it expired, or was rotated."""


class Keyring:
    """The keys as one web process knows them.

    Args:
        keys: those in the store.
        logins: browsers that were signed in with one.
        settings: the admin key, and where the process listens.
    """

    def __init__(self, keys: ApiKeys, logins: Logins, settings: Settings) -> None:
        self.keys = keys
        self.logins = logins
        self._admin_key = settings.admin_key.get_secret_value() if settings.admin_key else None
        self._always = self._admin_key is not None or not is_loopback(settings.http_host)
        self._remembered: dict[str, tuple[Principal, float]] = {}
        self._exist: bool | None = None
        self._looked_until = 0.0

    def are_demanded(self) -> bool:
        """Whether requests have to show one: there is an admin key, or the store has keys, or other machines reach us.

        Raises:
            StoreUnavailable: Redis is away, and has been since this process started, so nobody knows.
        """
        if self._always:
            return True
        if self._exist is None or monotonic() >= self._looked_until:
            try:
                self._exist = self.keys.exist()
            except StoreUnavailable:
                if self._exist is None:
                    raise
                return self._exist  # so that /metrics can tell that Redis is away
            self._looked_until = monotonic() + REMEMBERED_SECONDS
        return self._exist

    def owner_of(self, secret: str) -> Principal | None:
        """Who shows this key; None when it is none.

        Raises:
            KeyExpired: it was one.
            StoreUnavailable: Redis is away, so nobody knows.
        """
        if self._admin_key is not None and hmac.compare_digest(secret.encode(), self._admin_key.encode()):
            return FIRST_ADMIN
        name = hash_of(secret)
        principal, until = self._remembered.get(name, (None, 0.0))
        if principal is not None and monotonic() < until:
            return principal
        shown = self.keys.of_secret(secret)
        return None if shown is None else self._remember(name, shown)

    def owner_of_cookie(self, cookie: str) -> Principal | None:
        """Who signed this browser in; None when nobody did, or the key is not taken any more.

        Raises:
            StoreUnavailable: Redis is away, so nobody knows.
        """
        name = f"cookie {hash_of(cookie)}"
        principal, until = self._remembered.get(name, (None, 0.0))
        if principal is not None and monotonic() < until:
            return principal
        login = self.logins.find(cookie)
        if login is None:
            return None
        if login.key == FIRST_ADMIN.id:
            is_right = self._admin_key is not None and hmac.compare_digest(
                login.proof.encode(), self._admin_proof(cookie).encode()
            )
            return FIRST_ADMIN if is_right else None
        if login.key == LOCAL.id:
            return LOCAL
        shown = self.keys.of_hash(login.key, login.proof)
        try:
            return None if shown is None else self._remember(name, shown)
        except KeyExpired:
            return None

    def login_with_key(self, secret: str, cookie: str) -> Login | None:
        """What to keep of a browser whose person has shown a key; None when it is none.

        Raises:
            KeyExpired: it was one.
        """
        principal = self.owner_of(secret)
        if principal is None:
            return None
        if principal is FIRST_ADMIN:
            return Login(FIRST_ADMIN.id, self._admin_proof(cookie))
        return Login(principal.id, hash_of(secret))

    def login_with_code(self, cookie: str) -> Login:
        """The same for a code: whoever starts the service on this machine has it."""
        if self._admin_key is None:
            return Login(LOCAL.id, "")
        return Login(FIRST_ADMIN.id, self._admin_proof(cookie))

    def _admin_proof(self, cookie: str) -> str:
        """With another admin key it is another one, which signs its browsers out."""
        return hmac.new(cookie.encode(), (self._admin_key or "").encode(), "sha256").hexdigest()

    def forget(self) -> None:
        """Look anew: this process has changed a key."""
        self._remembered.clear()
        self._looked_until = 0.0

    def _remember(self, name: str, shown: ShownKey) -> Principal:
        if shown.left_ms is not None and shown.left_ms <= 0:
            raise KeyExpired(f"The key {shown.key.name!r} has expired, or was rotated.")
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        seconds = (
            REMEMBERED_SECONDS if shown.left_ms is None else min(REMEMBERED_SECONDS, shown.left_ms / 1000)
        )
        principal = principal_of(shown)
        self._remembered[name] = (principal, monotonic() + seconds)
        return principal


def principal_of(shown: ShownKey) -> Principal:
    """The same key as what asks."""
    key = shown.key
    scopes = frozenset(Scope(scope) for scope in key.scopes if scope in list(Scope))
    actors = None if key.actors is None else frozenset(key.actors)
    return Principal(key.id, key.name, scopes, actors, key.quota)
