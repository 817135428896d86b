"""Pages follow what happens, and wait while that would disturb whoever looks."""

import os
import re
import signal

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open
from tests.up.service import RunningService
from tests.waiting import wait_until

LIVE = re.compile("^Live$")


def listen(tab: Page) -> None:
    """Until the stream is open and its first events were followed."""
    expect(tab.locator("#live-state")).to_have_text(LIVE)


def job_rows(tab: Page) -> int:
    return tab.locator("tr[data-row]").count()


def test_new_job_appears_in_the_list(visit: Open, service: RunningService):
    tab = visit("/ui/jobs?filter=tag:appears")
    listen(tab)
    answer = service.http.post("/v1/jobs", json={"actor": "succeed", "tags": ["appears"]})
    expect(tab.locator(f"[id='job-{answer.json()['id']}'] .state")).to_have_text("succeeded")


def test_progress_log_and_end_of_a_job_are_followed(visit: Open, service: RunningService):
    id = service.submit("work", seconds=3, note="half way").rpartition("/")[2]
    tab = visit(f"/ui/jobs/{id}")
    expect(tab.locator("h1 .state")).to_have_text("running")
    expect(tab.locator("#progress + .panel")).to_contain_text("half way")
    expect(tab.locator(".log li").nth(3)).to_contain_text("s are left. half way")
    expect(tab.locator("h1 .state")).to_have_text("succeeded")
    expect(tab.locator("#result + .panel")).to_contain_text("worked")


def test_what_was_removed_stays_and_is_told(visit: Open, service: RunningService):
    path = service.submit("succeed", value="to be removed")
    service.wait_for_state(path, "succeeded")
    tab = visit("/ui" + path.removeprefix("/v1"))
    listen(tab)
    service.http.delete(path)
    expect(tab.locator("#live-state")).to_have_text("It was removed: this is how it was")
    expect(tab.locator("#result + .panel")).to_contain_text("to be removed")


def test_focus_what_is_typed_and_what_is_unfolded_stay(visit: Open, service: RunningService):
    tab = visit("/ui/jobs?filter=queue:pages")
    listen(tab)
    tab.locator("#help summary").click()
    tab.locator("#filter").fill("queue:pages and mo")
    newest = service.submit("succeed", value="newest").rpartition("/")[2]
    expect(tab.locator(f"[id='job-{newest}']")).to_be_visible()
    tab.keyboard.type("re")
    expect(tab.locator("#filter")).to_have_value("queue:pages and more")
    expect(tab.locator("#filter")).to_be_focused()
    expect(tab.locator("#help p")).to_be_visible()


def test_nothing_moves_while_rows_are_selected(visit: Open, service: RunningService):
    service.submit("wait", number=1000)
    tab = visit("/ui/jobs?filter=actor:wait")
    listen(tab)
    box = tab.locator("input[name=ids]").first
    box.check()
    expect(tab.locator("[data-chosen]")).to_have_text("1 selected")
    made = service.submit("wait", number=1001).rpartition("/")[2]
    expect(tab.locator("#live-state")).to_have_text("Updates wait: rows are selected")
    tab.wait_for_timeout(1500)  # more than the time between two updates
    assert tab.locator(f"[id='job-{made}']").count() == 0
    expect(box).to_be_checked()
    box.uncheck()
    expect(tab.locator(f"[id='job-{made}']")).to_be_visible()


def test_nothing_moves_while_a_dialog_is_open_or_updates_are_paused(visit: Open, service: RunningService):
    tab = visit("/ui/queues")
    listen(tab)
    tab.get_by_role("link", name="Purge").first.click()
    expect(tab.locator("#dialog")).to_be_visible()
    expect(tab.locator("#live-state")).to_have_text("Updates wait for the dialog")
    tab.keyboard.press("Escape")
    expect(tab.locator("#live-state")).to_have_text(LIVE)
    tab.get_by_role("button", name="Pause updates").click()
    expect(tab.locator("#live-state")).to_have_text("Updates are paused")
    tab.reload()
    expect(tab.locator("#live-state")).to_have_text("Updates are paused")
    tab.get_by_role("button", name="Go on").click()
    listen(tab)


def test_without_a_stream_the_page_is_asked_for_again(visit: Open, service: RunningService):
    tab = visit("/ui/jobs?filter=tag:polled", excused="/v1/events")
    listen(tab)
    tab.route("**/v1/events", lambda route: route.fulfill(status=503, body="no seat"))
    tab.clock.install()
    tab.reload()
    expect(tab.locator("#live-state")).to_have_text("Looked at every 10 s")
    answer = service.http.post("/v1/jobs", json={"actor": "succeed", "tags": ["polled"]})
    tab.clock.run_for(12_000)
    expect(tab.locator(f"[id='job-{answer.json()['id']}']")).to_be_visible()


def test_what_was_missed_while_the_service_was_away_is_made_up_for(visit: Open, service: RunningService):
    tab = visit("/ui/jobs?filter=tag:restarted", excused="/")
    expect(tab.locator("#live-state")).to_have_text("Live")
    for pid in (each for each, command in service.processes().items() if "granian" in command):
        os.kill(pid, signal.SIGKILL)
    expect(tab.locator("#live-state")).to_have_text("Connecting")
    wait_until(service.is_ready, timeout=20)
    assert service.http.post("/v1/jobs", json={"actor": "succeed", "tags": ["restarted"]}).status_code == 202
    expect(tab.locator("tr[data-row]")).to_have_count(1)
    expect(tab.locator("#live-state")).to_have_text("Live")


def test_update_that_fails_is_made_up_for_without_a_further_event(visit: Open, service: RunningService):
    tab = visit("/ui/jobs?filter=tag:missed", excused="/ui/jobs")
    listen(tab)
    failed: list[str] = []

    def fail(route: Route) -> None:
        failed.append(route.request.url)
        route.fulfill(status=503, body="away")

    tab.route("**/ui/jobs?*", fail)
    answer = service.http.post("/v1/jobs", json={"actor": "succeed", "tags": ["missed"]})
    service.wait_for_state(answer.headers["Location"], "succeeded")
    expect(tab.locator("#live-state")).to_have_text("The service does not answer; asked again soon")
    assert failed
    tab.unroute("**/ui/jobs?*")
    expect(tab.locator(f"[id='job-{answer.json()['id']}']")).to_be_visible(timeout=15_000)
    expect(tab.locator("#live-state")).to_have_text(LIVE)
