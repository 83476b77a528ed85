from __future__ import annotations

from tests.report.browser import Reader
from tests.report.pages import Site

_DRAWN = """plot => {
    const markers = [...plot.querySelectorAll('.scatterlayer .points')];
    return {
        days: [...new Set(plot.data.flatMap(({ x }) => x))],
        clipped: markers.filter(each => each.closest('[clip-path]')).length,
        count: markers.length,
    };
}"""


def test_weeks_are_drawn_within_the_period_and_whole(site: Site, reader: Reader) -> None:
    """A week that began before the period stands on its first day, and no marker is cut."""
    shown = reader.open(site.agents[0].path, "#from=2026-02-05&to=2026-03-08")
    plot = shown.locator("[data-chart=durations]")
    plot.scroll_into_view_if_needed()
    plot.locator(".main-svg").first.wait_for(state="attached")
    drawn = plot.evaluate(_DRAWN)

    assert drawn["days"] == ["2026-02-05", "2026-02-09", "2026-02-16", "2026-02-23", "2026-03-02"]
    assert drawn["clipped"] == 0 < drawn["count"]
    assert "in the week of 2 March 2026" in shown.locator("#durations h3").inner_text()


def test_a_title_takes_the_last_whole_week(site: Site) -> None:
    """A week that is still running, or was cut by the end of the period, is not told of."""
    (title,) = (
        each.all("h3")[0].text
        for each in site.agents[0].root.all("figure")
        if each.attributes["id"] == "durations"
    )

    assert "in the week of 2 March 2026" in title
