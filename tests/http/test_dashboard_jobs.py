"""The pages of jobs: a filter in the address, pages by cursor, all that can be done with one or many."""

import csv
import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.keys import a_key, guarded_client
from tests.http.test_dashboard import MARKUP, Page, now, page
from tests.http.test_dashboard_actions import do
from tests.http.test_login import BROWSER, sign_in
from tests.store.builders import a_session, claim, claimed, finish, submitted
from worker_service.broker.broker import JobBroker
from worker_service.dashboard.pages.jobs import ON_A_PAGE
from worker_service.settings import Settings

ERROR = json.dumps({"type": "ValueError", "message": "no such row", "traceback": "deep"})


def rows(found: Page) -> list[str]:
    """Ids of the jobs in a table."""
    return [str(each["id"]).removeprefix("job-") for each in found.all("tr") if "data-row" in each]


def dead(broker: JobBroker, **fields: Any) -> str:
    """A job that failed for good."""
    job = claimed(broker.store, now_ms=now(), **fields)
    finish(broker.store, job, "dead_letter", reason="failed", error=ERROR, now_ms=now())
    return job.id


class TestList:
    def test_pages_follow_each_other_and_keep_the_filter(self, client: FlaskClient, broker: JobBroker):
        made = [submitted(broker.store, now_ms=now() + number) for number in range(ON_A_PAGE + 3)]
        submitted(broker.store, queue="other", now_ms=now())
        first = page(client, "/ui/jobs?filter=queue:default")
        (address,) = [str(link["href"]) for link in first.all("a") if link.get("rel") == "next"]
        second = page(client, address)
        assert rows(first) + rows(second) == made[::-1]
        assert [each["value"] for each in second.all("input") if each.get("id") == "filter"] == [
            "queue:default"
        ]

    def test_rail_counts_and_leads_to_states(self, client: FlaskClient, broker: JobBroker):
        id = dead(broker)
        submitted(broker.store, now_ms=now())
        found = page(client, "/ui/jobs?filter=queue:default")
        addresses = [str(link["href"]) for link in found.all("a") if "state:dead" in str(link["href"])]
        assert rows(page(client, addresses[0])) == [id]
        assert "dead 1" in found.text

    def test_wrong_filter_is_told_with_what_was_typed(self, client: FlaskClient):
        for text in ("nope:1", "state:nope"):
            answer = client.get("/ui/jobs", query_string={"filter": text})
            assert answer.status_code == 422
            found = Page(answer)
            assert text in [each.get("value") for each in found.all("input")]

    def test_last_error_and_arguments_stand_in_the_row(self, client: FlaskClient, broker: JobBroker):
        dead(broker, actor="unknown")
        client.post("/v1/jobs", json={"actor": "add", "args": {"x": 2**70}})
        text = page(client, "/ui/jobs").text
        assert "ValueError no such row" in text
        assert str(2**70) in text


class TestMany:
    @pytest.fixture
    def ids(self, broker: JobBroker) -> list[str]:
        return [dead(broker, actor="add"), dead(broker, actor="add"), submitted(broker.store, now_ms=now())]

    def test_selected_ones_are_counted_and_then_named(
        self, client: FlaskClient, broker: JobBroker, ids: list[str]
    ):
        question = page(client, f"/ui/do/retry-jobs?which=selected&ids={ids[0]}&ids={ids[2]}&next=/ui/jobs")
        assert "2 jobs selected" in question.text
        answer = do(client, "retry-jobs", which="selected", ids=ids[:1], once="n" * 20)
        bulk = client.get(answer.headers["Location"].replace("/ui/", "/v1/")).get_json()
        assert bulk["actor"] == "service.bulk"
        assert bulk["args"]["ids"] == ids[:1]

    def test_all_that_match_are_counted_now(self, client: FlaskClient, ids: list[str]):
        address = "/ui/do/delete-jobs?which=all&filter=state:dead&next=/"
        assert "2 jobs match “state:dead” now." in page(client, address).text
        answer = do(client, "delete-jobs", which="all", filter="state:dead", once="n" * 20)
        bulk = client.get(answer.headers["Location"].replace("/ui/", "/v1/")).get_json()
        assert bulk["args"]["filter"]["states"] == ["dead"]

    def test_what_has_to_be_read_is_found_first(self, client: FlaskClient, ids: list[str]):
        address = "/ui/do/retry-jobs?which=all&filter=error:such&next=/"
        assert "2 jobs match" in page(client, address).text
        answer = do(client, "retry-jobs", which="all", filter="error:such", once="n" * 20)
        bulk = client.get(answer.headers["Location"].replace("/ui/", "/v1/")).get_json()
        assert set(bulk["args"]["ids"]) == set(ids[:2])

    def test_those_that_wait_for_their_time_run_now(self, client: FlaskClient, broker: JobBroker):
        later = [submitted(broker.store, actor="add", delay_ms=60_000, now_ms=now()) for _ in range(2)]
        ended = dead(broker, actor="add")
        query = f"which=selected&ids={later[0]}&ids={later[1]}&ids={ended}"
        assert "3 jobs are meant" in page(client, f"/ui/do/run-jobs-now?{query}").text
        do(client, "run-jobs-now", which="selected", ids=[*later, ended])
        assert "2 jobs wait for their time no longer." in page(client, "/ui/jobs").text
        assert {client.get(f"/v1/jobs/{id}").get_json()["state"] for id in later} == {"queued"}

    @pytest.mark.parametrize("form", [{"which": "selected"}, {"which": "all", "filter": ""}])
    def test_nothing_is_not_everything(self, client: FlaskClient, ids: list[str], form: dict[str, str]):
        assert do(client, "delete-jobs", **form).status_code == 422

    def test_who_may_only_read_is_offered_nothing(
        self, broker: JobBroker, settings: Settings, ids: list[str]
    ):
        browser = guarded_client(broker, settings)
        sign_in(browser, key=a_key(broker, "read"))
        for path in ("/ui/jobs", f"/ui/jobs/{ids[0]}"):
            html = browser.get(path, headers=BROWSER).get_data(as_text=True)
            assert "/ui/do/" not in html.replace('id="selection" method="get" action="/ui/do/', "")
            assert "data-action" not in html
            assert 'name="ids"' not in html


class TestExport:
    def test_is_all_that_matches_in_both_forms(self, client: FlaskClient, broker: JobBroker):
        made = [submitted(broker.store, now_ms=now() + number) for number in range(ON_A_PAGE + 3)]
        submitted(broker.store, queue="other", now_ms=now())
        as_json = client.get("/ui/jobs/export?filter=queue:default&format=json")
        assert [job["id"] for job in as_json.get_json()] == made[::-1]
        as_csv = client.get("/ui/jobs/export?filter=queue:default&format=csv")
        assert as_csv.content_type.startswith("text/csv")
        assert "attachment" in as_csv.headers["Content-Disposition"]
        lines = list(csv.DictReader(io.StringIO(as_csv.get_data(as_text=True), newline="")))
        assert [line["id"] for line in lines] == made[::-1]

    def test_wrong_filter_and_format_are_pages(self, client: FlaskClient):
        assert client.get("/ui/jobs/export?filter=nope:1", headers=BROWSER).status_code == 422
        assert client.get("/ui/jobs/export?format=xml", headers=BROWSER).status_code == 404


class TestJob:
    def test_tells_all_that_is_known(self, client: FlaskClient, broker: JobBroker):
        id = dead(broker, actor="add")
        text = page(client, f"/ui/jobs/{id}").text
        for part in ("run 1 started", "run 1 failed for good", "no such row", "It was given up", "curl"):
            assert part in text

    def test_command_sends_the_same_job(self, client: FlaskClient):
        id = client.post(
            "/v1/jobs", json={"actor": "add", "args": {"x": 1}, "tags": ["it's"], "queue": "other"}
        ).get_json()["id"]
        text = page(client, f"/ui/jobs/{id}").text
        body = json.loads(text[text.index("-d '") + 4 :].split("}' ")[0].replace("'\"'\"'", "'") + "}")
        assert body["actor"] == "add"
        assert body["tags"] == ["it's"]
        assert body["queue"] == "other"

    def test_offers_what_its_state_allows(self, client: FlaskClient, broker: JobBroker):
        waiting = submitted(broker.store, actor="add", delay_ms=60_000, now_ms=now())
        found = page(client, f"/ui/jobs/{waiting}").html
        assert "run-job-now" in found
        assert "cancel-job" in found
        assert "delete-job" not in found
        ended = page(client, f"/ui/jobs/{dead(broker, actor='add')}").html
        assert "retry-job" in ended
        assert "delete-job" in ended
        assert "cancel-job" not in ended

    def test_is_run_again_with_other_arguments(self, client: FlaskClient, broker: JobBroker):
        id = dead(broker, actor="add")
        answer = do(client, "run-job-again", id=id, args='{"x": 5}', once="n" * 20)
        made = client.get(answer.headers["Location"].replace("/ui/", "/v1/")).get_json()
        assert (made["args"], made["replayed_from"]) == ({"x": 5}, id)
        refused = do(client, "run-job-again", id=id, args='{"x": "five"', once="m" * 20)
        assert refused.status_code == 422
        assert '{"x": "five"' in Page(refused).text

    def test_step_in_doubt_is_settled(self, client: FlaskClient, broker: JobBroker):
        job = claimed(broker.store, actor="add", now_ms=now())
        broker.store.begin_step(job.id, job.token, "charge")
        finish(broker.store, job, "dead_letter", reason="failed", error=ERROR, now_ms=now())
        found = page(client, f"/ui/jobs/{job.id}")
        (address,) = [str(each["href"]) for each in found.all("a") if each.get("data-action") == "step-done"]
        assert "Did charge happen?" in page(client, address).text
        assert do(client, "step-done", id=job.id, name="charge").status_code == 303
        assert client.get(f"/v1/jobs/{job.id}").get_json()["steps"][0]["state"] == "done"
        assert "step-done" not in page(client, f"/ui/jobs/{job.id}").html

    def test_unknown_one_is_a_page(self, client: FlaskClient):
        assert client.get("/ui/jobs/nope", headers=BROWSER).status_code == 404

    def test_markup_is_text(self, client: FlaskClient, broker: JobBroker):
        error = json.dumps({"type": MARKUP, "message": MARKUP, "traceback": MARKUP})
        submitted(broker.store, MARKUP, queue=MARKUP, actor=MARKUP, now_ms=now())
        a_session(broker.store, now_ms=now())
        (job,) = claim(broker.store, queues=[MARKUP], now_ms=now()).jobs
        finish(broker.store, job, "dead_letter", reason=MARKUP, error=error, now_ms=now())
        listed = page(client, "/ui/jobs")
        (address,) = [str(link["href"]) for link in listed.all("a") if "data-open" in link]
        found = page(client, address)
        for each in (listed, found):
            assert not each.all("img")
            assert all(str(script["src"]).startswith("/static/") for script in each.all("script"))
        assert found.text.count(" ".join(MARKUP.split())) >= 5
