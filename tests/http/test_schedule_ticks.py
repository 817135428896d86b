"""The jobs that come of schedules: at ticks, by hand, for ticks of the past; and what is told of them."""

import itertools
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.schedules import HOUR, HOURLY, URL, ago, fire, now_ms
from worker_service.broker.broker import JobBroker
from worker_service.broker.schedules import Timetable
from worker_service.jobs.instants import to_text
from worker_service.settings import Settings
from worker_service.store import Schedules


class TestPause:
    def test_paused_one_tells_why_and_resumed_goes_on_from_now(
        self, client: FlaskClient, schedules: Schedules
    ):
        client.put(URL, json={**HOURLY, "cron": None, "every_ms": 100})
        schedule = client.post(f"{URL}/pause", json={"note": "the bank is away"}).get_json()
        assert (schedule["state"], schedule["next_tick"]) == ("paused", None)
        assert schedule["paused"]["note"] == "the bank is away"
        assert schedule["paused"]["since"]
        assert len(client.get(f"{URL}/next?count=3").get_json()["items"]) == 3
        before = now_ms()
        resumed = client.post(f"{URL}/resume").get_json()
        assert (resumed["state"], resumed["paused"]) == ("active", None)
        assert resumed["next_tick"] > str(to_text(before))
        assert client.post(f"{URL}/resume").get_json()["next_tick"] == resumed["next_tick"]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [({}, "/note"), ({"note": ""}, "/note"), ({"note": "x" * 501}, "/note"), ({"not": "x"}, "/not")],
    )
    def test_pause_without_a_note_is_refused(self, client: FlaskClient, body: dict[str, Any], pointer: str):
        client.put(URL, json=HOURLY)
        answer = client.post(f"{URL}/pause", json=body)
        assert answer.status_code == 422
        assert pointer in {error["pointer"] for error in answer.get_json()["errors"]}

    def test_resume_reads_again_what_was_replaced_meanwhile(
        self, broker: JobBroker, client: FlaskClient, settings: Settings
    ):
        client.put(URL, json=HOURLY)
        client.post(f"{URL}/pause", json={"note": "x"})
        timetable = Timetable(broker, settings.timezone)
        resume, versions = timetable.schedules.resume, itertools.count(1)

        def replaced_before(name: str, version: int, next_ms: int | None) -> str:
            if (number := next(versions)) < 3:
                client.put(URL, json={**HOURLY, "jitter_ms": number})
            return resume(name, version, next_ms)

        timetable.schedules.resume = replaced_before  # type: ignore[method-assign]
        assert timetable.resume("each").stored.version == 3


class TestRun:
    def test_job_of_now_is_made_and_moves_nothing(self, client: FlaskClient):
        before = client.put(URL, json=HOURLY).get_json()
        answer = client.post(f"{URL}/run")
        assert answer.status_code == 202
        job = client.get(answer.headers["Location"]).get_json()
        assert (job["actor"], job["state"], job["schedule"]) == ("add", "queued", "each")
        assert job["args"] == {"x": 1}
        assert client.get(URL).get_json() == before
        (tick,) = client.get(f"{URL}/history").get_json()["items"]
        assert tick["tick"] == job["tick"]
        assert (tick["cause"], tick["outcome"], tick["count"]) == ("run_now", "fired", 1)
        assert tick["job"] == {"id": job["id"], "state": "queued", "links": job["links"]}

    @pytest.mark.parametrize("overlap", ["skip", "buffer_one"])
    def test_while_an_earlier_one_is_there_it_is_409_with_its_id(self, client: FlaskClient, overlap: str):
        client.put(URL, json={**HOURLY, "overlap": overlap})
        first = client.post(f"{URL}/run").get_json()["id"]
        refused = client.post(f"{URL}/run")
        assert refused.status_code == 409
        assert refused.get_json()["job_id"] == first
        client.post(f"/v1/jobs/{first}/cancel")
        assert client.post(f"{URL}/run").status_code == 202

    @pytest.mark.parametrize("overlap", ["skip", "allow_all"])
    def test_same_idempotency_key_is_one_job(self, client: FlaskClient, overlap: str):
        client.put(URL, json={**HOURLY, "overlap": overlap})
        key = {"Idempotency-Key": "once"}
        first, again = (client.post(f"{URL}/run", headers=key) for _ in range(2))
        assert (first.status_code, again.status_code) == (202, 202)
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Location"] == first.headers["Location"]
        job = first.get_json()
        names = ("id", "actor", "queue", "created_at", "state", "links")
        assert again.get_json() == {name: job[name] for name in names}

    def test_key_is_kept_when_the_record_of_its_job_goes(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules
    ):
        client.put(URL, json=HOURLY)
        key = {"Idempotency-Key": "once"}
        id = client.post(f"{URL}/run", headers=key).get_json()["id"]
        broker.store.cancel(id)
        broker.store.prune({"cancelled": (0, 0)}, now_ms=now_ms() + 1000)
        again = client.post(f"{URL}/run", headers=key)
        assert (again.get_json()["id"], again.get_json()["state"]) == (id, "pruned")

    @pytest.mark.parametrize("path", ["/v1/schedules/other/run", "/v1/jobs"])
    def test_key_of_another_request_is_422(self, client: FlaskClient, path: str):
        for name in ("each", "other"):
            client.put(f"/v1/schedules/{name}", json=HOURLY)
        key = {"Idempotency-Key": "once"}
        assert client.post(f"{URL}/run", headers=key).status_code == 202
        body = {"actor": "add", "args": {"x": 1}} if path == "/v1/jobs" else None
        answer = client.post(path, json=body, headers=key)
        assert answer.status_code == 422
        assert answer.get_json()["type"] == "urn:worker-service:problem:idempotency-key-reused"
        assert len(client.get("/v1/jobs").get_json()["items"]) == 1

    def test_refused_run_leaves_the_key_free(self, client: FlaskClient, broker: JobBroker):
        client.put(URL, json=HOURLY)
        first = client.post(f"{URL}/run").get_json()["id"]
        key = {"Idempotency-Key": "once"}
        assert client.post(f"{URL}/run", headers=key).status_code == 409
        broker.store.cancel(first)
        assert "Idempotent-Replayed" not in client.post(f"{URL}/run", headers=key).headers

    def test_where_overlap_is_allowed_each_call_makes_one_also_in_one_millisecond(
        self, broker: JobBroker, settings: Settings, client: FlaskClient
    ):
        client.put(URL, json={**HOURLY, "overlap": "allow_all"})
        timetable, now = Timetable(broker, settings.timezone), now_ms()
        timetable.schedules.now_ms = lambda: now  # type: ignore[method-assign]
        assert len({timetable.run("each").id for _ in range(5)}) == 5

    def test_paused_one_may_be_run(self, client: FlaskClient):
        client.put(URL, json=HOURLY)
        client.post(f"{URL}/pause", json={"note": "x"})
        assert client.post(f"{URL}/run").status_code == 202

    def test_actor_that_is_gone_is_named(self, client: FlaskClient, broker: JobBroker):
        client.put(URL, json=HOURLY)
        del broker.actors["add"]
        answer = client.post(f"{URL}/run")
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == "/actor"


class TestBackfill:
    def test_each_tick_of_the_range_gets_one_job_however_often_it_is_asked(self, client: FlaskClient):
        client.put(URL, json=HOURLY)
        hour = now_ms() // HOUR * HOUR
        body = {"from": to_text(hour - 3 * HOUR), "to": to_text(hour - HOUR)}
        items = client.post(f"{URL}/backfill", json=body).get_json()["items"]
        assert [item["tick"] for item in items] == [to_text(hour - k * HOUR) for k in (3, 2, 1)]
        assert [item["created"] for item in items] == [True] * 3
        again = client.post(f"{URL}/backfill", json={**body, "to": to_text(hour)}).get_json()["items"]
        assert [item["created"] for item in again] == [False] * 3 + [True]
        assert [item["job"] for item in again[:3]] == [item["job"] for item in items]
        jobs = client.get("/v1/jobs").get_json()["items"]
        assert sorted(job["tick"] for job in jobs) == [item["tick"] for item in again]
        assert {job["schedule"] for job in jobs} == {"each"}
        assert client.get(URL).get_json()["runs"] == 0

    def test_more_than_a_thousand_ticks_are_refused_with_their_number(
        self, client: FlaskClient, broker: JobBroker
    ):
        client.put(URL, json={**HOURLY, "cron": "* * * * *"})
        minute = now_ms() // 60_000 * 60_000
        body = {"from": to_text(minute - 1200 * 60_000), "to": to_text(minute)}
        answer = client.post(f"{URL}/backfill", json=body)
        assert answer.status_code == 422
        assert "1,201 ticks" in answer.get_json()["detail"]
        for_ever = client.post(f"{URL}/backfill", json={**body, "from": "1970-01-01T00:00:00Z"})
        assert "more than 10,000 ticks" in for_ever.get_json()["detail"]
        assert broker.store.client.zcard(broker.store.keys.jobs) == 0

    def test_thousand_are_taken(self, client: FlaskClient):
        client.put(URL, json={**HOURLY, "cron": "* * * * *"})
        minute = now_ms() // 60_000 * 60_000
        body = {"from": to_text(minute - 999 * 60_000), "to": to_text(minute)}
        assert len(client.post(f"{URL}/backfill", json=body).get_json()["items"]) == 1000

    def test_history_of_ticks_is_not_pushed_out(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules, settings: Settings
    ):
        client.put(URL, json={**HOURLY, "cron": "* * * * *"})
        fired = fire(broker, schedules, settings, now_ms())
        minute = now_ms() // 60_000 * 60_000
        body = {"from": to_text(minute - 700 * 60_000), "to": to_text(minute)}
        assert len(client.post(f"{URL}/backfill", json=body).get_json()["items"]) == 701
        client.post(f"/v1/jobs/{fired.job}/cancel")
        again = fire(broker, schedules, settings, now_ms() + 60_000)
        items = client.get(f"{URL}/history?limit=500").get_json()["items"]
        assert [item["cause"] for item in items[:2]] == ["tick", "backfill"]
        assert items[0]["job"]["id"] == again.job
        ticks = [tick for tick in schedules.history("each", 5000) if tick.cause == "tick"]
        assert len(ticks) == 2

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/from"),
            ({"from": "x", "to": ago(hours=1)}, "/from"),
            ({"from": ago(hours=1), "to": ago(hours=2)}, "/to"),
            ({"from": ago(hours=1), "to": ago(hours=-1)}, "/to"),
            ({"from": ago(hours=2), "to": ago(hours=1), "form": 1}, "/form"),
        ],
    )
    def test_wrong_range_is_refused(self, client: FlaskClient, body: dict[str, Any], pointer: str):
        client.put(URL, json=HOURLY)
        answer = client.post(f"{URL}/backfill", json=body)
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == pointer


class TestHistory:
    def test_outcome_and_the_present_state_of_the_job_are_told(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules, settings: Settings
    ):
        client.put(URL, json=HOURLY)
        tick = now_ms() - 9 * HOUR
        first = fire(broker, schedules, settings, tick)
        assert fire(broker, schedules, settings, tick + HOUR) == ("skipped", first.job)
        stored = Timetable(broker, settings.timezone).get("each").stored
        assert (
            schedules.miss(stored.ref, stored.next_ms or 0, tick + 5 * HOUR, 4, next_ms=tick + 6 * HOUR)
            == "missed"
        )
        broker.store.cancel(first.job)
        second = fire(broker, schedules, settings, tick + 6 * HOUR)
        broker.store.prune({"cancelled": (0, 0)}, now_ms=now_ms() + 1000)

        items = client.get(f"{URL}/history").get_json()["items"]

        told = [(item["outcome"], item["count"], item["job"] and item["job"]["state"]) for item in items]
        assert told == [
            ("fired", 1, "queued"), ("missed", 4, None), ("skipped", 1, "pruned"), ("fired", 1, "pruned")
        ]  # fmt: skip
        assert items[0]["job"]["id"] == second.job
        assert len(client.get(f"{URL}/history?limit=2").get_json()["items"]) == 2
        schedule = client.get(URL).get_json()
        assert (schedule["runs"], schedule["skipped"], schedule["missed"]) == (2, 1, 4)
