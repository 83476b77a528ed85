"""Take the pictures of the docs anew, of the demo's site, whose folder is given."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from tests.report.browser import PHONE, browser

PICTURES = Path(__file__).parent / "pictures"
PERIOD = "#from=2026-10-12&to=2026-11-24"  # fewer days make smaller files
AS_OF_NOW = {"line", "table", "headline", "waterfall"}  # a chosen period hides these
WIDTHS = {"table": 900}
SHOWN = {  # the name of a picture: whose page it is of, and which part of it
    "column": ("Cost of agents", "#cost"),
    "stacked": ("Workspace .*Hearth", "#agents-over-time"),
    "panels": ("Agent .*Pull request", "#tokens"),
    "line": ("Cost of agents", "#forecast"),
    "waterfall": ("October.*Northlight", "#month-bridge"),
    "bar": ("Workspace .*Hearth", "#members"),
    "interval-time": ("Agent .*Pull request", "#failure-rate"),
    "interval-key": ("Agent .*Pull request", "#versions"),
    "interval-bar": ("Workspace .*Northlight", "#failing"),
    "table": ("Cost of agents", "#workspaces-table"),
    "headline": ("Workspace .*Hearth", ".headline"),
}

SCREENS: dict[str, tuple[str, str, str, dict[str, Any]]] = {  # what is drawn, what stands on top
    "overview": (
        "Cost of agents",
        "#cost",
        "header",
        {"viewport": {"width": 1280, "height": 1040}},
    ),
    "phone": ("Workspace .*Hearth", ".headline", "header", {"viewport": PHONE, "has_touch": True}),
    "workspace-dark": (
        "Workspace .*Hearth",
        "#failing",
        "#failures",
        {"viewport": {"width": 1280, "height": 520}, "color_scheme": "dark"},
    ),
}


def main(site: Path) -> None:
    """Write each picture anew, as PNG: parts of pages for docs/charts.md, and screens."""
    pages = {each: each.read_text(encoding="utf-8") for each in site.rglob("*.html")}

    def address(title: str) -> str:
        return next(each for each in pages if re.search(f"<title>{title}", pages[each])).as_uri()

    with browser() as opened:
        page = opened.new_page(viewport={"width": 640, "height": 900}, color_scheme="light")
        for name, (title, selector) in SHOWN.items():
            page.set_viewport_size({"width": WIDTHS.get(name, 640), "height": 900})
            page.goto(address(title) + ("" if name in AS_OF_NOW else PERIOD))
            part = _drawn(page, selector)
            part.locator("details").evaluate_all("all => all.forEach((each) => each.remove())")
            part.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
        for name, (title, selector, top, context) in SCREENS.items():
            page = opened.new_page(**context)
            page.goto(address(title))
            _drawn(page, selector)
            page.locator(top).first.evaluate("(part) => part.scrollIntoView()")
            page.screenshot(path=PICTURES.parent / f"{name}.png", animations="disabled")


def _drawn(page: Page, selector: str) -> Locator:
    """Return the first such part of a page once its charts are drawn."""
    page.wait_for_selector("html[data-ready]", state="attached")
    part = page.locator(selector).first
    part.scroll_into_view_if_needed()
    if part.locator(".plot").count():
        part.locator(".main-svg").first.wait_for()
    return part


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
