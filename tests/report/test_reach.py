from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.report.browser import Reader
from tests.report.pages import Site

KINDS = ("overview", "workspace", "agent", "quality", "reconciliation")


_REACHABLE = """() => {
    const all = [...document.querySelectorAll('a[href], button, select, input, summary, .scroll')]
        .filter((each) => each.checkVisibility({ visibilityProperty: true }) && each.tabIndex >= 0);
    all.forEach((each, index) => { each.dataset.reach = index; });
    return all.length;
}"""
_FOCUSED = """() => {
    const { dataset } = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    const { width, height } = document.activeElement.getBoundingClientRect();
    const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px';
    return [dataset.reach ?? null, isSeen, width * height > 0];
}"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_keyboard_alone_reaches_everything(kind: str, site: Site, reader: Reader) -> None:
    """Tab reaches every link, control and wide table, in order, each with a focus to be seen."""
    shown = reader.open(site.one(kind).path)
    count = shown.evaluate(_REACHABLE)
    reached = []
    for _ in range(count + 5):
        shown.keyboard.press("Tab")
        which, is_seen, has_size = shown.evaluate(_FOCUSED)
        if which is None:
            break
        assert is_seen, which
        assert has_size, which
        reached.append(int(which))

    assert reached == list(range(count))


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_shows_all_of_a_page(kind: str, site: Site, browser: Browser) -> None:
    """At 390 pixels nothing scrolls sideways but tables in their boxes; controls are 24 high."""
    reader = Reader(browser)
    reader.page.set_viewport_size({"width": 390, "height": 844})
    shown = reader.open(site.one(kind).path)
    reader.draw_all()
    small = shown.evaluate(
        "[...document.querySelectorAll('button, select, summary, input')]"
        ".filter(each => each.checkVisibility() && each.closest('label, button, select, summary')"
        ".getBoundingClientRect().height < 24).map(each => each.outerHTML)"
    )
    width = shown.evaluate("document.documentElement.scrollWidth")
    reader.close()

    assert width == 390
    assert small == []


def _months(shown: Any) -> list[str]:
    values: list[str] = shown.locator("#period optgroup option").evaluate_all(
        "all => all.map(each => each.value)"
    )
    return values


def test_a_month_is_chosen_and_printed(site: Site, reader: Reader) -> None:
    """Of a chosen month paper shows that month alone, charts to its width, without controls."""
    shown = reader.open(site.workspaces[0].path)
    assert _months(shown) == ["2026-03", "2026-02", "2026-01", "2025-12"]
    shown.locator("#period").select_option("2026-02")
    shown.locator("#chosen p", has_text="28 February 2026").wait_for()
    shown.set_viewport_size({"width": 680, "height": 900})
    shown.emulate_media(media="print")
    shown.locator("#cost .main-svg").first.wait_for()
    widths = shown.locator(".plot:not([hidden])").evaluate_all(
        "all => all.filter(each => each.checkVisibility())"
        ".map(each => [each.clientWidth, each.layout?.width])"
    )
    margin = shown.evaluate(
        "document.adoptedStyleSheets.map(each => each.cssRules[0].cssText).join()"
    )

    assert all(width == drawn for width, drawn in widths)
    assert shown.locator("[data-now]:visible").count() == 0
    assert shown.locator(":is(.picker, .csv, #theme, header):visible").count() == 0
    assert shown.locator("#daily tbody tr").count() == 28
    assert "28 February 2026" in margin
