"""Schedules over HTTP: what is kept, and what is refused."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.schedules import HOUR, HOURLY, URL, ago, fire, now_ms
from worker_service.broker.broker import JobBroker
from worker_service.broker.schedules import Timetable
from worker_service.jobs.instants import to_text
from worker_service.settings import Settings
from worker_service.store import Schedules
from worker_service.web import create_app


@pytest.fixture
def declared(schedules: Schedules) -> str:
    """The name of a schedule of code."""
    word = schedules.declare(
        "nightly", '{"actor":"add","args":{"x":1},"cron":"0 2 * * *"}', uid="u", next_ms=now_ms() + HOUR,
        scheduler="a:1:b@1-0", quiet_ms=1000,
    )  # fmt: skip
    assert word == "created"
    return "nightly"


def test_one_that_no_code_declares_any_more_can_be_removed(client: FlaskClient, schedules: Schedules):
    for name, silent_ms in (("silent", 121_000), ("alive", 60_000)):
        schedules.declare(
            name, '{"actor":"add","args":{"x":1},"cron":"0 2 * * *"}', uid=name, next_ms=now_ms() + HOUR,
            scheduler="a:1:b@1-0", quiet_ms=1000, now_ms=now_ms() - silent_ms,
        )  # fmt: skip
    assert client.delete("/v1/schedules/silent").status_code == 204
    refused = client.delete("/v1/schedules/alive")
    assert refused.status_code == 409
    assert "two minutes" in refused.get_json()["detail"]


class TestPut:
    def test_new_one_is_created_and_read(self, client: FlaskClient):
        answer = client.put(URL, json=HOURLY)
        assert (answer.status_code, answer.headers["Location"]) == (201, URL)
        found = client.get(URL)
        assert found.headers["ETag"] == answer.headers["ETag"]
        schedule = found.get_json()
        assert schedule == answer.get_json()
        assert client.get("/v1/schedules").get_json() == {"items": [schedule]}
        assert schedule["next_tick"].endswith(":00:00.000Z")
        assert schedule.pop("created_at")
        assert schedule.pop("next_tick")
        assert schedule.pop("definition").items() >= HOURLY.items()
        assert schedule == {
            "name": "each", "state": "active", "source": "api", "version": 1, "last_tick": None, "runs": 0,
            "skipped": 0, "missed": 0, "hindered": None, "paused": None, "declared_at": None, "links": {"self": URL},
        }  # fmt: skip

    def test_same_one_again_is_unchanged_and_another_is_an_update(self, client: FlaskClient):
        tag = client.put(URL, json=HOURLY).headers["ETag"]
        again = client.put(URL, json={**HOURLY, "overlap": "skip"})
        assert (again.status_code, again.headers["ETag"]) == (200, tag)
        other = client.put(URL, json={**HOURLY, "overlap": "allow_all"})
        assert other.status_code == 200
        assert other.headers["ETag"] != tag
        assert other.get_json()["version"] == 2
        assert "Location" not in other.headers

    def test_what_is_read_can_be_put(self, client: FlaskClient):
        body = {
            **HOURLY, "timezone": "Europe/Paris", "start_at": "2030-01-01T00:00:00Z", "max_runs": 3,
            "end_at": "2031-01-01T00:00:00+02:00", "overlap": "buffer_one", "catch_up": "all",
            "catch_up_window_ms": 5, "jitter_ms": 9, "expires_after_ms": 1000,
        }  # fmt: skip
        tag = client.put(URL, json=body).headers["ETag"]
        definition = client.get(URL).get_json()["definition"]
        assert definition["end_at"] == "2030-12-31T22:00:00.000Z"
        assert client.put(URL, json=definition).headers["ETag"] == tag

    def test_zone_that_is_not_named_is_that_of_the_settings(self, broker: JobBroker, settings: Settings):
        there = create_app(broker, settings.model_copy(update={"timezone": "Asia/Kolkata"})).test_client()
        assert there.put(URL, json=HOURLY).get_json()["definition"]["timezone"] == "Asia/Kolkata"
        there.put("/v1/schedules/utc", json={**HOURLY, "timezone": "UTC"})
        assert there.get("/v1/schedules/utc").get_json()["definition"]["timezone"] == "UTC"
        (tick,) = there.get(f"{URL}/next?count=1").get_json()["items"]
        assert tick["tick"].endswith(":30:00.000Z")
        assert tick["local"].endswith(":00:00.000+05:30")

    def test_update_keeps_counters_and_begins_with_the_next_tick(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules, settings: Settings
    ):
        client.put(URL, json=HOURLY)
        fire(broker, schedules, settings, now_ms())
        schedule = client.put(URL, json={**HOURLY, "cron": None, "every_ms": 60_000}).get_json()
        assert (schedule["runs"], schedule["version"]) == (1, 2)
        assert schedule["last_tick"] < schedule["next_tick"] <= to_text(now_ms() + 60_000)

    def test_tick_that_is_fired_between_the_look_and_the_write_does_not_come_again(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules, settings: Settings
    ):
        client.put(URL, json={**HOURLY, "cron": None, "every_ms": 60_000})
        timetable = Timetable(broker, settings.timezone)
        first = timetable._first_tick
        fired: list[int] = []

        def fired_meanwhile(definition: Any, before: Any) -> int | None:
            found = first(definition, before)
            if not fired and found is not None:
                fired.append(found)
                assert fire(broker, schedules, settings, found).word == "fired"
            return found

        timetable._first_tick = fired_meanwhile  # type: ignore[method-assign]
        body = {**HOURLY, "cron": None, "every_ms": 60_000, "jitter_ms": 1}
        stored = timetable.put("each", body)[1].stored
        assert stored.last_ms == fired[0]
        assert stored.next_ms == fired[0] + 60_000

    def test_last_tick_may_pass_and_the_same_is_still_unchanged(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules, settings: Settings
    ):
        at = now_ms() + 1000
        body = {"actor": "add", "args": {"x": 1}, "at": to_text(at)}
        assert client.put(URL, json=body).status_code == 201
        assert fire(broker, schedules, settings, at).word == "fired"
        # Its instant has passed for whoever counts from the last tick on.
        again = client.put(URL, json=body)
        assert (again.status_code, again.get_json()["state"]) == (200, "ended")
        refused = client.put(URL, json={**body, "jitter_ms": 1})
        assert refused.get_json()["errors"][0]["code"] == "no_tick"

    def test_runs_that_are_used_up_leave_none_to_come(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules, settings: Settings
    ):
        body = {**HOURLY, "max_runs": 2, "overlap": "allow_all"}
        client.put(URL, json=body)
        assert len(client.get(f"{URL}/next?count=100").get_json()["items"]) == 2
        for tick in (now_ms(), now_ms() + HOUR):
            assert fire(broker, schedules, settings, tick).word == "fired"
        assert client.get(URL).get_json()["state"] == "ended"
        assert client.get(f"{URL}/next").get_json() == {"items": []}
        refused = client.put(URL, json={**body, "jitter_ms": 1})
        assert refused.get_json()["errors"][0]["pointer"] == "/max_runs"
        client.post(f"{URL}/pause", json={"note": "x"})
        assert client.post(f"{URL}/resume").get_json()["state"] == "ended"
        assert client.put(URL, json={**body, "max_runs": 3}).get_json()["state"] == "active"


class TestConditions:
    @pytest.mark.parametrize(
        ("there", "headers", "status"),
        [
            (1, {"If-Match": '"TAG"'}, 200),
            (1, {"If-Match": '"7", "TAG"'}, 200),
            (1, {"If-Match": "*"}, 200),
            (1, {"If-Match": '"1"'}, 412),
            (1, {"If-Match": 'W/"TAG"'}, 412),
            (1, {"If-Match": '"x"'}, 412),
            (1, {"If-None-Match": "*"}, 412),
            (1, {"If-None-Match": '"1"'}, 400),
            (0, {"If-None-Match": "*"}, 201),
            (0, {"If-Match": "*"}, 412),
            (0, {"If-Match": '"1"'}, 412),
            (0, {"If-Match": '"0"'}, 412),
        ],
    )
    def test_put_happens_to_the_expected_version_only(
        self, client: FlaskClient, there: int, headers: dict[str, str], status: int
    ):
        tag = client.put(URL, json=HOURLY).headers["ETag"] if there else '"-"'
        body = {**HOURLY, "jitter_ms": 1}
        sent = {name: value.replace('"TAG"', tag) for name, value in headers.items()}
        answer = client.put(URL, json=body, headers=sent)
        assert answer.status_code == status
        if status == 412:
            assert answer.get_json()["type"] == "urn:worker-service:problem:schedule-changed"
            assert client.get(URL).status_code == (200 if there else 404)
            if there:
                assert client.get(URL).headers["ETag"] == tag

    def test_a_name_that_is_taken_is_told(self, client: FlaskClient):
        client.put(URL, json=HOURLY)
        answer = client.put(URL, json={**HOURLY, "jitter_ms": 1}, headers={"If-None-Match": "*"})
        assert "already" in answer.get_json()["detail"]

    @pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
    def test_repeated_after_a_lost_answer_it_has_happened(self, client: FlaskClient, header: str):
        headers = {header: "*"}
        if header == "If-Match":
            headers = {header: client.put(URL, json=HOURLY).headers["ETag"]}
        body = {**HOURLY, "jitter_ms": 1}
        first = client.put(URL, json=body, headers=headers)
        again = client.put(URL, json=body, headers=headers)
        assert first.status_code in (200, 201)
        assert (again.status_code, again.headers["ETag"]) == (200, first.headers["ETag"])

    def test_delete_happens_to_the_expected_version_only(self, client: FlaskClient):
        tag = client.put(URL, json=HOURLY).headers["ETag"]
        assert client.delete(URL, headers={"If-Match": '"2"'}).status_code == 412
        assert client.delete(URL, headers={"If-Match": tag}).status_code == 204
        assert client.delete(URL).status_code == 404

    def test_tag_of_a_removed_schedule_matches_none_of_its_name_later(self, client: FlaskClient):
        old = client.put(URL, json=HOURLY).headers["ETag"]
        client.delete(URL)
        client.put(URL, json=HOURLY)
        assert client.put(URL, json={**HOURLY, "jitter_ms": 1}, headers={"If-Match": old}).status_code == 412
        assert client.delete(URL, headers={"If-Match": old}).status_code == 412

    def test_tag_that_is_outdated_when_it_is_written_changes_nothing(
        self, broker: JobBroker, settings: Settings, client: FlaskClient, schedules: Schedules
    ):
        """Between the look at the tag and the write another schedule took the name."""
        old = client.put(URL, json=HOURLY).headers["ETag"].strip('"')
        client.delete(URL)
        client.put(URL, json=HOURLY)
        definition = '{"actor":"add","every_ms":1000}'
        assert schedules.put("each", definition, uid="x", next_ms=now_ms(), expected=old)[0] == "conflict"
        assert schedules.remove("each", expected=old) == "conflict"


def wrong(field: str, *values: Any, pointer: str = "", says: str = "") -> list[Any]:
    """Rows of the table below: each value by itself is refused."""
    return [
        pytest.param(
            {**HOURLY, "cron": None, field: value}, pointer or f"/{field}", says, id=f"{field}={value!r:.30}"
        )
        for value in values
    ]


WRONG_BESIDE_CRON: list[tuple[dict[str, Any], str, str]] = [
    ({"timezone": "Europe/Pariss"}, "/timezone", "Did you mean 'Europe/Paris'?"),
    ({"timezone": "../../etc/passwd"}, "/timezone", "No time zone"),
    ({"timezone": "x" * 100_000}, "/timezone", "No time zone"),
    ({"timezone": "localtime"}, "/timezone", "No time zone"),
    ({"timezone": None}, "/timezone", ""),
    ({"actor": "ad"}, "/actor", "Did you mean 'add'?"),
    ({"actor": "service.bulk"}, "/actor", "No actor"),
    ({"actor": ""}, "/actor", ""),
    ({"actor": None}, "/actor", ""),
    ({"args": {}}, "/args/x", "missing"),
    ({"args": {"x": "1"}}, "/args/x", ""),
    ({"args": {"x": 1, "z": 1}}, "/args/z", "No argument 'z'"),
    ({"args": [1]}, "/args", ""),
    ({"actor": "anything", "args": {"value": "x" * 70_000}}, "/args", "65536 bytes"),
    ({"overlap": "never"}, "/overlap", ""),
    ({"catch_up": "some"}, "/catch_up", ""),
    ({"jitter_ms": -1}, "/jitter_ms", ""),
    ({"jitter_ms": 10**9}, "/jitter_ms", ""),
    ({"max_runs": 0}, "/max_runs", ""),
    ({"expires_after_ms": 0}, "/expires_after_ms", ""),
    ({"catch_up_window_ms": -1}, "/catch_up_window_ms", ""),
    ({"start_at": "x"}, "/start_at", ""),
    ({"corn": "* * * * *"}, "/corn", "Did you mean 'cron'?"),
    ({"queue": "default"}, "/queue", "No field"),
]


class TestRefused:
    @pytest.mark.parametrize(
        ("body", "pointer", "says"),
        [
            *wrong("cron", "0 0 30 2 *", says="none of the months"),
            *wrong("cron", "0 0 1--100000000 * *", says="Day of month '1--100000000'"),
            *wrong("cron", "* * * * 8", "* * * * mno", says="Day of week"),
            *wrong("cron", "0 0 1-999999999 * *", "0 0 0 * *", says="Day of month"),
            *wrong("cron", "1," * 200 + "1 * * * *" + " " * 400, says="500 are the most"),
            *wrong("cron", "*" * 100_000, "0 0 * * * *", "@reboot", "@dialy", "", "0 0 * * ٣", 5, []),
            *wrong("every_ms", 0, -1, 99, True, 1.5, "1000", 10**30, says=""),
            *wrong("at", "soon", "2030-02-30T00:00:00Z", "2030-01-01T00:00:00", 5),
            *wrong("at", "2001-01-01T00:00:00Z", says="No tick"),
            pytest.param({**HOURLY, "end_at": "2001-01-01T00:00:00Z"}, "/end_at", "No tick", id="over"),
            pytest.param({**HOURLY, "cron": "\ud800"}, "/cron", "no character", id="half a character"),
            pytest.param({**HOURLY, "args": {"x": ["a", "\udfff"]}}, "/args/x/1", "no character", id="half in args"),
            pytest.param({**HOURLY, "every_ms": 1000}, "/every_ms", "one of cron, every_ms and at", id="two"),
            pytest.param({**HOURLY, "at": "2999-01-01T00:00:00Z"}, "/at", "one of cron, every_ms and at", id="too"),
            pytest.param(
                {**HOURLY, "jitter_ms": 9, "expires_after_ms": 9}, "/expires_after_ms", "longer", id="expires at once"
            ),
            pytest.param({"actor": "add", "args": {"x": 1}}, "", "one of cron, every_ms and at", id="no rule"),
            pytest.param(
                {**HOURLY, "start_at": "2031-01-01T00:00:00Z", "end_at": "2030-01-01T00:00:00Z"}, "/end_at", "before",
                id="end before start",
            ),
            *[
                pytest.param({**HOURLY, **fields}, pointer, says, id=f"{fields!r:.40}")
                for fields, pointer, says in WRONG_BESIDE_CRON
            ],
        ],
    )  # fmt: skip
    def test_bad_input_is_422_and_names_the_field_and_why(
        self, client: FlaskClient, body: dict[str, Any], pointer: str, says: str
    ):
        answer = client.put(URL, json=body)
        assert answer.status_code == 422, answer.get_json()
        problem = answer.get_json()
        assert answer.content_type == "application/problem+json"
        assert problem["type"] == "urn:worker-service:problem:invalid-schedule"
        (error,) = problem["errors"]
        assert error["pointer"] == pointer
        assert error["detail"]
        assert says in error["detail"]
        assert len(answer.data) < 10_000
        assert client.get(URL).status_code == 404

    def test_more_than_are_ever_read_are_refused(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules
    ):
        client.put(URL, json=HOURLY)
        broker.store.client.zadd(schedules.keys.schedules, {f"s{number}": 1 for number in range(10_000)})
        answer = client.put("/v1/schedules/another", json=HOURLY)
        assert answer.status_code == 422
        assert "10,000 schedules" in answer.get_json()["detail"]
        assert client.put(URL, json={**HOURLY, "jitter_ms": 1}).status_code == 200

    def test_each_wrong_field_is_told(self, client: FlaskClient):
        answer = client.put(URL, json={"cron": "x", "timezone": "y", "jitter_ms": "z"})
        pointers = {error["pointer"] for error in answer.get_json()["errors"]}
        assert pointers == {"/actor", "/cron", "/timezone", "/jitter_ms"}

    def test_what_fields_say_together_is_told_beside_other_mistakes(self, client: FlaskClient):
        body = {
            "actor": "ad", "cron": "x", "at": "2999-01-01T00:00:00Z", "every_ms": 1000, "overlap": "never",
            "start_at": "2031-01-01T00:00:00Z", "end_at": "2030-01-01T00:00:00Z", "jitter_ms": 9, "expires_after_ms": 9,
        }  # fmt: skip
        errors = client.put(URL, json=body).get_json()["errors"]
        assert {error["pointer"] for error in errors} == {
            "/actor", "/cron", "/at", "/overlap", "/end_at", "/expires_after_ms"
        }  # fmt: skip

    @pytest.mark.parametrize("operation", ["run", "resume"])
    def test_operations_without_fields_refuse_unknown_ones(self, client: FlaskClient, operation: str):
        client.put(URL, json=HOURLY)
        client.post(f"{URL}/pause", json={"note": "x"})
        answer = client.post(f"{URL}/{operation}", json={"nte": 1})
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == "/nte"
        assert client.get(URL).get_json()["state"] == "paused"
        assert client.get("/v1/jobs").get_json()["items"] == []
        assert client.post(f"{URL}/{operation}", json={}).status_code < 300

    @pytest.mark.parametrize("name", ["a" * 65, "-a", "a b", ".", "é", "a:b", "a%0Ab", "a%00"])
    def test_names_have_one_form(self, client: FlaskClient, name: str):
        answer = client.put(f"/v1/schedules/{name}", json=HOURLY)
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == "/name"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/run"),
            ("POST", "/backfill"), ("GET", "/next"), ("GET", "/history"),
        ],
    )  # fmt: skip
    def test_misspelt_name_is_404_with_the_nearest(self, client: FlaskClient, method: str, path: str):
        client.put(URL, json=HOURLY)
        body = {"/pause": {"note": "x"}, "/backfill": {"from": ago(hours=2), "to": ago(hours=1)}}.get(path)
        answer = client.open(f"/v1/schedules/eahc{path}", method=method, json=body)
        assert answer.status_code == 404
        assert answer.get_json()["type"] == "urn:worker-service:problem:unknown-schedule"
        assert "Did you mean 'each'?" in answer.get_json()["detail"]

    @pytest.mark.parametrize(
        ("path", "pointer"),
        [
            ("/next?count=0", "/query/count"),
            ("/next?count=101", "/query/count"),
            ("/next?count=x", "/query/count"),
            ("/next?cuont=1", "/query/cuont"),
            ("/next?count=1&count=2", "/query/count"),
            ("/history?limit=501", "/query/limit"),
        ],
    )
    def test_wrong_parameter_is_422(self, client: FlaskClient, path: str, pointer: str):
        client.put(URL, json=HOURLY)
        answer = client.get(URL + path)
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == pointer


class TestOfCode:
    def test_it_is_marked_and_read_only(self, client: FlaskClient, declared: str):
        url = f"/v1/schedules/{declared}"
        schedule = client.get(url).get_json()
        assert (schedule["source"], schedule["state"]) == ("code", "active")
        assert schedule["declared_at"]
        for answer in (client.put(url, json=HOURLY), client.delete(url)):
            assert answer.status_code == 409
            assert answer.get_json()["type"] == "urn:worker-service:problem:schedule-of-code"
            assert "change it there" in answer.get_json()["detail"]

    def test_it_may_be_paused_resumed_run_and_backfilled(self, client: FlaskClient, declared: str):
        url = f"/v1/schedules/{declared}"
        assert client.post(f"{url}/pause", json={"note": "x"}).get_json()["state"] == "paused"
        assert client.post(f"{url}/resume").get_json()["state"] == "active"
        assert client.post(f"{url}/run").status_code == 202
        body = {"from": ago(days=3), "to": ago(seconds=1)}
        assert len(client.post(f"{url}/backfill", json=body).get_json()["items"]) == 3


class TestDamaged:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("definition", "{"),
            ("definition", '{"actor":"add","cron":"0 0 30 2 *"}'),
            ("version", "x"),
            ("version", "01"),
            ("last", "9" * 20),
            ("last", "1_0"),
            ("next", "9" * 18),
            ("definition", '{"actor":"anything","args":{"value":"' + "x" * 70_000 + '"},"every_ms":1000}'),
        ],
    )
    def test_it_is_listed_as_damaged_and_the_others_go_on(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules, field: str, value: str
    ):
        client.put(URL, json=HOURLY)
        client.put("/v1/schedules/other", json=HOURLY)
        broker.store.client.hset(schedules.keys.schedule("each"), field, value)

        one, other = client.get("/v1/schedules").get_json()["items"]
        assert (one["name"], one["state"], other["state"]) == ("each", "damaged", "active")
        assert one["reason"]
        assert client.get(URL).get_json() == one
        for answer in (client.post(f"{URL}/run"), client.get(f"{URL}/next"), client.post(f"{URL}/resume")):
            assert answer.status_code == 409
            assert "Remove it" in answer.get_json()["detail"]
        assert client.post("/v1/schedules/other/run").status_code == 202

        assert client.delete(URL).status_code == 204
        assert client.put(URL, json=HOURLY).status_code == 201

    @pytest.mark.parametrize("path", ["/v1/schedules", "/v1/stats", "/metrics", "/"])
    def test_name_that_is_no_text_hides_nothing(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules, path: str
    ):
        client.put(URL, json=HOURLY)
        broker.store.client.zadd(schedules.keys.schedules, {b"caf\xe9": 1})
        assert client.get(path).status_code == 200
        assert [each["state"] for each in client.get("/v1/schedules").get_json()["items"]] == [
            "damaged",
            "active",
        ]

    def test_key_of_another_type_can_be_removed_too(
        self, client: FlaskClient, broker: JobBroker, schedules: Schedules
    ):
        client.put(URL, json=HOURLY)
        broker.store.client.delete(schedules.keys.schedule("each"))
        broker.store.client.set(schedules.keys.schedule("each"), "mine")
        assert client.get(URL).get_json()["state"] == "damaged"
        assert client.put(URL, json=HOURLY).status_code == 409
        assert client.delete(URL).status_code == 204
        assert client.get(URL).status_code == 404
