"""Every page can be used by everybody, in both themes and on a phone, whatever the data are."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.addresses import PAGES
from tests.browser.conftest import HEIGHT, WIDTH, Open
from tests.up.service import RunningService

THEMES = ("light", "dark")
PHONE = {"width": 375, "height": 800}
STATUS = {"problem": 404, "jobs-wrong": 422}
GRAVE = ("serious", "critical", "moderate")


def findings(tab: Page) -> list[str]:
    """What axe has to say against a page."""
    found = Axe().run(tab).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:200]}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"][:3]
    ]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_breaks_no_rule_and_runs_nothing_of_others(
    name: str, theme: str, visit: Open, service: RunningService
):
    address = PAGES[name](service)
    tab = visit(address, status=STATUS.get(name, 200))
    tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    assert findings(tab) == []
    assert tab.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light dark"
    assert tab.locator("img").count() == 0
    tab.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert findings(tab) == []
    tab.set_viewport_size({"width": WIDTH, "height": HEIGHT})


@pytest.mark.parametrize("theme", THEMES)
def test_dialogs_are_accessible(theme: str, visit: Open):
    tab = visit("/ui/queues")
    tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    tab.get_by_role("link", name="Pause").first.click()
    expect(tab.locator("#dialog [name='reason']")).to_be_focused()
    assert findings(tab) == []
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("link", name="Pause").first).to_be_focused()
    tab.keyboard.press("?")
    assert findings(tab) == []


def test_charts_are_drawn_anew_in_the_theme_that_is_chosen(visit: Open):
    tab = visit("/")
    expect(tab.locator(".u-legend")).to_have_count(2)
    tab.emulate_media(color_scheme="dark")
    expect(tab.locator(".u-legend")).to_have_count(2)
    rows = tab.locator("#rates-table tr[data-at]")
    assert rows.count() == 60
    tab.get_by_text("72h").click()
    assert rows.count() == 72


def test_a_theme_that_is_chosen_stays(visit: Open):
    tab = visit("/")
    tab.emulate_media(color_scheme="light")

    def background() -> str:
        """Once the style sheets are there."""
        tab.wait_for_load_state("load")
        return str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = background()
    tab.get_by_role("button", name="dark", exact=True).click()
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    dark = background()
    assert dark not in (light, "rgba(0, 0, 0, 0)")
    tab.reload()
    assert background() == dark


def test_environment_stands_on_every_page_and_before_its_title(visit: Open):
    tab = visit("/")
    assert tab.title().startswith("[test & <b>more</b>] Overview")
    assert tab.locator(".environment").inner_text() == "test & <b>more</b>"


def test_first_tab_stop_leads_to_the_content(visit: Open):
    tab = visit("/")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"
