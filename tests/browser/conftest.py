"""Pages in the Chromium of this system, against a running service with real workers.

`make test-browser` runs these; without a chromium on PATH they are skipped. Whatever a test does, a page may write no
error to its console, throw none, and break no rule of its content security policy.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.hostile import load
from tests.browser.watched import Watched
from tests.up.service import RunningService

SWITCHES = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
WIDTH, HEIGHT = 1280, 900

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this test process."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("no chromium on PATH (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A running service with workers, full of what might break pages."""
    running = RunningService(
        tmp_path_factory.mktemp("up"),
        cwd=Path(__file__).parent,
        JOBS_ACTOR_MODULES="browser_actors",
        JOBS_ENVIRONMENT="test & <b>more</b>",
    )
    try:
        running.wait_until_ready()
        load(running)
        yield running
    finally:
        running.close()


@pytest.fixture
def context(chromium: Browser, service: RunningService) -> Iterator[BrowserContext]:
    """A browser that nobody has used."""
    made = chromium.new_context(
        base_url=str(service.http.base_url), viewport={"width": WIDTH, "height": HEIGHT}
    )
    yield made
    made.close()


@pytest.fixture
def visit(context: BrowserContext) -> Iterator[Open]:
    """Opens an address in a tab that is watched; at the end of the test nothing may have gone wrong in it."""
    watched: list[Watched] = []

    def open_tab(address: str, *, status: int = 200, excused: str | None = None) -> Page:
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        watched.append(Watched(tab, excused))
        answer = tab.goto(address)
        assert answer is not None
        assert answer.status == status
        return tab

    yield open_tab
    assert [trouble for each in watched for trouble in each.troubles] == []
