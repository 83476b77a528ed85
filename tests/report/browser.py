"""A real browser on a built site, without a network, whose complaints are kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
WHY_NOT = "no Chromium is installed: what pages do in a browser is not tested"


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


class Reader:
    """A reader with one page open, and what the browser had to complain of."""

    def __init__(self, browser: Browser, **context: Any) -> None:
        self._context = browser.new_context(
            viewport={"width": 1280, "height": 900}, accept_downloads=True, **context
        )
        self.complaints: list[str] = []
        self._context.route("**/*", self._files_only)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))

    def open(self, path: Path, hash_: str = "") -> Page:
        """Opens a page from disk, and waits until it shows what its address chooses."""
        self.page.goto(path.as_uri() + hash_)
        self.page.wait_for_selector("html[data-ready]", state="attached")
        return self.page

    def draw_all(self) -> None:
        """Scrolls through the page, so that every chart is drawn."""
        for plot in self.page.locator(".plot:not([hidden])").all():
            if not plot.evaluate("each => each.checkVisibility()"):
                continue
            plot.scroll_into_view_if_needed()
            plot.locator(".main-svg").first.wait_for(state="attached")

    def close(self) -> None:
        """Closes the page."""
        self._context.close()

    def _files_only(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "blob:")):
            route.continue_()
        else:
            self.complaints.append(f"asked the network for {route.request.url}")
            route.abort()
