"""API keys over HTTP: made, listed, given another secret, revoked. By administrators only."""

from collections.abc import Collection
from typing import Annotated, Self

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..jobs.errors import InvalidJob, InvalidQuery, StoreFull, TooManyKeys, UnknownKey
from ..jobs.instants import to_text
from ..jobs.quota import MOST, Quota, Unit
from ..jobs.validation import summary
from ..names import did_you_mean
from ..store import ApiKey
from .answers import KeyJson, KeysJson, MadeKeyJson, QuotaJson
from .body import json_object, json_object_if_any
from .checked import checked
from .documented import documented
from .keyring import Keyring
from .links import link
from .scopes import Scope

YEAR_MS = 366 * 24 * 3600 * 1000
MONTH_MS = 31 * 24 * 3600 * 1000

Name = Annotated[str, Field(min_length=1, max_length=100)]


class QuotaRequest(BaseModel):
    """How much a key may ask for."""

    model_config = ConfigDict(extra="forbid")

    of: Unit
    per_minute: int = Field(ge=1, le=MOST)


class KeyRequest(BaseModel):
    """The body of ``POST /v1/keys``."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "shop", "scopes": ["submit", "read"], "actors": ["send_email"]}]
        },
    )

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    actors: list[Name] | None = Field(default=None, min_length=1, max_length=100)
    expires_in_ms: int | None = Field(default=None, ge=1000, le=10 * YEAR_MS)
    quota: QuotaRequest | None = None

    @model_validator(mode="after")
    def _administrators_may_everything(self) -> Self:
        if self.actors is not None and Scope.ADMIN in self.scopes:
            raise ValueError(
                "A key of scope admin could make one for other actors: leave out actors, or admin."
            )
        return self


class RotateRequest(BaseModel):
    """The body of ``POST /v1/keys/{id}/rotate``, which may be left out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overlap_ms": 3_600_000}]})

    overlap_ms: int = Field(default=0, ge=0, le=MONTH_MS)


def keys(keyring: Keyring, actors: Collection[str]) -> Blueprint:
    """The routes of keys.

    Args:
        actors: that keys may be for.
    """
    routes = Blueprint("keys", __name__)

    @routes.get("/v1/keys")
    @documented("List API keys, the oldest first, without their secrets.", {200: KeysJson})
    def index() -> Response:
        return jsonify(KeysJson(items=[_key_json(key) for key in keyring.keys.all()]))

    @routes.post("/v1/keys")
    @documented(
        "Make an API key; its secret is in this answer and nowhere else.",
        {201: MadeKeyJson},
        sends=("Location",),
        body=KeyRequest,
        problems=(InvalidQuery, TooManyKeys, StoreFull),
    )
    def add() -> tuple[Response, int, dict[str, str]]:
        wanted = checked(KeyRequest, json_object(request))
        _check_actors(wanted.actors or [], actors)
        made = keyring.keys.add(
            wanted.name,
            wanted.scopes,
            actors=wanted.actors,
            expires_in_ms=wanted.expires_in_ms,
            quota=Quota(wanted.quota.of, wanted.quota.per_minute) if wanted.quota else None,
        )
        keyring.forget()
        return jsonify(_made_key_json(*made)), 201, {"Location": link(f"/v1/keys/{made[0].id}")}

    @routes.get("/v1/keys/<id>")
    @documented("Read an API key, without its secret.", {200: KeyJson}, problems=(UnknownKey,))
    def show(id: str) -> Response:
        return jsonify(_key_json(keyring.keys.find(id)))

    @routes.post("/v1/keys/<id>/rotate")
    @documented(
        "Give a key another secret; the one before is taken for as long as asked.",
        {200: MadeKeyJson},
        body=RotateRequest,
        body_required=False,
        problems=(InvalidQuery, UnknownKey),
    )
    def rotate(id: str) -> Response:
        wanted = checked(RotateRequest, json_object_if_any(request))
        made = keyring.keys.rotate(id, overlap_ms=wanted.overlap_ms)
        keyring.forget()
        return jsonify(_made_key_json(*made))

    @routes.delete("/v1/keys/<id>")
    @documented("Revoke an API key: within 5 s no process takes it.", {204: ""}, problems=(UnknownKey,))
    def revoke(id: str) -> tuple[str, int]:
        keyring.keys.revoke(id)
        keyring.forget()
        return "", 204

    return routes


def _check_actors(wanted: list[str], known: Collection[str]) -> None:
    """A misspelt one would make a key that is refused wherever it is shown."""
    found: list[InvalidJob] = [
        InvalidQuery(
            f"No actor {name!r}.{did_you_mean(name, known)}",
            pointer=f"/actors/{position}",
            code="unknown_actor",
        )
        for position, name in enumerate(wanted)
        if name not in known
    ]
    if found:
        raise InvalidQuery(summary(found), problems=found)


def _key_json(key: ApiKey) -> KeyJson:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "actors": None if key.actors is None else list(key.actors),
        "quota": QuotaJson(of=key.quota.of, per_minute=key.quota.per_minute) if key.quota else None,
        "created_at": to_text(key.created_at_ms),
        "expires_at": to_text(key.expires_at_ms),
        "used_at": to_text(key.used_at_ms),
        "rotated_at": to_text(key.rotated_at_ms),
        "old_secret_until": to_text(key.old_until_ms),
        "links": {"self": link(f"/v1/keys/{key.id}")},
    }


def _made_key_json(key: ApiKey, secret: str) -> MadeKeyJson:
    return {**_key_json(key), "key": secret}
