from __future__ import annotations

import pytest

from tests.report.browser import CHROMIUM, WHY_NOT, Reader, browser
from tests.report.pages import Site

pytestmark = pytest.mark.skipif(not CHROMIUM, reason=WHY_NOT)

_WATCHED = """
window.moved = [];
new PerformanceObserver((list) => moved.push(...list.getEntries().map((each) => each.value)))
  .observe({ type: "layout-shift", buffered: true });
const look = () => {
  const drawing = document.querySelector("svg.static");
  if (drawing) window.drawnIn = drawing.getBoundingClientRect().toJSON();
  else requestAnimationFrame(look);
};
look();
"""


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_when_scripts_take_over(width: int, site: Site) -> None:
    """The main chart is drawn with the text, in the place that Plotly's has in the end."""
    with browser() as opened:
        for built in (site.overview, site.workspaces[0], site.agents[0]):
            reader = Reader(opened)
            reader.page.set_viewport_size({"width": width, "height": 900})
            reader.page.add_init_script(_WATCHED)
            page = reader.open(built.path)
            page.wait_for_selector("#cost .js-plotly-plot .main-svg")
            taken_over = page.locator("#cost .plot").evaluate(
                "each => each.getBoundingClientRect().toJSON()"
            )

            assert taken_over == page.evaluate("drawnIn")
            assert page.evaluate("moved") == []
            reader.close()
