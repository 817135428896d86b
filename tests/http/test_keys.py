"""API keys: made, shown once, used, rotated, revoked; and what a key for some actors may run."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.keys import ADMIN_KEY, a_key, api_keys, bearer, guarded_client, made
from tests.http.test_problems import problem
from worker_service.api import keyring
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.web import create_app

JOB = {"actor": "add", "args": {"x": 1}}
SCHEDULE = {"actor": "add", "args": {"x": 1}, "every_ms": 60_000}


@pytest.fixture
def guarded(broker: JobBroker, settings: Settings) -> FlaskClient:
    """Asks an application that has an admin key."""
    return guarded_client(broker, settings)


def post_key(client: FlaskClient, **body: Any) -> Any:
    wanted = {"name": "shop", "scopes": ["submit"], **body}
    return client.post("/v1/keys", json=wanted, headers=bearer(ADMIN_KEY))


def used_at(broker: JobBroker, id: str) -> int | None:
    return api_keys(broker).find(id).used_at_ms


def left_ms(broker: JobBroker, secret: str, now_ms: int) -> int | None:
    shown = api_keys(broker).of_secret(secret, now_ms=now_ms)
    assert shown
    return shown.left_ms


class TestMaking:
    def test_secret_is_shown_once_and_its_hash_is_all_that_is_kept(
        self, guarded: FlaskClient, broker: JobBroker
    ):
        answer = post_key(guarded, actors=["add"], expires_in_ms=60_000)
        key = answer.get_json()
        secret = key.pop("key")
        assert answer.status_code == 201
        assert answer.headers["Cache-Control"] == "no-store"
        assert guarded.get(answer.headers["Location"], headers=bearer(ADMIN_KEY)).get_json() == key
        assert guarded.get("/v1/keys", headers=bearer(ADMIN_KEY)).get_json() == {"items": [key]}
        assert (key["name"], key["scopes"], key["actors"]) == ("shop", ["submit"], ["add"])
        record = broker.store.client.hgetall(broker.store.keys.api_key(key["id"]))
        assert secret.split("_", 2)[2] not in str(record)
        assert len(secret.split("_", 2)[2]) == 43  # 256 bits

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"name": ""}, "/name"),
            ({"name": "n" * 101}, "/name"),
            ({"scopes": []}, "/scopes"),
            ({"scopes": ["write"]}, "/scopes/0"),
            ({"actors": []}, "/actors"),
            ({"actors": ["add", "ad"]}, "/actors/1"),
            ({"actors": ["add"], "scopes": ["admin"]}, ""),
            ({"expires_in_ms": 0}, "/expires_in_ms"),
            ({"scope": "read"}, "/scope"),
        ],
    )
    def test_mistakes_are_named(self, guarded: FlaskClient, body: dict[str, Any], pointer: str):
        assert problem(post_key(guarded, **body), 422, "invalid-query")["errors"][0]["pointer"] == pointer

    def test_there_is_a_limit(self, guarded: FlaskClient, broker: JobBroker):
        marks = {f"{number:012x}": number for number in range(1000)}
        broker.store.client.zadd(broker.store.keys.api_keys, marks)
        problem(post_key(guarded), 409, "too-many-keys")

    @pytest.mark.parametrize("how", [("DELETE", ""), ("POST", "/rotate"), ("GET", "")])
    def test_unknown_key_is_404(self, guarded: FlaskClient, how: tuple[str, str]):
        method, end = how
        answer = guarded.open(f"/v1/keys/none{end}", method=method, headers=bearer(ADMIN_KEY))
        problem(answer, 404, "unknown-key")


class TestUsing:
    def test_last_use_is_noted_once_a_minute(self, broker: JobBroker):
        keys = api_keys(broker)
        key, secret = made(broker, "read")
        keys.of_secret(secret, now_ms=1_000_000)
        keys.of_secret(secret, now_ms=1_059_999)
        assert used_at(broker, key.id) == 1_000_000
        keys.of_secret(secret, now_ms=1_060_000)
        assert used_at(broker, key.id) == 1_060_000

    def test_wrong_secret_of_a_key_is_none_and_no_use(self, broker: JobBroker):
        keys = api_keys(broker)
        key, secret = made(broker, "read")
        assert keys.of_secret(secret[:-1] + ("a" if secret[-1] != "a" else "b")) is None
        assert used_at(broker, key.id) is None

    def test_a_key_that_was_just_used_asks_nothing_of_the_store(
        self, guarded: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        key = a_key(broker, "read")
        assert guarded.get("/v1/actors", headers=bearer(key)).status_code == 200
        monkeypatch.setattr(broker.store.client, "execute_command", None)
        assert guarded.get("/v1/actors", headers=bearer(key)).status_code == 200

    def test_a_key_that_another_process_revoked_is_taken_for_five_seconds_at_most(
        self, guarded: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        now = 1000.0
        monkeypatch.setattr(keyring, "monotonic", lambda: now)
        key, secret = made(broker, "read")
        assert guarded.get("/v1/actors", headers=bearer(secret)).status_code == 200
        api_keys(broker).revoke(key.id)
        now += 4.9
        assert guarded.get("/v1/actors", headers=bearer(secret)).status_code == 200
        now += 0.2
        assert guarded.get("/v1/actors", headers=bearer(secret)).status_code == 401

    def test_a_key_that_is_revoked_here_is_refused_at_once(self, guarded: FlaskClient, broker: JobBroker):
        key, secret = made(broker, "read")
        assert guarded.get("/v1/actors", headers=bearer(secret)).status_code == 200
        assert guarded.delete(f"/v1/keys/{key.id}", headers=bearer(ADMIN_KEY)).status_code == 204
        assert guarded.get("/v1/actors", headers=bearer(secret)).status_code == 401

    def test_remembered_key_expires_in_time(
        self, guarded: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        now = 1000.0
        monkeypatch.setattr(keyring, "monotonic", lambda: now)
        key = a_key(broker, "read", expires_in_ms=3000)
        assert guarded.get("/v1/actors", headers=bearer(key)).status_code == 200
        now += 3.1
        broker.store.client.delete(broker.store.keys.api_keys)  # so that the store would not help
        monkeypatch.setattr(api_keys(broker).__class__, "of_secret", lambda *_: None)
        assert guarded.get("/v1/actors", headers=bearer(key)).status_code == 401

    def test_expired_key_is_told_so(self, guarded: FlaskClient, broker: JobBroker):
        key = a_key(broker, "read", expires_in_ms=1000, now_ms=1_000_000)
        body = problem(guarded.get("/v1/actors", headers=bearer(key)), 401, "unauthorized")
        assert "expired" in body["detail"]


class TestRotating:
    def test_old_secret_is_taken_until_the_overlap_ends(self, broker: JobBroker):
        keys = api_keys(broker)
        key, old = made(broker, "read")
        rotated = keys.rotate(key.id, overlap_ms=60_000, now_ms=1_000_000)
        assert rotated[0].id == key.id
        assert left_ms(broker, rotated[1], 1_059_000) is None
        assert left_ms(broker, old, 1_059_000) == 1_000
        assert left_ms(broker, old, 1_060_001) == -1

    def test_without_an_overlap_the_old_one_ends_at_once(self, guarded: FlaskClient, broker: JobBroker):
        key, old = made(broker, "read")
        assert guarded.get("/v1/actors", headers=bearer(old)).status_code == 200
        answer = guarded.post(f"/v1/keys/{key.id}/rotate", headers=bearer(ADMIN_KEY))
        assert guarded.get("/v1/actors", headers=bearer(old)).status_code == 401
        assert guarded.get("/v1/actors", headers=bearer(answer.get_json()["key"])).status_code == 200


class TestWithoutAnAdminKey:
    def test_keys_are_asked_for_once_there_is_one(self, client: FlaskClient):
        assert client.get("/v1/actors").status_code == 200
        secret = client.post("/v1/keys", json={"name": "me", "scopes": ["admin"]}).get_json()["key"]
        assert client.get("/v1/actors").status_code == 401
        assert client.get("/v1/actors", headers=bearer(secret)).status_code == 200

    def test_a_key_that_another_process_made_counts_within_five_seconds(
        self, client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        now = 1000.0
        monkeypatch.setattr(keyring, "monotonic", lambda: now)
        assert client.get("/v1/actors").status_code == 200
        a_key(broker, "read", expires_in_ms=1000, now_ms=1_000_000)  # also when it has expired
        now += 5.1
        assert client.get("/v1/actors").status_code == 401

    def test_an_address_that_others_reach_is_never_open(self, broker: JobBroker, settings: Settings):
        reached = Settings(**{**settings.model_dump(), "http_host": "0.0.0.0"})
        assert create_app(broker, reached).test_client().get("/v1/actors").status_code == 401


class TestActors:
    """A key for some actors runs jobs of others in no way."""

    @pytest.fixture
    def mine(self, broker: JobBroker) -> dict[str, str]:
        """A key for the actor `union`."""
        return bearer(a_key(broker, "submit", "operate", "read", actors=["union"]))

    def refused(self, answer: Any) -> None:
        assert "'add'" in problem(answer, 403, "actor-not-allowed")["detail"]

    def test_job_of_another_actor_is_refused(self, guarded: FlaskClient, mine: dict[str, str]):
        self.refused(guarded.post("/v1/jobs", json=JOB, headers=mine))
        allowed = {"actor": "union", "args": {"value": 1}}
        assert guarded.post("/v1/jobs", json=allowed, headers=mine).status_code == 202

    def test_job_of_another_actor_in_a_batch_is_refused(self, guarded: FlaskClient, mine: dict[str, str]):
        jobs = [JOB, {"actor": "union", "args": {"value": 1}}]
        answer = guarded.post("/v1/jobs:batch", json=jobs, headers=mine)
        assert [item["status"] for item in answer.get_json()["items"]] == [403, 202]
        atomic = guarded.post("/v1/jobs:batch", json={"jobs": jobs, "atomic": True}, headers=mine)
        (error,) = problem(atomic, 422, "invalid-batch")["errors"]
        assert (error["pointer"], error["code"]) == ("/jobs/0", "actor_not_allowed")

    @pytest.mark.parametrize("body", [None, {"args": {"x": 2}}])
    def test_job_of_another_actor_is_not_put_back(
        self, guarded: FlaskClient, mine: dict[str, str], body: dict[str, Any] | None
    ):
        job = guarded.post("/v1/jobs", json=JOB, headers=bearer(ADMIN_KEY)).get_json()["id"]
        guarded.post(f"/v1/jobs/{job}/cancel", headers=bearer(ADMIN_KEY))
        self.refused(guarded.post(f"/v1/jobs/{job}/retry", json=body, headers=mine))

    def test_job_of_another_actor_is_not_run_before_its_time(
        self, guarded: FlaskClient, mine: dict[str, str]
    ):
        later = guarded.post("/v1/jobs", json={**JOB, "delay_ms": 60_000}, headers=bearer(ADMIN_KEY))
        self.refused(guarded.post(f"{later.headers['Location']}/run-now", headers=mine))

    def test_jobs_that_may_be_of_another_actor_are_not_put_back(
        self, guarded: FlaskClient, mine: dict[str, str]
    ):
        for body in ({"ids": ["x"]}, {"filter": {"queue": "default"}}):
            problem(guarded.post("/v1/jobs:retry", json=body, headers=mine), 403, "actor-not-allowed")
        self.refused(guarded.post("/v1/jobs:retry", json={"filter": {"actor": "add"}}, headers=mine))
        allowed = {"filter": {"actor": "union"}, "dry_run": True}
        assert guarded.post("/v1/jobs:retry", json=allowed, headers=mine).status_code == 200

    def test_schedule_of_another_actor_is_neither_made_nor_fired(
        self, guarded: FlaskClient, mine: dict[str, str]
    ):
        self.refused(guarded.put("/v1/schedules/s", json=SCHEDULE, headers=mine))
        assert guarded.put("/v1/schedules/s", json=SCHEDULE, headers=bearer(ADMIN_KEY)).status_code == 201
        self.refused(guarded.post("/v1/schedules/s/run", headers=mine))
        self.refused(guarded.post("/v1/schedules/s/resume", headers=mine))
        span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:05:00Z"}
        self.refused(guarded.post("/v1/schedules/s/backfill", json=span, headers=mine))


def test_idempotency_keys_of_two_owners_are_two(guarded: FlaskClient, broker: JobBroker):
    ids = set()
    for secret in (a_key(broker, "submit"), a_key(broker, "submit"), ADMIN_KEY):
        headers = {**bearer(secret), "Idempotency-Key": "order-17"}
        first, again = (guarded.post("/v1/jobs", json=JOB, headers=headers) for _ in range(2))
        assert again.headers["Idempotent-Replayed"] == "true"
        ids |= {first.get_json()["id"], again.get_json()["id"]}
    assert len(ids) == 3
