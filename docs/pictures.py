"""Take the pictures of the docs anew, of the demo's site, whose folder is given."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from tests.report.browser import PHONE, browser

DOCS = Path(__file__).parent
SCREENS: dict[str, tuple[str, dict[str, Any]]] = {  # the page's title, and the screen
    "overview": ("All workspaces", {"viewport": {"width": 1280, "height": 1280}}),
    "phone": (".?Hearth", {"viewport": PHONE, "has_touch": True}),
    "agent-dark": (
        ".?Pull request reviewer",
        {"viewport": {"width": 1280, "height": 920}, "color_scheme": "dark"},
    ),
}


def main(site: Path) -> None:
    """Write each picture anew, as PNG: a screen of a page."""
    pages = {each: each.read_text(encoding="utf-8") for each in site.rglob("*.html")}
    with browser() as opened:
        for name, (title, context) in SCREENS.items():
            page = opened.new_page(**context)
            page.goto(
                next(each for each in pages if re.search(f"<title>{title}", pages[each])).as_uri()
            )
            page.wait_for_selector("html[data-ready]", state="attached")
            page.locator("#cost").scroll_into_view_if_needed()
            page.locator("#cost .main-svg").first.wait_for()
            page.locator("header").first.evaluate("(part) => part.scrollIntoView()")
            page.screenshot(path=DOCS / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
