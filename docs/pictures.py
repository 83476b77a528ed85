"""Take the pictures of docs/charts.md: parts of pages of the demo's site, whose folder is given."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).parent / "pictures"
PERIOD = "#from=2026-10-12&to=2026-11-24"  # fewer days make smaller files
AS_OF_NOW = {"line", "table", "headline", "waterfall"}  # a chosen period hides these
WIDTHS = {"table": 900, "waterfall": 480}
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
    "cell": ("Workspace .*Hearth", "#hours"),
    "table": ("Cost of agents", "#workspaces-table"),
    "headline": ("Workspace .*Hearth", ".headline"),
}


def main(site: Path) -> None:
    """Write each picture anew, as PNG."""
    pages = {each: each.read_text(encoding="utf-8") for each in site.rglob("*.html")}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 640, "height": 900}, color_scheme="light")
        for name, (title, selector) in SHOWN.items():
            path = next(each for each in pages if re.search(f"<title>{title}", pages[each]))
            page.set_viewport_size({"width": WIDTHS.get(name, 640), "height": 900})
            page.goto(path.resolve().as_uri() + ("" if name in AS_OF_NOW else PERIOD))
            page.wait_for_selector("html[data-ready]", state="attached")
            part = page.locator(selector).first
            part.scroll_into_view_if_needed()
            if part.locator(".plot").count():
                part.locator(".main-svg").first.wait_for()
            part.locator("details").evaluate_all("all => all.forEach((each) => each.remove())")
            part.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
