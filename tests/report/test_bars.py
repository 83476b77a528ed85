from __future__ import annotations

import pytest

from tests.report.browser import Reader
from tests.report.pages import Site

_TEXTS = """plot => [...plot.querySelectorAll('.ytick text, .bartext')].map(each => {
    const { left, right, top, bottom } = each.getBoundingClientRect();
    return [left, right, top, bottom, each.textContent];
})"""
_ENDS = """plot => [
    plot.querySelector('.shapelayer path').getBoundingClientRect().left,
    ...[...plot.querySelectorAll('.point path')].map((each, index) => {
        const { left, right } = each.getBoundingClientRect();
        return plot.data.flatMap(({ x }) => x)[index] < 0 ? right : left;
    })]"""


@pytest.mark.parametrize(("kind", "key"), [("overview", "movers"), ("workspace", "billing")])
@pytest.mark.parametrize("width", [390, 1280])
def test_negative_bars_leave_names_and_texts_apart(
    kind: str, key: str, width: int, nights: Site, reader: Reader
) -> None:
    """Bars begin at the line of zero, and no text of a bar lies over a name or another text."""
    reader.page.set_viewport_size({"width": width, "height": 900})
    shown = reader.open(nights.one(kind).path)
    plot = shown.locator(f"[data-chart={key}]")
    plot.scroll_into_view_if_needed()
    plot.locator(".main-svg").first.wait_for(state="attached")
    texts = plot.evaluate(_TEXTS)
    zero, *starts = plot.evaluate(_ENDS)
    over = [
        (one[4], other[4])
        for index, one in enumerate(texts)
        for other in texts[:index]
        if one[0] < other[1]
        and other[0] < one[1]
        and one[2] + 2 < other[3]
        and other[2] + 2 < one[3]
    ]

    assert any("\u2212" in text for *_, text in texts)
    assert over == []
    assert starts == pytest.approx([zero] * len(starts), abs=1)
