"""Every page, and where it is found: a page that is added is added here."""

from collections.abc import Callable
from urllib.parse import quote

from tests.browser.hostile import NAME
from tests.up.service import RunningService

PAGES: dict[str, Callable[[RunningService], str]] = {
    "overview": lambda _: "/",
    "question": lambda _: f"/ui/do/purge-queue?queue={quote(NAME)}&next=/",
    "problem": lambda _: "/ui/nope",
}
