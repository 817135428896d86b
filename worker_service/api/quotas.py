"""How much the key of a request may still ask for, counted in the store for all web processes together.

Answers tell in the headers of draft-ietf-httpapi-ratelimit-headers-10. A key without one costs no look at the store.
"""

from flask import Flask, Response, g

from ..jobs.errors import OverQuota
from ..jobs.quota import WINDOW_MS, Quota, Unit
from ..store import Spent, Store
from .principal import current_principal


def install(app: Flask, store: Store) -> None:
    """Count requests, and tell of quotas; called after access, which says who asks."""

    def count() -> None:
        spend(store, "requests", 1)

    app.before_request(count)
    app.after_request(_tell)


def spend(store: Store, of: Unit, much: int) -> None:
    """Take from the quota of whoever asks, if it is one of these.

    Raises:
        OverQuota: that much is not left; nothing was taken.
    """
    principal = current_principal()
    quota = principal.quota
    if quota is None or quota.of != of:
        return
    spent = store.spend(principal.id, much, quota.per_minute, WINDOW_MS)
    g.quota = quota, spent
    if not spent.granted:
        raise OverQuota(
            f"This key may ask for {quota.per_minute} {of} in a minute; {spent.left} are left, and this is {much}.",
            _seconds(spent),
        )


def _tell(response: Response) -> Response:
    found: tuple[Quota, Spent] | None = g.get("quota")
    if found is not None:
        quota, spent = found
        response.headers["RateLimit-Policy"] = f'"{quota.of}";q={quota.per_minute};w={WINDOW_MS // 1000}'
        response.headers["RateLimit"] = f'"{quota.of}";r={spent.left};t={_seconds(spent)}'
    return response


def _seconds(spent: Spent) -> int:
    return -(-spent.ends_in_ms // 1000)
