"""The pages of failures, queues, schedules, workers, actors and the system: what they tell, and what they offer."""

import json
import re

import pytest
from flask.testing import FlaskClient

from tests.http.keys import ADMIN_KEY, a_key, guarded_client, made
from tests.http.test_dashboard import Page, now, page
from tests.http.test_dashboard_actions import do
from tests.http.test_dashboard_jobs import dead
from tests.http.test_login import BROWSER, sign_in
from tests.store.builders import NOW, a_schedule, fire, submitted
from worker_service.broker.broker import JobBroker
from worker_service.dashboard import parts
from worker_service.settings import Settings

READ_PAGES = ("/", "/ui/jobs", "/ui/failures", "/ui/queues", "/ui/schedules", "/ui/workers", "/ui/actors")
SCHEDULE = {"actor": "add", "args": {"x": 1}, "cron": "30 9 * * mon-fri", "timezone": "Europe/Berlin"}


class TestFailures:
    def test_group_tells_how_often_and_leads_to_its_jobs(self, client: FlaskClient, broker: JobBroker):
        ids = {dead(broker, actor="add"), dead(broker, actor="add")}
        found = page(client, "/ui/failures")
        assert "add : ValueError" in found.text or "add: ValueError" in found.text
        assert "no such row" in found.text
        (address,) = [str(each["href"]) for each in found.all("a") if "data-open" in each]
        assert {str(each["id"])[4:] for each in page(client, address).all("tr") if "id" in each} == ids

    def test_many_groups_are_shown_in_pages(
        self, client: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(parts, "SHOWN", 2)
        for actor in ("add", "typed", "union"):
            dead(broker, actor=actor)
        first = page(client, "/ui/failures")
        (address,) = [str(each["href"]) for each in first.all("a") if each.get("rel") == "next"]
        second = page(client, address)
        assert [len(each.all("tr")) - 1 for each in (first, second)] == [2, 1]
        assert "next" not in [each.get("rel") for each in second.all("a")]

    def test_retry_of_a_group_is_asked_with_its_number(self, client: FlaskClient, broker: JobBroker):
        dead(broker, actor="add")
        dead(broker, actor="add")
        found = page(client, "/ui/failures")
        (address,) = [str(each["href"]) for each in found.all("a") if each.get("data-action") == "retry-jobs"]
        assert "2 jobs match" in page(client, address).text


class TestQueues:
    def test_tells_what_waits_who_serves_and_why_it_is_paused(self, client: FlaskClient, broker: JobBroker):
        submitted(broker.store, actor="add", now_ms=now())
        about = {"host": "here", "pid": "7", "threads": "8", "queues": json.dumps(["default"])}
        broker.store.open_session("s", 60_000, about)
        broker.store.claim("s", "1", 1, ["default"])
        do(client, "pause-queue", queue="default", reason="The mail server is moved.")
        text = page(client, "/ui/queues").text
        assert "1 of 8 (12 %)" in text
        assert "The mail server is moved." in text
        assert "Resume" in text

    def test_a_limit_is_set_and_taken_away(self, client: FlaskClient, broker: JobBroker):
        submitted(broker.store, actor="add", now_ms=now())
        do(client, "limit-queue", queue="default", max_depth="5")
        assert "at most 5 wait" in page(client, "/ui/queues").text
        do(client, "limit-queue", queue="default", max_depth="")
        assert "at most" not in page(client, "/ui/queues").text

    def test_purge_wants_the_name(self, client: FlaskClient, broker: JobBroker):
        id = submitted(broker.store, actor="add", now_ms=now())
        assert do(client, "purge-queue", queue="default", confirm="other").status_code == 422
        assert do(client, "purge-queue", queue="default", confirm="default").status_code == 303
        assert client.get(f"/v1/jobs/{id}").get_json()["state"] == "cancelled"


class TestSchedules:
    def test_tells_when_in_words(self, client: FlaskClient):
        client.put("/v1/schedules/nine", json=SCHEDULE)
        text = page(client, "/ui/schedules").text
        assert "at 09:30 on Monday to Friday" in text
        assert "Europe/Berlin" in text
        assert "Europe/Berlin" in page(client, "/ui/schedules/nine").text

    def test_many_are_shown_in_pages(self, client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(parts, "SHOWN", 2)
        for name in "abc":
            client.put(f"/v1/schedules/{name}", json=SCHEDULE)
        names = [
            str(each["href"]).rpartition("/")[2]
            for path in ("/ui/schedules", "/ui/schedules?begin=2")
            for each in page(client, path).all("a")
            if "data-open" in each
        ]
        assert names == ["a", "b", "c"]

    def test_ticks_that_were_are_shown(self, client: FlaskClient, broker: JobBroker):
        fire(broker.store, a_schedule(broker.store, "each"), NOW, now_ms=NOW)
        for path in ("/ui/schedules", "/ui/schedules/each"):
            labels = [each.get("aria-label") for each in page(client, path).all("svg")]
            assert "Ticks, the oldest first: queued" in labels

    def test_is_made_edited_run_paused_and_removed(self, client: FlaskClient):
        text = json.dumps(SCHEDULE)
        assert do(client, "create-schedule", name="nine", definition=text).status_code == 303
        other = json.dumps({**SCHEDULE, "cron": "@daily"})
        again = do(client, "create-schedule", name="nine", definition=other)
        assert again.status_code == 412

        html = page(client, "/ui/do/edit-schedule?name=nine").html
        edition = re.search(r'name="edition" value="&#34;([^&]*)&#34;"', html)
        assert edition
        form = {
            "name": "nine",
            "edition": f'"{edition[1]}"',
            "definition": json.dumps({**SCHEDULE, "args": {"x": 2}}),
        }
        assert do(client, "edit-schedule", **form).status_code == 303
        assert do(client, "edit-schedule", **{**form, "definition": other}).status_code == 412

        ran = do(client, "run-schedule", name="nine", once="n" * 20)
        job = client.get(ran.headers["Location"].replace("/ui/", "/v1/")).get_json()
        assert (job["schedule"], job["args"]) == ("nine", {"x": 2})
        do(client, "pause-schedule", name="nine", note="Not in the holidays.")
        assert "Not in the holidays." in page(client, "/ui/schedules").text
        do(client, "resume-schedule", name="nine")
        assert "Not in the holidays." not in page(client, "/ui/schedules").text
        do(client, "delete-schedule", name="nine", next="/ui/schedules")
        assert "There is no schedule." in page(client, "/ui/schedules").text

    def test_what_is_no_definition_is_shown_again(self, client: FlaskClient):
        for text in ("[1]", "{", '{"actor": "ad"}'):
            answer = do(client, "create-schedule", name="nine", definition=text)
            assert answer.status_code == 422
            assert text in Page(answer).text
            names = {each["value"] for each in Page(answer).all("input") if each.get("name") == "name"}
            assert names == {"nine"}


class TestWorkers:
    def test_tells_what_each_is_and_runs(self, client: FlaskClient, broker: JobBroker):
        id = submitted(broker.store, actor="add", now_ms=now())
        about = {"host": "here", "pid": "7", "threads": "8", "version": "1.2.3"}
        broker.store.open_session("s", 60_000, about)
        broker.store.extend("s", 60_000, memory_bytes=48 * 1024 * 1024)
        broker.store.claim("s", "1", 1, ["default"])
        found = page(client, "/ui/workers")
        for part in ("here", "process 7", "1.2.3", "1 of 8", "48.0 MiB", "of 10 min"):
            assert part in found.text
        assert f"/ui/jobs/{id}" in [each.get("href") for each in found.all("a")]

    def test_is_quieted_and_stopped(self, client: FlaskClient, broker: JobBroker):
        broker.store.open_session("s", 60_000, {"host": "here"})
        assert do(client, "quiet-worker", id="s").status_code == 303
        assert client.get("/v1/workers/s").get_json()["state"] == "quiet"
        assert do(client, "stop-worker", id="s").status_code == 303
        assert client.get("/v1/workers/s").get_json()["state"] == "stopping"
        assert do(client, "stop-worker", id="t").status_code == 404


class TestActors:
    def test_form_has_a_field_for_each_argument(self, client: FlaskClient):
        found = page(client, "/ui/actors/typed")
        names = {str(each.get("name")) for tag in ("input", "select", "textarea") for each in found.all(tag)}
        assert {f"arg.{name}" for name in ("day", "id", "price", "size", "home", "ratio", "tags")} <= names

    def test_form_sends_a_job(self, client: FlaskClient):
        form = {
            "arg.day": "2030-01-31",
            "arg.id": "12345678-1234-5678-1234-567812345678",
            "arg.price": '"1.50"',
            "arg.size": '"small"',
            "arg.home": '{"street": "Main", "number": 7}',
            "tags": "a b",
            "priority": "-5",
        }
        answer = do(client, "send-job", actor="typed", once="n" * 20, **form)
        assert answer.status_code == 303, Page(answer).text
        job = client.get(answer.headers["Location"].replace("/ui/", "/v1/")).get_json()
        assert job["args"]["home"] == {"street": "Main", "number": 7}
        assert (job["tags"], job["priority"]) == (["a", "b"], -5)
        assert "ratio" not in job["args"]

    @pytest.mark.parametrize("x", ["", "one", "1.5", "9" * 5000])
    def test_what_is_no_argument_is_told(self, client: FlaskClient, x: str):
        assert do(client, "send-job", actor="add", **{"arg.x": x}).status_code == 422

    def test_page_tells_options_and_numbers(self, client: FlaskClient, broker: JobBroker):
        dead(broker, actor="add")
        text = page(client, "/ui/actors/add?range=24h").text
        for part in ("Most attempts 4", "Priority 7", "Dead 1"):
            assert part in text
        assert "1h" in page(client, "/ui/actors/add?range=nope").text


class TestSystem:
    def test_tells_of_the_server(self, client: FlaskClient):
        text = page(client, "/ui/system").text
        for part in ("Version", "Memory", "noeviction", "Append-only file"):
            assert part in text

    def test_keys_are_made_shown_once_and_revoked(self, broker: JobBroker, settings: Settings):
        browser = guarded_client(broker, settings)
        sign_in(browser, key=ADMIN_KEY)
        answer = do(
            browser, "add-key", name="shop", scopes=["submit", "read"], actors="add", expires_in_ms="30d"
        )
        secret = re.search(r"wsk_\w{12}_[\w-]{43}", Page(answer).text)
        assert secret
        listed = Page(browser.get("/ui/system/keys", headers=BROWSER))
        assert "shop" in listed.text
        assert secret[0] not in listed.html
        key, _ = made(broker, "read")
        assert do(browser, "revoke-key", id=key.id).status_code == 303
        assert key.id not in Page(browser.get("/ui/system/keys", headers=BROWSER)).html

    def test_audit_log_tells_who_did_what(self, client: FlaskClient, broker: JobBroker):
        submitted(broker.store, actor="add", now_ms=now())
        do(client, "pause-queue", queue="default", reason="The mail server is moved.")
        text = page(client, "/ui/system/audit?what=queues").text
        assert "queues.pause" in text
        assert "The mail server is moved." in text
        assert Page(client.get("/ui/system/audit?cursor=nope")).all("table") == []

    def test_pages_of_administrators_are_entered_by_what_they_ask_for(self, client: FlaskClient):
        for path in ("/ui/system/keys", "/ui/system/audit"):
            assert client.get(path).status_code == 200
        assert [each["what"] for each in client.get("/v1/audit").get_json()["items"]] == ["keys.index"]


def test_who_may_only_read_sees_all_but_the_administrators_pages_and_no_button(
    broker: JobBroker, settings: Settings
):
    dead(broker, actor="add")
    broker.store.open_session("s", 60_000, {"host": "here"})
    browser = guarded_client(broker, settings)
    sign_in(browser, key=a_key(broker, "read"))
    for path in READ_PAGES:
        found = Page(browser.get(path, headers=BROWSER))
        assert not [each for tag in ("a", "button") for each in found.all(tag) if "data-action" in each], path
    for path in ("/ui/system/keys", "/ui/system/audit"):
        assert browser.get(path, headers=BROWSER).status_code == 403
    assert "/ui/system/keys" not in browser.get("/ui/system", headers=BROWSER).get_data(as_text=True)
    assert "send-job" not in browser.get("/ui/actors/add", headers=BROWSER).get_data(as_text=True)
