"""Whatever goes wrong in a tab of the browser."""

from playwright.sync_api import ConsoleMessage, Error, Page, Request

COUNT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


class Watched:
    """A tab.

    Args:
        tab: before anything is opened in it.
        excused: part of the addresses that a test lets fail.
    """

    def __init__(self, tab: Page, excused: str | None = None) -> None:
        self._tab = tab
        self._excused = excused
        self._troubles: list[str] = []
        tab.add_init_script(COUNT_VIOLATIONS)
        tab.on("console", self._hear)
        tab.on("pageerror", self._catch)
        tab.on("requestfailed", self._miss)

    @property
    def troubles(self) -> list[str]:
        """All of them, with the rules of the policy that the page which is shown now has broken."""
        broken = [] if self._tab.is_closed() else self._tab.evaluate("window.violations ?? []")
        return self._troubles + [f"policy: {each}" for each in broken]

    def _hear(self, message: ConsoleMessage) -> None:
        address = message.location.get("url", "")
        is_page = address == self._tab.url  # whose status the test looks at
        if message.type in ("error", "warning") and not (is_page or self._is_excused(address)):
            self._troubles.append(f"console: {message.text}")

    def _catch(self, error: Error) -> None:
        self._troubles.append(f"error: {error.message}")

    def _miss(self, request: Request) -> None:
        is_left = request.failure == "net::ERR_ABORTED"  # a page, and its stream
        if not is_left and not self._is_excused(request.url):
            self._troubles.append(f"request: {request.url} {request.failure}")

    def _is_excused(self, address: str) -> bool:
        return self._excused is not None and self._excused in address
