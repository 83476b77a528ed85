"""A real browser on a built site, without a network, whose complaints are kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, Page, Route, sync_playwright

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), "")
WHY_NOT = "no Chromium is installed: what pages do in a browser is not tested"
PHONE = {"width": 390, "height": 844}

_AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
_DRAW_ALL = """async () => {
    for (const plot of document.querySelectorAll('.plot')) {
        if (!plot.checkVisibility()) continue;
        plot.scrollIntoView();
        for (let turn = 0; turn < 500 && !plot.querySelector('.main-svg'); turn += 1) {
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        if (!plot.querySelector('.main-svg')) throw new Error(`${plot.dataset.part} is not drawn`);
    }
    scrollTo(0, 0);
}"""


# Charts are images to a screen reader, so axe need not look at each of their ticks.
_FAULTS = """(part) => axe.run({ include: [[part]], exclude: [['.plot .main-svg']] },
    { resultTypes: ['violations'] }).then(({ violations }) => violations)"""


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
        given = {"viewport": {"width": 1280, "height": 900}, "accept_downloads": True, **context}
        self._context = browser.new_context(**given)
        self.complaints: list[str] = []
        self._context.route("**/*", self._files_only)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(120_000)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))

    def open(self, path: Path, hash_: str = "") -> Page:
        """Opens a page from disk, and waits until it shows what its address chooses."""
        self.page.goto("about:blank")  # an address that differs in its choice alone loads nothing
        self.page.goto(path.as_uri() + hash_)
        self.wait_until_ready()
        return self.page

    def wait_until_ready(self) -> None:
        """Waits until the page shows what its address chooses."""
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def draw_all(self) -> None:
        """Scrolls through the page, so that every chart is drawn."""
        self.page.evaluate(_DRAW_ALL)

    def faults(self, part: str = "body") -> list[Any]:
        """What axe-core finds in a part of the page, with some of each page's folds opened."""
        shown = self.page
        folds = "[...document.querySelectorAll('details')].slice(0, 3)"
        shown.evaluate(f"{folds}.forEach((each) => {{ each.open = true; }})")
        shown.evaluate(_AXE.read_text("utf-8"))
        found = shown.evaluate(_FAULTS, part)
        return [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found]

    def close(self) -> None:
        """Closes the page."""
        self._context.close()

    def _files_only(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "blob:")):
            route.continue_()
        else:
            self.complaints.append(f"asked the network for {route.request.url}")
            route.abort()
