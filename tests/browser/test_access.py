"""People sign in, see and do what their key allows, and steer workers; on a service of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_actions import answer_dialog
from tests.browser.watched import Watched
from tests.up.service import RunningService
from tests.waiting import wait_until

ADMIN_KEY = "correct-horse-battery-staple"
AS_ADMIN = {"Authorization": f"Bearer {ADMIN_KEY}"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that asks for a key."""
    running = RunningService(
        tmp_path_factory.mktemp("guarded"),
        cwd=Path(__file__).parent,
        JOBS_ACTOR_MODULES="browser_actors",
        JOBS_ADMIN_KEY=ADMIN_KEY,
    )
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


@pytest.fixture
def tab(chromium: Browser, guarded: RunningService) -> Iterator[Page]:
    """A tab in which nobody has signed in."""
    context = chromium.new_context(base_url=str(guarded.http.base_url))
    made = context.new_page()
    watched = Watched(made)
    yield made
    assert watched.troubles == []
    context.close()


def sign_in(tab: Page, key: str) -> None:
    tab.get_by_label("API key").fill(key)
    tab.get_by_role("button", name="Sign in").click()


def test_page_leads_to_signing_in_and_back_and_out_again(tab: Page):
    tab.goto("/ui/queues")
    assert tab.title().startswith("Sign in")
    sign_in(tab, ADMIN_KEY)
    tab.wait_for_url("**/ui/queues")
    tab.get_by_role("button", name="Sign out").click()
    tab.goto("/ui/queues")
    expect(tab.get_by_label("API key")).to_be_visible()


def test_key_is_made_shown_once_and_may_only_read(tab: Page, guarded: RunningService):
    tab.goto("/ui/system/keys")
    sign_in(tab, ADMIN_KEY)
    tab.get_by_role("link", name="New key").click()
    tab.get_by_label("read everything").check()
    answer_dialog(tab, "New key", name="reader")
    secret = tab.locator("#shown").inner_text()
    tab.get_by_role("link", name="Done").click()
    expect(tab.locator("tr[data-row]", has_text="reader")).to_be_visible()
    assert secret not in tab.content()
    tab.get_by_role("button", name="Sign out").click()

    sign_in(tab, secret)
    for path in ("/", "/ui/jobs", "/ui/queues", "/ui/workers", "/ui/schedules", "/ui/system"):
        tab.goto(path)
        assert tab.locator("[data-action]").count() == 0, path
        assert tab.get_by_role("link", name="Audit log").count() == 0
    tab.get_by_role("button", name="Sign out").click()

    tab.goto("/ui/system/keys")
    sign_in(tab, ADMIN_KEY)
    tab.locator("tr[data-row]", has_text="reader").get_by_role("link", name="Revoke").click()
    answer_dialog(tab, "Revoke")
    expect(tab.locator(".notice-bar")).to_have_text("The key is revoked.")
    tab.goto("/ui/system/audit?what=keys")
    expect(tab.locator("tbody tr", has_text="keys.revoke")).to_contain_text("204")


def test_key_gets_another_secret_and_the_one_before_ends(tab: Page, guarded: RunningService):
    added = guarded.http.post(
        "/v1/keys", json={"name": "rotated", "scopes": ["read"]}, headers=AS_ADMIN
    ).json()
    tab.goto("/ui/system/keys")
    sign_in(tab, ADMIN_KEY)
    tab.locator("tr[data-row]", has_text="rotated").get_by_role("link", name="Another secret").click()
    answer_dialog(tab, "Another secret", overlap_ms="0s")
    secret = tab.locator("#shown").inner_text()
    tab.get_by_role("link", name="Done").click()
    tab.get_by_role("button", name="Sign out").click()
    sign_in(tab, added["key"])
    expect(tab.get_by_role("alert")).to_be_visible()
    sign_in(tab, secret)
    expect(tab.locator("footer")).to_contain_text("rotated")


def test_worker_is_quieted_and_stopped_and_another_one_starts(tab: Page, guarded: RunningService):
    tab.goto("/ui/workers")
    sign_in(tab, ADMIN_KEY)
    (worker,) = guarded.http.get("/v1/workers", headers=AS_ADMIN).json()["items"]
    row = tab.locator("tr[data-row]", has_text=worker["id"])
    row.get_by_role("link", name="Quiet").click()
    answer_dialog(tab, "Quiet")
    expect(row.locator(".state")).to_have_text("quiet")
    row.get_by_role("link", name="Stop").click()
    answer_dialog(tab, "Stop")
    wait_until(
        lambda: (
            worker["id"]
            not in [each["id"] for each in guarded.http.get("/v1/workers", headers=AS_ADMIN).json()["items"]]
        ),
        timeout=20,
    )
    expect(row).to_have_count(0)


def test_page_that_is_open_leads_to_signing_in_when_the_session_ends(tab: Page, guarded: RunningService):
    tab.goto("/ui/jobs")
    sign_in(tab, ADMIN_KEY)
    expect(tab.locator("#live-state")).to_have_text("Live")
    tab.context.clear_cookies()
    guarded.http.post("/v1/jobs", json={"actor": "succeed"}, headers=AS_ADMIN)
    expect(tab.get_by_label("API key")).to_be_visible()
