"""Without scripts everything is there: links, filters, forms, questions as pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.addresses import PAGES
from tests.up.service import RunningService


@pytest.fixture
def tab(chromium: Browser, service: RunningService) -> Iterator[Page]:
    """A tab of a browser that runs no scripts."""
    made = chromium.new_context(base_url=str(service.http.base_url), java_script_enabled=False)
    yield made.new_page()
    made.close()


def test_every_page_says_what_it_has_to(tab: Page, service: RunningService):
    for name, address in PAGES.items():
        tab.goto(address(service))
        assert tab.locator("h1").inner_text(), name
        assert tab.locator("[data-copy]:visible, [data-all]:visible, #live-switch:visible").count() == 0


def test_filter_pages_and_an_action_on_many_jobs(tab: Page, service: RunningService):
    for number in range(3):
        service.http.post(
            "/v1/jobs", json={"actor": "wait", "tags": ["noscript"], "args": {"number": number}}
        )
    tab.goto("/ui/jobs")
    tab.get_by_role("link", name="Next page").click()
    tab.locator("#filter").fill("tag:noscript")
    tab.get_by_role("button", name="Apply").click()
    assert tab.locator("tr[data-row]").count() == 3
    tab.locator("input[name=ids]").first.check()
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_text("1 job selected.")).to_be_visible()
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.locator("h1")).to_contain_text("service.bulk")


def test_question_is_a_page_and_leads_back(tab: Page, service: RunningService):
    tab.goto("/ui/schedules")
    row = tab.locator("tr[data-row]", has_text="every-minute")
    row.get_by_role("link", name="Pause").click()
    tab.get_by_label("Why").fill("No scripts.")
    tab.get_by_role("button", name="Pause").click()
    expect(tab.locator(".notice-bar")).to_have_text("The schedule is paused.")
    expect(row).to_contain_text("No scripts.")
    row.get_by_role("button", name="Resume").click()
    expect(row).not_to_contain_text("No scripts.")


def test_schedule_is_made(tab: Page, service: RunningService):
    tab.goto("/ui/schedules")
    tab.get_by_role("link", name="New schedule").click()
    tab.get_by_label("Actor").select_option("wait")
    tab.get_by_role("button", name="Show its arguments").click()
    tab.get_by_label("Name").first.fill("without-script")
    tab.get_by_label("At an interval").check()
    tab.get_by_label("Interval", exact=True).fill("often")
    tab.get_by_role("button", name="Create").first.click()
    expect(tab.locator("#wrong-field-every_ms")).to_contain_text("such as 90s")
    tab.get_by_label("Interval", exact=True).fill("2h")
    tab.get_by_role("button", name="Create").first.click()
    expect(tab.locator("#when + .panel")).to_contain_text("every 2 h")
    service.http.delete("/v1/schedules/without-script")


def test_theme_is_chosen(tab: Page):
    tab.goto("/ui/queues")
    tab.get_by_role("button", name="dark", exact=True).click()
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    assert tab.url.endswith("/ui/queues")
