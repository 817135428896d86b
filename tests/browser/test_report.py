"""The report of a day is a file that everybody can read, with what the mail program or the disk has: no service."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.test_pages import PHONE, THEMES, findings
from tests.tasks.days import a_day
from worker_service.tasks.report.page import as_html


@pytest.mark.parametrize("theme", THEMES)
def test_report_is_accessible_and_fits_a_phone(theme: str, chromium: Browser, tmp_path: Path):
    (tmp_path / "report.html").write_text(as_html(a_day()))
    tab = chromium.new_page(color_scheme=theme)  # type: ignore[arg-type]
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(f"file://{tmp_path}/report.html")
    for summary in tab.locator("summary").all():
        summary.click()
    assert findings(tab) == []
    tab.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert findings(tab) == []
    assert said == []
    tab.close()
