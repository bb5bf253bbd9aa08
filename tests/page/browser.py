"""Chromium as a person would use it: open the page, look, click, type."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

#: How long something may take to be shown (milliseconds): a machine may be busy. How long it does take is measured by
#: `scripts/bench page`.
PATIENCE = 30_000


def read(browser: Browser, address: str, **options: Any) -> Reader:
    """Open a page in a profile of its own. options: of Playwright's new_context, such as viewport or color_scheme."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
    context.set_default_timeout(PATIENCE)
    return Reader(context.new_page(), address)


class Reader:
    """One open page. complaints: what its console said that was an error of the page's own; asked: every address that
    it asked for."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(address)

    def _heard(self, message: ConsoleMessage) -> None:
        # A server that is away or refuses is told of by the browser itself, whatever the page makes of it.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    def see(self, selector: str, text: str = "") -> None:
        """Wait until something with this text is to be seen."""
        found = self.page.locator(selector)
        if text:
            found = found.filter(has_text=text)
        found.first.wait_for(state="visible")

    def close(self) -> None:
        """Close the page. Raises AssertionError when it complained."""
        self.page.context.close()
        assert self.complaints == []
