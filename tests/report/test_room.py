"""Room: what opens lies over the page, what is chosen fills it, and nothing is cut."""

from __future__ import annotations

from datetime import UTC, date, datetime

from playwright.sync_api import expect

from tests.report import marts
from tests.report.browser import Reader
from tests.report.conftest import BuildSite
from tests.report.pages import Site


def test_the_picker_opens_over_the_page(site: Site, reader: Reader) -> None:
    """An open list of agents moves nothing, and closes by Escape and by a click elsewhere."""
    shown = reader.open(site.workspaces[0].path)
    first, panel = shown.locator("#costs"), shown.locator(".members .panel")
    place = first.bounding_box()
    shown.locator(".members summary").click()
    panel.wait_for(state="visible")
    assert first.bounding_box() == place
    shown.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    shown.locator(".members summary").click()
    first.click()
    panel.wait_for(state="hidden")


def test_a_choice_gives_its_charts_the_whole_width(site: Site, reader: Reader) -> None:
    """On the overview the card beside the cost is not of a choice, whose chart takes its room."""
    shown = reader.open(site.overview.path)
    shown.locator("#cost .main-svg").first.wait_for()
    shown.locator("#period").select_option("30")
    shown.locator("#chosen").wait_for(state="visible")
    width = shown.locator("main").evaluate("each => each.clientWidth")

    expect(shown.locator("#cost .main-svg").first).to_have_attribute("width", str(width))


def test_a_run_can_be_closed_wherever_one_reads(batches: Site, reader: Reader) -> None:
    """The button that closes a run stays in sight below its many log events."""
    shown = reader.open(batches.one("agent").path)
    shown.locator("#runs tbody a").first.click()
    shown.locator("#run-detail[open] table").first.wait_for()
    shown.locator("#run-detail").evaluate("each => each.scrollTo(0, each.scrollHeight)")
    expect(shown.locator("#close-run")).to_be_in_viewport(ratio=1)
    shown.locator("#close-run").click()
    shown.locator("#run-detail").wait_for(state="hidden")


def test_cards_of_a_phone_are_not_cut(batches: Site, reader: Reader) -> None:
    """At 390 pixels no value of a card reaches over the edge of the page."""
    reader.page.set_viewport_size({"width": 390, "height": 844})
    cut = []
    for page in batches.controls:
        shown = reader.open(page.path)
        cut += shown.locator(".cards td:visible").evaluate_all(
            "all => all.filter(each => each.getBoundingClientRect().right > 375"
            " || each.scrollWidth > each.clientWidth).map(each => each.textContent)"
        )

    assert any("adjustments" in page.source for page in batches.controls)
    assert cut == []


def test_a_run_has_the_same_times_wherever_it_stands(build: BuildSite, reader: Reader) -> None:
    """The built table and the one that the script writes round times and durations once."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    for minute, seconds in ((52, 912.51), (10, 913.46), (20, 59.949), (30, 0.9994)):
        created = datetime(2026, 3, 12, 8, minute, 59, 700_000, UTC)
        marts.run(con, date(2026, 3, 12), created_at=created, duration_seconds=seconds)
    (page, *_) = build(marts.derive(con)).agents
    shown = reader.open(page.path)
    shown.locator("#show-runs").click()
    expect(shown.locator("#runs caption")).to_contain_text("4 runs of all 4 runs")
    rows = [
        row.locator("th, td").all_inner_texts() for row in shown.locator("#runs tbody tr").all()
    ]

    assert [[row[1], row[5]] for row in rows] == [
        [row[1], row[5]] for row in page.table("runs")[1:]
    ]
    assert rows[0][1] == "2026-03-12 08:52"
