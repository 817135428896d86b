"""Everything that can be done on the pages, done in a browser on a service that runs, and what became of it."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.up.service import RunningService
from tests.waiting import wait_until


def state_of(service: RunningService, id: str) -> str:
    return str(service.http.get(f"/v1/jobs/{id}").json()["state"])


def dead_job(service: RunningService, message: str) -> str:
    """A job that failed for good."""
    path = service.submit("fail", message=message)
    service.wait_for_state(path, "dead")
    return path.rpartition("/")[2]


def answer_dialog(tab: Page, button: str, **fields: str) -> None:
    """Fill in what a dialog asks for, and press its button."""
    dialog = tab.locator("#dialog")
    expect(dialog).to_be_visible()
    for name, value in fields.items():
        dialog.locator(f"[name='{name}']").fill(value)
    dialog.get_by_role("button", name=button).click()


def told(tab: Page, text: str) -> None:
    expect(tab.locator(".notice-bar")).to_have_text(text)


class TestJobs:
    def test_retry_runs_a_dead_job_again(self, visit: Open, service: RunningService):
        id = dead_job(service, "retry me")
        tab = visit(f"/ui/jobs/{id}")
        tab.get_by_role("button", name="Retry").click()
        told(tab, "The job is put back, with a new round of attempts.")
        wait_until(lambda: len(service.job(f"/v1/jobs/{id}")["attempts"]) == 2)

    def test_cancel_interrupts_a_running_job(self, visit: Open, service: RunningService):
        path = service.submit("work", seconds=60)
        service.wait_for_state(path, "running")
        tab = visit("/ui" + path.removeprefix("/v1"))
        tab.get_by_role("link", name="Cancel").click()
        answer_dialog(tab, "Cancel")
        service.wait_for_state(path, "cancelled")
        expect(tab.locator("h1 .state")).to_have_text("cancelled")

    def test_run_now_starts_a_job_that_waits_for_its_time(self, visit: Open, service: RunningService):
        made = service.http.post("/v1/jobs", json={"actor": "succeed", "delay_ms": 3_600_000}).json()
        tab = visit(f"/ui/jobs/{made['id']}")
        tab.get_by_role("button", name="Run now").click()
        expect(tab.locator("h1 .state")).to_have_text("succeeded")

    def test_delete_removes_a_job_and_leads_to_the_list(self, visit: Open, service: RunningService):
        id = dead_job(service, "delete me")
        tab = visit(f"/ui/jobs/{id}")
        tab.get_by_role("link", name="Delete").click()
        answer_dialog(tab, "Delete")
        told(tab, "The job is removed.")
        assert service.http.get(f"/v1/jobs/{id}").status_code == 404

    def test_run_again_with_other_arguments_makes_a_new_job(self, visit: Open, service: RunningService):
        id = dead_job(service, "other arguments")
        tab = visit(f"/ui/jobs/{id}")
        tab.get_by_text("With other arguments").click()
        tab.get_by_label("Arguments, as JSON").fill('{"message": "new"}')
        tab.get_by_role("button", name="Run as a new job").click()
        expect(tab.get_by_text("Made again from")).to_be_visible()
        assert json.loads(json.dumps(service.job(f"/v1/jobs/{id}")))["replayed_as"]

    def test_step_in_doubt_is_settled(self, visit: Open, service: RunningService):
        path = service.submit("charge", order=17)
        service.wait_for_state(path, "dead")
        tab = visit("/ui" + path.removeprefix("/v1"))
        row = tab.locator("tr", has_text="charge").filter(has=tab.get_by_role("link", name="It happened"))
        expect(row).to_contain_text("in doubt")
        row.get_by_role("link", name="It did not happen").click()
        answer_dialog(tab, "It did not happen")
        told(tab, "The step will be done when the job goes on.")
        tab.get_by_role("button", name="Retry").click()
        wait_until(
            lambda: (
                [each["error"]["type"] for each in service.job(path)["attempts"]] == 2 * ["ConnectionError"]
            )
        )
        row.get_by_role("link", name="It happened").click()
        answer_dialog(tab, "It happened", result='"ch_17"')
        told(tab, "The step counts as done.")
        tab.get_by_role("button", name="Retry").click()
        assert service.wait_for_state(path, "succeeded")["result"] == "ch_17"

    def test_job_that_succeeded_is_sent_again(self, visit: Open, service: RunningService):
        path = service.submit("succeed", value="once")
        service.wait_for_state(path, "succeeded")
        tab = visit("/ui" + path.removeprefix("/v1"))
        tab.get_by_text("With other arguments").click()
        tab.get_by_label("Arguments, as JSON").fill('{"value": "twice"}')
        tab.get_by_role("button", name="Run as a new job").click()
        told(tab, "The job was accepted.")
        expect(tab.locator("#result + .panel")).to_contain_text("twice")

    def test_command_is_copied(self, visit: Open, service: RunningService):
        id = dead_job(service, "copy me")
        tab = visit(f"/ui/jobs/{id}")
        tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
        tab.get_by_role("button", name="Copy").click()
        expect(tab.get_by_role("button", name="Copied")).to_be_visible()
        assert "copy me" in tab.evaluate("navigator.clipboard.readText()")


class TestManyJobs:
    @pytest.fixture
    def tag(self, service: RunningService, request: pytest.FixtureRequest) -> str:
        """Of three dead jobs."""
        name = request.node.name
        for _ in range(3):
            body = {"actor": "fail", "args": {"message": name}, "tags": [name]}
            assert service.http.post("/v1/jobs", json=body).status_code == 202
        wait_until(lambda: len(self.jobs(service, name, "dead")) == 3)
        return str(name)

    def jobs(self, service: RunningService, tag: str, state: str | None = None) -> list[Any]:
        query = {"tag": tag} | ({"state": state} if state else {})
        found: list[Any] = service.http.get("/v1/jobs", params=query).json()["items"]
        return found

    def test_selected_ones_are_deleted(self, visit: Open, service: RunningService, tag: str):
        tab = visit(f"/ui/jobs?filter=tag:{tag}")
        tab.locator("input[name=ids]").nth(0).check()
        tab.locator("input[name=ids]").nth(1).check()
        tab.get_by_role("button", name="Delete").click()
        expect(tab.get_by_text("2 jobs selected.")).to_be_visible()
        tab.get_by_role("button", name="Delete").click()
        expect(tab.locator("h1 .state")).to_have_text("succeeded")
        assert len(self.jobs(service, tag)) == 1

    def test_all_that_match_are_retried(self, visit: Open, service: RunningService, tag: str):
        tab = visit(f"/ui/jobs?filter=tag:{tag}+state:dead")
        tab.locator("#which").select_option("all")
        tab.get_by_role("button", name="Retry").click()
        expect(tab.get_by_text("3 jobs match")).to_be_visible()
        tab.get_by_role("button", name="Retry").click()
        expect(tab.locator("h1 .state")).to_have_text("succeeded")
        wait_until(lambda: {len(job["attempts"]) for job in self.jobs(service, tag)} == {2})

    def test_page_is_selected_at_once(self, visit: Open, service: RunningService, tag: str):
        tab = visit(f"/ui/jobs?filter=tag:{tag}")
        tab.locator("[data-all]").check()
        expect(tab.locator("[data-chosen]")).to_have_text("3 selected")

    @pytest.mark.parametrize("kind", ["JSON", "CSV"])
    def test_list_is_saved(self, visit: Open, service: RunningService, tag: str, kind: str):
        tab = visit(f"/ui/jobs?filter=tag:{tag}")
        with tab.expect_download() as download:
            tab.get_by_role("link", name=kind).click()
        text = download.value.path().read_text()
        assert all(job["id"] in text for job in self.jobs(service, tag))

    def test_those_that_wait_for_their_time_run_now(self, visit: Open, service: RunningService):
        for _ in range(2):
            body = {"actor": "succeed", "delay_ms": 3_600_000, "tags": ["much-later"]}
            assert service.http.post("/v1/jobs", json=body).status_code == 202
        tab = visit("/ui/jobs?filter=tag:much-later")
        tab.locator("[data-all]").check()
        tab.get_by_role("button", name="Run now").click()
        expect(tab.get_by_text("2 jobs are meant")).to_be_visible()
        tab.get_by_role("button", name="Run now").click()
        told(tab, "2 jobs wait for their time no longer.")
        wait_until(lambda: len(self.jobs(service, "much-later", "succeeded")) == 2)

    def test_group_of_failures_is_retried(self, visit: Open, service: RunningService, tag: str):
        tab = visit("/ui/failures")
        tab.locator("tr[data-row]", has_text="fail: ValueError").get_by_role("link", name="Retry").click()
        answer_dialog(tab, "Retry")
        expect(tab.locator("h1 .state")).to_have_text("succeeded")
        wait_until(lambda: {len(job["attempts"]) for job in self.jobs(service, tag)} == {2})

    def test_group_of_failures_is_deleted(self, visit: Open, service: RunningService, tag: str):
        tab = visit("/ui/failures")
        tab.get_by_role("link", name="Delete").first.click()
        answer_dialog(tab, "Delete")
        expect(tab.locator("h1 .state")).to_have_text("succeeded")
        assert self.jobs(service, tag) == []


class TestQueues:
    @pytest.fixture(autouse=True)
    def emptied(self, service: RunningService) -> None:
        """A queue of its own with a job that nobody takes."""
        service.http.post("/v1/jobs", json={"actor": "wait", "queue": "reports"})

    def test_pause_with_a_reason_limit_resume(self, visit: Open, service: RunningService):
        tab = visit("/ui/queues")
        row = tab.locator("tr[data-row]", has_text="reports")
        row.get_by_role("link", name="Pause").click()
        answer_dialog(tab, "Pause", reason="We move.", until="2040-01-31T12:00")
        expect(row).to_contain_text("We move.")
        assert service.http.get("/v1/queues/reports").json()["paused"]["until"] == "2040-01-31T12:00:00.000Z"
        row.get_by_role("link", name="Limit").click()
        answer_dialog(tab, "Limit", max_depth="1000")
        expect(row).to_contain_text("at most 1,000 wait")
        row.get_by_role("button", name="Resume").click()
        told(tab, "Jobs of the queue are started again.")

    def test_purge_by_typing_the_name(self, visit: Open, service: RunningService):
        post = service.http.post
        post("/v1/queues/reports/pause", json={"reason": "to be purged"})
        id = post("/v1/jobs", json={"actor": "wait", "queue": "reports"}).json()["id"]
        tab = visit("/ui/queues")
        tab.locator("tr[data-row]", has_text="reports").get_by_role("link", name="Purge").click()
        answer_dialog(tab, "Purge", confirm="reports")
        told(tab, "Jobs of the queue that were cancelled: 1.")
        assert state_of(service, id) == "cancelled"
        post("/v1/queues/reports/resume")


class TestSchedules:
    def test_is_made_edited_run_paused_resumed_and_deleted(self, visit: Open, service: RunningService):
        tab = visit("/ui/schedules")
        tab.get_by_role("link", name="New schedule").click()
        tab.get_by_label("Actor").select_option("order")
        tab.get_by_role("button", name="Show its arguments").click()
        tab.get_by_label("Name").first.fill("made-here")
        tab.get_by_label("Cron").fill("0 9 * *")
        tab.get_by_label("customer").fill("Ann")
        tab.get_by_label("card").fill("4000123412341234")
        tab.get_by_label("amount").fill("3")
        tab.get_by_role("button", name="Create").first.click()
        expect(tab.locator("#wrong-field-cron")).to_be_visible()
        assert "4000123412341234" not in tab.content()
        tab.get_by_label("Cron").fill("0 9 * * mon-fri")
        tab.get_by_label("card").fill("4000123412341234")
        tab.get_by_role("button", name="Create").first.click()
        told(tab, "The schedule is made.")
        expect(tab.locator("#when + .panel")).to_contain_text("at 09:00 on Monday to Friday")
        tab.get_by_role("link", name="Edit").click()
        tab.get_by_label("At an interval").check()
        expect(tab.get_by_label("Cron")).not_to_be_visible()
        tab.get_by_label("Interval", exact=True).fill("1h 30m")
        tab.get_by_label("card").fill("4000123412341234")
        tab.get_by_role("button", name="Save").first.click()
        told(tab, "The schedule is changed.")
        expect(tab.locator("#when + .panel")).to_contain_text("every 1 h 30 min")
        tab.get_by_role("link", name="Pause", exact=True).click()
        answer_dialog(tab, "Pause", note="Not now.")
        expect(tab.locator("#when + .panel")).to_contain_text("Not now.")
        tab.get_by_role("button", name="Resume").click()
        told(tab, "The ticks of the schedule are fired again.")
        tab.get_by_role("button", name="Run now").click()
        expect(tab.locator("h1 .state")).to_have_text("succeeded")
        tab.goto("/ui/schedules/made-here")
        tab.get_by_role("link", name="Delete").click()
        answer_dialog(tab, "Delete")
        told(tab, "The schedule is removed.")
        expect(tab.get_by_role("heading", name="Schedules")).to_be_visible()
        assert service.http.get("/v1/schedules/made-here").status_code == 404

    def test_jobs_of_past_ticks_are_made(self, visit: Open, service: RunningService):
        definition = {"actor": "succeed", "cron": "0 9 * * *", "timezone": "UTC"}
        assert service.http.put("/v1/schedules/of-the-past", json=definition).status_code == 201
        tab = visit("/ui/schedules/of-the-past")
        tab.get_by_role("link", name="Backfill").click()
        answer_dialog(tab, "Backfill", **{"from": "2025-03-01T00:00", "to": "2025-03-03T00:00"})
        told(tab, "Ticks of that time, each of which has its job now: 2.")
        expect(tab.locator("#history ~ .wide")).to_contain_text("2025-03-02 09:00:00")
        expect(tab.locator("#history ~ .wide .state")).to_have_text(["succeeded", "succeeded"])
        service.http.delete("/v1/schedules/of-the-past")


class TestActors:
    def test_form_from_the_schema_sends_a_job(self, visit: Open, service: RunningService):
        tab = visit("/ui/actors/order")
        form = tab.locator("#send + form")
        form.locator("[name='arg.customer']").fill("Ann")
        form.locator("[name='arg.card']").fill("4000123412341234")
        form.locator("[name='arg.amount']").fill("3")
        form.locator("[name='arg.size']").select_option(label="large")
        form.locator("[name='arg.gift']").select_option(label="true")
        form.get_by_role("button", name="Send").click()
        expect(tab.locator("h1 .state")).to_have_text("succeeded")
        expect(tab.locator("#result + .panel")).to_contain_text("Ann: 3 large True")
        assert "4000123412341234" not in tab.content()
