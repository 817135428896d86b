"""Single keys do what the list of keys says, unless they are switched off."""

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.up.service import RunningService


def test_slash_leads_to_the_filter_and_keys_do_nothing_while_one_types(visit: Open):
    tab = visit("/ui/jobs")
    tab.keyboard.press("/")
    expect(tab.locator("#filter")).to_be_focused()
    tab.keyboard.type("gqxr?")
    expect(tab.locator("#filter")).to_have_value("gqxr?")
    assert tab.url.endswith("/ui/jobs")


def test_question_mark_lists_the_keys(visit: Open):
    tab = visit("/ui/jobs")
    tab.keyboard.press("?")
    expect(tab.locator("#keys")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator("#keys")).to_be_hidden()


def test_g_and_a_letter_lead_to_a_page(visit: Open):
    tab = visit("/")
    for letter, path in (("q", "/ui/queues"), ("j", "/ui/jobs"), ("y", "/ui/system"), ("o", "/")):
        tab.keyboard.press("g")
        tab.keyboard.press(letter)
        tab.wait_for_url(f"**{path}")


def test_rows_are_walked_selected_and_opened(visit: Open, service: RunningService):
    tab = visit("/ui/jobs?filter=actor:wait")
    ids = [row.get_attribute("id") for row in tab.locator("tr[data-row]").all()]
    for key in "jjk":
        tab.keyboard.press(key)
    assert tab.evaluate("document.activeElement.closest('tr').id") == ids[0]
    tab.keyboard.press("x")
    expect(tab.locator("input[name=ids]").first).to_be_checked()
    tab.keyboard.press("x")
    expect(tab.locator("input[name=ids]").first).not_to_be_checked()
    tab.keyboard.press("j")
    assert tab.evaluate("document.activeElement.closest('tr').id") in ids[:2]
    tab.locator("[data-open]").first.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/ui/jobs/*")


def test_r_retries_and_c_asks_to_cancel(visit: Open, service: RunningService):
    path = service.submit("fail", message="by key")
    service.wait_for_state(path, "dead")
    tab = visit("/ui" + path.removeprefix("/v1"))
    tab.keyboard.press("r")
    expect(tab.locator(".notice-bar")).to_contain_text("put back")
    waiting = service.submit("wait", number=7)
    tab.goto("/ui" + waiting.removeprefix("/v1"))
    tab.keyboard.press("c")
    expect(tab.locator("#dialog")).to_be_visible()


def test_keys_can_be_switched_off(visit: Open):
    tab = visit("/ui/jobs")
    tab.get_by_role("button", name="off").click()
    tab.keyboard.press("?")
    tab.keyboard.press("g")
    tab.keyboard.press("q")
    expect(tab.locator("#keys")).to_be_hidden()
    assert tab.url.endswith("/ui/jobs")
