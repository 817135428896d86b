"""Lists of jobs, and of actors."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.actors import ACTORS
from tests.store.builders import NOW, a_job, a_session, claim, finish, submitted
from worker_service.broker.broker import JobBroker
from worker_service.store import Outcome
from worker_service.store.histogram import BOUNDS_MS

JOB = {"actor": "add", "args": {"x": 1}}


def ids(answer: Any) -> list[str]:
    """Of the jobs of a page."""
    return [job["id"] for job in answer.get_json()["items"]]


class TestJobs:
    def test_newest_come_first_and_pages_follow_links(self, client: FlaskClient):
        made = [client.post("/v1/jobs", json=JOB).get_json()["id"] for _ in range(5)]
        seen, path = [], "/v1/jobs?limit=2&actor=add"
        while path:
            answer = client.get(path)
            assert answer.status_code == 200
            seen += ids(answer)
            link = answer.headers.get("Link", "")
            assert bool(link) == (answer.get_json()["next_cursor"] is not None)
            path = link.removeprefix("<").removesuffix('>; rel="next"')
        assert seen == made[::-1]

    def test_items_are_whole_jobs(self, client: FlaskClient):
        made = client.post("/v1/jobs", json=JOB).get_json()
        assert client.get("/v1/jobs").get_json()["items"] == [made]

    def test_filters_are_all_met(self, client: FlaskClient, broker: JobBroker):
        queued = client.post("/v1/jobs", json=JOB).get_json()["id"]
        elsewhere = client.post("/v1/jobs", json={"actor": "anything", "args": {"value": 1}}).get_json()["id"]
        later = client.post("/v1/jobs", json={**JOB, "delay_ms": 60_000}).get_json()["id"]
        broker.store.cancel(elsewhere)
        assert ids(client.get("/v1/jobs?state=queued")) == [queued]
        assert ids(client.get("/v1/jobs?state=scheduled&queue=default")) == [later]
        assert ids(client.get("/v1/jobs?queue=other")) == [elsewhere]
        assert ids(client.get("/v1/jobs?state=cancelled&actor=anything")) == [elsewhere]
        assert ids(client.get("/v1/jobs?state=cancelled&actor=add")) == []

    def test_argument_selects_jobs_by_its_value_however_it_was_sent(
        self, client: FlaskClient, broker: JobBroker
    ):
        def made(**args: Any) -> str:
            body = {"actor": "anything", "args": args}
            return str(client.post("/v1/jobs", json=body).get_json()["id"])

        one, two, true = (
            made(value={"id": 42}),
            made(value="42", other=[None, {"a": "b:c"}]),
            made(value=True),
        )
        broker.actors["anything"].send(42)
        by_position = ids(client.get("/v1/jobs"))[0]
        assert ids(client.get("/v1/jobs?arg=value:42")) == [by_position, two]
        assert ids(client.get("/v1/jobs?arg=value.id:42&actor=anything")) == [one]
        assert ids(client.get("/v1/jobs?arg=other.1.a:b:c")) == [two]
        assert ids(client.get("/v1/jobs?arg=value:true")) == [true]
        assert ids(client.get("/v1/jobs?arg=nope:42")) == []
        assert client.get("/v1/jobs?arg=value").status_code == 422

    def test_error_selects_jobs(self, client: FlaskClient, broker: JobBroker):
        client.post("/v1/jobs", json=JOB)
        error = json.dumps({"type": "ConnectionTimeout", "message": "after 3 s", "traceback": "deep"})
        submitted(broker.store, queue="apart", now_ms=NOW)
        a_session(broker.store, now_ms=NOW)
        (job,) = claim(broker.store, queues=["apart"], now_ms=NOW).jobs
        finish(broker.store, job, "dead_letter", reason="failed", error=error, now_ms=NOW)
        assert ids(client.get("/v1/jobs?error=timeout")) == [job.id]
        assert ids(client.get("/v1/jobs?error=AFTER&state=dead")) == [job.id]
        assert ids(client.get("/v1/jobs?error=deep")) == []

    def test_tag_and_text_select_jobs(self, client: FlaskClient):
        tagged = client.post("/v1/jobs", json={**JOB, "tags": ["customer:7", "red"]}).get_json()["id"]
        plain = client.post("/v1/jobs", json={"actor": "anything", "args": {"value": "Müller"}}).get_json()[
            "id"
        ]
        assert ids(client.get("/v1/jobs?tag=customer:7")) == [tagged]
        assert ids(client.get("/v1/jobs?tag=customer:7&q=red&state=queued")) == [tagged]
        assert ids(client.get("/v1/jobs?tag=customer:7&state=dead")) == []
        assert ids(client.get("/v1/jobs?q=M%C3%9CLLER")) == [plain]
        first = client.get("/v1/jobs?q=a&limit=1")
        assert ids(first) == [plain]
        link = first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
        assert ids(client.get(link)) == [tagged]

    @pytest.mark.parametrize(
        "damage",
        [
            {"args": 5},
            {"args": None},
            {"kwargs": [1]},
            {"kwargs": None},
            {"options": []},
            {"options": {"tags": 5, "metadata": [1]}},
        ],
    )
    def test_job_with_a_damaged_message_is_shown_and_hides_no_other(
        self, client: FlaskClient, broker: JobBroker, damage: dict[str, Any]
    ):
        made = [client.post("/v1/jobs", json=JOB).get_json()["id"] for _ in range(2)]
        key = broker.store.keys.msg(made[0])
        whole = json.loads(broker.store.client.get(key) or "")
        broker.store.client.set(key, json.dumps({**whole, **damage}))
        assert ids(client.get("/v1/jobs")) == made[::-1]
        assert client.get(f"/v1/jobs/{made[0]}").status_code == 200
        assert client.post(f"/v1/jobs/{made[0]}/cancel").status_code == 200
        assert client.post(f"/v1/jobs/{made[0]}/retry", json={"args": {"x": 2}}).status_code in (202, 422)

    def test_empty_list_is_no_error(self, client: FlaskClient):
        assert client.get("/v1/jobs?state=dead").get_json() == {
            "items": [],
            "next_cursor": None,
            "truncated": False,
        }

    @pytest.mark.parametrize(
        ("query", "pointer", "hint"),
        [
            ("state=ded", "/query/state", "'dead'"),
            ("stat=dead", "/query/stat", "Did you mean 'state'?"),
            ("tag=not+fine", "/query/tag", "match pattern"),
            ("q=", "/query/q", "at least 1"),
            ("limit=0", "/query/limit", "greater than or equal to 1"),
            ("limit=501", "/query/limit", "less than or equal to 500"),
            ("limit=many", "/query/limit", "integer"),
            ("cursor=x", "/query/cursor", "next_cursor"),
            ("cursor=%00", "/query/cursor", "next_cursor"),
            ("queue=", "/query/queue", "at least 1 character"),
            ("limit=1&limit=2", "/query/limit", "once"),
        ],
    )
    def test_wrong_parameter_is_named(self, client: FlaskClient, query: str, pointer: str, hint: str):
        answer = client.get(f"/v1/jobs?{query}")
        assert answer.status_code == 422
        (error,) = answer.get_json()["errors"]
        assert error["pointer"] == pointer
        assert hint in error["detail"]


class TestLog:
    def test_lines_of_a_job_are_read(self, client: FlaskClient, broker: JobBroker):
        id = client.post("/v1/jobs", json=JOB).get_json()["id"]
        broker.store.open_session("s", 60_000, {})
        (job,) = broker.store.claim("s", "1", 1, ["default"]).jobs
        broker.store.log(id, job.token, "half of it")
        (line,) = client.get(f"/v1/jobs/{id}/log").get_json()["items"]
        assert line.pop("at")
        assert line == {"number": 1, "line": "half of it"}
        assert client.get("/v1/jobs/unknown/log").status_code == 404


class TestActors:
    def test_every_actor_is_listed_by_name_but_those_of_the_service_itself(self, client: FlaskClient):
        items = client.get("/v1/actors").get_json()["items"]
        assert [item["name"] for item in items] == sorted(fn.__name__ for fn in ACTORS)
        assert client.get("/v1/actors/service.bulk").status_code == 404

    def test_actor_says_what_it_takes(self, client: FlaskClient):
        actor = client.get("/v1/actors/add").get_json()
        runs = actor["stats"].pop("runs")
        assert [each["up_to_ms"] for each in runs] == [*BOUNDS_MS, None]
        assert {each["count"] for each in runs} == {0}
        assert actor == {
            "name": "add",
            "description": "The sum.",
            "queue": "default",
            "priority": 7,
            "max_attempts": 4,
            "max_crashes": 3,
            "time_limit_ms": 600_000,
            "unique": None,
            "tags": [],
            "metadata": {},
            "store_result": True,
            "args": {
                "title": "add",
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "x": {"title": "X", "type": "integer"},
                    "y": {"title": "Y", "type": "integer", "default": 1},
                },
                "required": ["x"],
            },
            "stats": {
                "enqueued": 0,
                "started": 0,
                "succeeded": 0,
                "retried": 0,
                "dead": 0,
                "cancelled": 0,
                "expired": 0,
                "mean_wait_ms": None,
                "mean_run_ms": None,
                "p50_run_ms": None,
                "p95_run_ms": None,
            },
            "links": {"self": "/v1/actors/add"},
        }

    def test_it_says_what_became_of_its_jobs(self, client: FlaskClient, broker: JobBroker):
        store = broker.store
        store.open_session("s", 60_000, {}, now_ms=NOW)
        store.submit([a_job(actor="add"), a_job(actor="add"), a_job(actor="add", queue="other")], now_ms=NOW)
        first, second = store.claim("s", "1", 9, ["default"], now_ms=NOW + 10).jobs
        store.finish([Outcome(first.id, first.token, "complete")], now_ms=NOW + 40)
        store.finish([Outcome(second.id, second.token, "retry")], now_ms=NOW + 40)
        stats = client.get("/v1/actors/add").get_json()["stats"]
        assert (stats["enqueued"], stats["started"], stats["succeeded"], stats["retried"]) == (3, 2, 1, 1)
        assert (stats["mean_wait_ms"], stats["mean_run_ms"]) == (10, 30)
        listed = {actor["name"]: actor["stats"] for actor in client.get("/v1/actors").get_json()["items"]}
        assert listed["add"] == stats

    def test_unknown_actor_is_404_with_the_nearest(self, client: FlaskClient):
        answer = client.get("/v1/actors/ad")
        assert answer.status_code == 404
        assert "Did you mean 'add'?" in answer.get_json()["detail"]
