"""What people do on pages: with forms, what the HTTP interface allows, and entered in the audit log."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.keys import ADMIN_KEY, a_key, bearer, guarded_client, made
from tests.http.test_dashboard import Page
from tests.http.test_login import BROWSER, OUR_PAGE, sign_in
from tests.store.builders import submitted
from worker_service.broker.broker import JobBroker
from worker_service.dashboard.actions import ACTIONS
from worker_service.dashboard.actions.bulk import RunNow
from worker_service.settings import Settings

PAUSE = {"queue": "default", "reason": "The mail server is moved.", "next": "/?x=1"}


@pytest.fixture
def browser(broker: JobBroker, settings: Settings) -> FlaskClient:
    """Keeps cookies, and asks an application that has an admin key."""
    return guarded_client(broker, settings)


def do(browser: FlaskClient, action: str, **form: Any) -> TestResponse:
    """Send the form of an action as a page of ours does."""
    return browser.post(f"/ui/do/{action}", data=form, headers={**BROWSER, **OUR_PAGE})


def is_paused(client: FlaskClient, key: str | None = None) -> bool:
    headers = bearer(key) if key else {}
    return client.get("/v1/queues/default", headers=headers).get_json()["paused"] is not None


def test_every_action_is_an_operation_of_the_interface(client: FlaskClient):
    rules = {rule.endpoint: rule for rule in client.application.url_map.iter_rules() if "/v1/" in rule.rule}
    for action in ACTIONS.values():
        rule = rules[action.endpoint]
        named = {"id"} if isinstance(action, RunNow) else set()  # of each job, one after the other
        assert {*action.places, *action.fixed, *named} == rule.arguments, action.name


class TestForms:
    def test_form_does_it_leads_back_and_tells_once(self, client: FlaskClient):
        answer = do(client, "pause-queue", **PAUSE)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/?x=1")
        assert is_paused(client)
        assert "The queue is paused." in Page(client.get("/")).text
        assert "The queue is paused." not in Page(client.get("/")).text

    def test_question_is_a_page_with_the_form(self, client: FlaskClient):
        found = Page(client.get("/ui/do/pause-queue?queue=default&next=/%3Fx=1"))
        fields = {str(each["name"]): each.get("value") for each in found.all("input")}
        assert fields["queue"] == "default"
        assert fields["next"] == "/?x=1"
        assert "reason" in fields

    def test_question_of_a_purge_says_how_many_jobs_wait(self, client: FlaskClient):
        for more in ({}, {}, {"delay_ms": 3_600_000}):
            client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}, **more})
        queue = client.get("/v1/jobs").get_json()["items"][0]["queue"]
        found = Page(client.get("/ui/do/purge-queue", query_string={"queue": queue}))
        assert "2 wait in line now, 1 for their time." in found.text

    def test_backfill_tells_how_many_ticks_there_were(self, client: FlaskClient):
        client.put("/v1/schedules/hourly", json={"actor": "add", "args": {"x": 1}, "cron": "0 * * * *"})
        span = {"from": "2026-01-01T00:30:00", "to": "2026-01-01T03:30:00"}
        answer = do(client, "backfill-schedule", name="hourly", next="/", **span)
        assert answer.status_code == 303
        assert "each of which has its job now: 3." in Page(client.get("/")).text

    def test_what_is_refused_is_told_with_all_that_was_typed(self, client: FlaskClient):
        answer = do(client, "purge-queue", queue="default", confirm="defualt", next="/")
        assert answer.status_code == 422
        found = Page(answer)
        assert "defualt" in [each.get("value") for each in found.all("input")]
        assert re.search(r'role="alert"', found.html)

    def test_what_cannot_be_read_is_not_sent(self, client: FlaskClient):
        answer = do(client, "pause-queue", **{**PAUSE, "until": "tomorrow"})
        assert answer.status_code == 422
        assert not is_paused(client)

    def test_goes_on_to_no_other_site(self, client: FlaskClient):
        for address in ("//evil.example", "https://evil.example/", "javascript:alert(1)"):
            assert do(client, "pause-queue", **{**PAUSE, "next": address}).headers["Location"] == "/"
            question = client.get("/ui/do/pause-queue", query_string={"queue": "default", "next": address})
            assert address not in [link["href"] for link in Page(question).all("a")]

    def test_names_lead_nowhere_else(self, client: FlaskClient, broker: JobBroker):
        submitted(broker.store, queue="a/../b?c", now_ms=1)
        assert do(client, "pause-queue", **{**PAUSE, "queue": "a/../b?c"}).status_code == 303
        assert not is_paused(client)
        paused = [each["name"] for each in client.get("/v1/queues").get_json()["items"] if each["paused"]]
        assert paused == ["a/../b?c"]

    def test_unknown_action_is_a_page(self, client: FlaskClient):
        assert client.get("/ui/do/nope", headers=BROWSER).status_code == 404

    def test_pressed_twice_it_is_done_once(self, client: FlaskClient, broker: JobBroker):
        id = submitted(broker.store, actor="add", now_ms=1)
        client.post(f"/v1/jobs/{id}/cancel")
        for _ in range(2):
            do(client, "run-job-again", id=id, args='{"x": 1}', once="n" * 20, next="/")
        assert len(client.get("/v1/jobs").get_json()["items"]) == 2


class TestAccess:
    def test_is_entered_in_the_audit_log_under_the_name_of_the_person(
        self, browser: FlaskClient, broker: JobBroker
    ):
        sign_in(browser, key=a_key(broker, "read", "operate"))
        assert do(browser, "pause-queue", **PAUSE).status_code == 303
        log = browser.get("/v1/audit?what=queues.pause", headers=bearer(ADMIN_KEY)).get_json()["items"]
        assert [(each["who"]["name"], each["why"], each["status"]) for each in log] == [
            ("a key", PAUSE["reason"], 204)
        ]

    def test_question_about_a_key_gives_its_name_and_says_if_it_is_one_s_own(
        self, browser: FlaskClient, broker: JobBroker
    ):
        (own, secret), (other, _) = made(broker, "admin"), made(broker, "read")
        sign_in(browser, key=secret)
        for key, is_own in ((own, True), (other, False)):
            text = Page(browser.get(f"/ui/do/revoke-key?id={key.id}", headers=BROWSER)).text
            assert "Its name is “a key”." in text
            assert ("the one that you are signed in with" in text) is is_own

    def test_what_a_key_may_not_do_is_neither_offered_nor_accepted(
        self, browser: FlaskClient, broker: JobBroker
    ):
        sign_in(browser, key=a_key(broker, "read"))
        assert browser.get("/ui/do/pause-queue?queue=default", headers=BROWSER).status_code == 403
        assert do(browser, "pause-queue", **PAUSE).status_code == 403
        assert not is_paused(browser, ADMIN_KEY)

    @pytest.mark.parametrize(
        "headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
    )
    def test_page_of_another_site_does_nothing(self, browser: FlaskClient, headers: dict[str, str]):
        sign_in(browser, key=ADMIN_KEY)
        assert browser.post("/ui/do/pause-queue", data=PAUSE, headers=headers).status_code == 403
        assert not is_paused(browser, ADMIN_KEY)

    def test_who_has_not_signed_in_is_told_so_on_a_page(self, browser: FlaskClient):
        answer = do(browser, "pause-queue", **{**PAUSE, "next": "/ui/queues?x=1"})
        assert answer.status_code == 401
        assert "/login?next=/ui/queues?x%3D1" in Page(answer).html
        assert not is_paused(browser, ADMIN_KEY)
