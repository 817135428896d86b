"""Pictures of the pages for README and docs: made when SCREENSHOTS names a folder (`make screenshots`)."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.shop import open_shop
from tests.up.service import RunningService

FOLDER = os.environ.get("SCREENSHOTS", "")
MOST_BYTES = 150_000
VIEW = ViewportSize(width=1280, height=900)
RENAME = """(here) => {
  for (const each of document.querySelectorAll(".frame .quiet"))
    each.textContent = each.textContent.replace(here, "/srv/shop");
}"""
"""Where the actors of the shop would be."""

pytestmark = pytest.mark.skipif(not FOLDER, reason="no pictures are wanted: SCREENSHOTS names no folder")


def newest(service: RunningService, query: str) -> str:
    return "/ui/jobs/" + str(service.http.get(f"/v1/jobs?{query}").json()["items"][0]["id"])


PAGES: dict[str, Callable[[RunningService], str]] = {
    "overview": lambda _: "/",
    "jobs": lambda _: "/ui/jobs?filter=queue:payments",
    "job": lambda service: newest(service, "state=dead"),
    "running": lambda service: newest(service, "state=running"),
    "failures": lambda _: "/ui/failures",
    "queues": lambda _: "/ui/queues",
    "schedules": lambda _: "/ui/schedules",
    "schedule": lambda _: "/ui/schedules/product-pictures",
    "schedule-form": lambda _: "/ui/do/edit-schedule?name=product-pictures&next=/ui/schedules",
    "workers": lambda _: "/ui/workers",
    "actors": lambda _: "/ui/actors",
    "actor": lambda _: "/ui/actors/charge_card",
    "system": lambda _: "/ui/system",
    "audit": lambda _: "/ui/system/audit",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The service of a shop."""
    running = RunningService(
        tmp_path_factory.mktemp("shop"),
        cwd=Path(__file__).parent,
        JOBS_ACTOR_MODULES="shop_actors",
        JOBS_ENVIRONMENT="production",
    )
    try:
        running.wait_until_ready()
        open_shop(running)
        yield running
    finally:
        running.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_picture_is_made(name: str, theme: str, chromium: Browser, shop: RunningService):
    context = chromium.new_context(
        base_url=str(shop.http.base_url),
        viewport=VIEW,
        color_scheme=theme,  # type: ignore[arg-type]
    )
    tab = context.new_page()
    tab.goto(PAGES[name](shop))
    tab.evaluate(RENAME, str(Path(__file__).parent))
    if tab.locator("#live-state").count():
        expect(tab.locator("#live-state")).to_have_text("Live")
    keep(tab, Path(FOLDER) / f"{name}-{theme}.webp")
    context.close()


def keep(tab: Page, path: Path) -> None:
    """Write what a tab shows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(tab.screenshot())).save(path, quality=80, method=6)
    assert path.stat().st_size < MOST_BYTES
