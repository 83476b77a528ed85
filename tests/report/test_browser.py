"""What pages look like in a browser: drawn whole, without a fault, on any screen and on paper."""

from __future__ import annotations

import json
import re
from html import escape

import pytest
from playwright.sync_api import Browser

from tests.report.browser import PHONE, Reader
from tests.report.pages import Site

KINDS = ("overview", "workspace", "month", "agent", "trust", "statement")

# Plotly's own validation of a legend throws, whatever the legend is.
_PROBLEMS = """() => [...document.querySelectorAll('.js-plotly-plot')]
    .flatMap(({ data, layout: { legend, ...rest } }) => Plotly.validate(data, rest) ?? [])
    .map(({ msg }) => msg).filter((msg) => !msg.endsWith('did not get coerced'))"""


def test_charts_are_drawn_from_disk(batches: Site, reader: Reader) -> None:
    """A page opens from disk and asks nothing of a network; charts have tables, and no tools."""
    shown = reader.open(batches.one("overview").path)
    reader.draw_all()

    assert shown.locator(".modebar-btn").count() == 0
    assert shown.locator(".plot").count() > 0
    assert shown.locator("figure:has(.plot):not(:has(table caption))").count() == 0


def test_pages_with_little_to_show_work(batches: Site, reader: Reader) -> None:
    """An agent that never ran and runs of no agent have pages without an error."""
    little = sorted(batches.agents, key=lambda page: len(page.source))[:2]
    for page in [*little, *(each for each in batches.agents if "no-agent" in each.path.name)]:
        assert reader.open(page.path).locator("#picker").is_visible(), page.path.name


# Whether a chart has the width of its place, and all labels are apart.
_ARE_APART = """() => {
    const plot = document.querySelector('#cost .plot');
    const labels = [...plot.querySelectorAll('.annotation-text')]
        .map((label) => label.getBoundingClientRect());
    return Math.abs(plot.querySelector('.main-svg').clientWidth - plot.clientWidth) < 2
        && labels.every((a, at) => labels.slice(at + 1).every((b) => a.right <= b.left
            || b.right <= a.left || a.bottom <= b.top + 1 || b.bottom <= a.top + 1));
}"""
_LABELS = ("openai.gpt-5.6-terra price", "anthropic failures", "Pull request reviewer v3")


def test_labels_of_close_events_do_not_meet(batches: Site, reader: Reader) -> None:
    """Labels of lines are staggered on any width and on paper; those without room are counted."""
    page = batches.one("workspace")
    days = ("10-28", "10-29", "10-30", "11-09", "11-11", "11-12", "11-13", "11-13", "11-20")
    events = escape(json.dumps([
        {"day": f"2026-{day}", "label": _LABELS[at % 3], "is_finding": at % 2 == 0}
        for at, day in enumerate(days)
    ]))  # fmt: skip
    body = re.sub('data-events="[^"]*"', lambda _: f'data-events="{events}"', page.source, count=1)
    shown = reader.page
    shown.route(
        page.path.as_uri(), lambda route: route.fulfill(body=body, content_type="text/html")
    )
    reader.open(page.path)
    reader.draw_all()
    for width, media in ((1280, None), (720, None), (390, None), (720, "print")):
        shown.set_viewport_size({"width": width, "height": 900})
        shown.emulate_media(media=media or "screen")
        shown.wait_for_function(_ARE_APART, timeout=10_000)

    texts = shown.locator("#cost .annotation-text").all_text_contents()
    lines = shown.locator("#cost .shapelayer path").count()
    labels = [text for text in texts if text != "so far"]
    more = [int(text.rpartition(" +")[2]) for text in labels if " +" in text]
    assert lines == len(days) == len(labels) + sum(more) > len(labels)


MONTH = "#period=2026-10"


def test_axe_finds_nothing(batches: Site, browser: Browser) -> None:
    """What opens over a page has no fault that axe-core knows of, nor has paper."""
    reader = Reader(browser, bypass_csp=True, color_scheme="dark")
    shown = reader.open(batches.one("agent").path, MONTH)
    shown.locator("#open-menu").click()
    shown.locator("#menu[open] li").first.wait_for()
    found = reader.faults("#menu")
    shown.keyboard.press("Escape")
    shown.locator("#listed-runs tbody a").first.click()
    shown.locator("#run-detail[open] .facts").wait_for()
    found += reader.faults("#run-detail")
    shown.keyboard.press("Escape")
    shown.emulate_media(media="print")
    found += reader.faults("main > section:has(#cost)")
    reader.close()

    assert found == []


@pytest.mark.parametrize("kind", KINDS)
def test_without_script_all_tables_can_be_read(kind: str, batches: Site, browser: Browser) -> None:
    """Every built table shows, those that are folded on a click; no control stands there idle."""
    reader = Reader(browser, java_script_enabled=False)
    shown = reader.page
    shown.goto(batches.one(kind).path.as_uri())
    for folded in shown.locator("main details:has(table tbody)").all():
        if folded.get_attribute("open") is None:
            folded.locator("> summary").click()
    tables = shown.locator("main table:has(tbody)")
    hidden = [each.get_attribute("id") for each in tables.all() if not each.is_visible()]
    idle = shown.locator(":is(button, select, input):visible").count()
    reader.close()

    assert (hidden, idle) == ([], 0)


_WIDTH_OF_LONG_NAMES = """() => {
    for (const name of document.querySelectorAll(':is(header, h1, nav) bdi')) {
        name.textContent = 'n'.repeat(120);
    }
    return document.documentElement.scrollWidth;
}"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_shows_all_of_a_page(kind: str, batches: Site, browser: Browser) -> None:
    """A phone scrolls nothing sideways, for any name; axe finds no fault, in light and in dark.

    Each chart is drawn, and is as Plotly takes it.
    """
    colours = "dark" if KINDS.index(kind) % 2 else "light"
    reader = Reader(
        browser, viewport=PHONE, has_touch=True, is_mobile=True, color_scheme=colours,
        bypass_csp=True,
    )  # fmt: skip
    shown = reader.open(batches.one(kind).path, MONTH)
    reader.draw_all()
    problems = shown.evaluate(_PROBLEMS)
    assert "could not be drawn" not in shown.content()
    faults = reader.faults()
    width = shown.evaluate(_WIDTH_OF_LONG_NAMES)
    reader.close()

    assert (problems, faults, width) == ([], [], 390)


@pytest.mark.parametrize("width", [390, 700, 1280])
def test_what_a_reader_chooses_from_opens_below_its_button(
    width: int, batches: Site, browser: Browser
) -> None:
    """The agents to choose from stand right below what opens them, and whole on the screen."""
    reader = Reader(browser, viewport={"width": width, "height": 900})
    shown = reader.open(batches.one("workspace").path)
    shown.locator(".members summary").click()
    button, panel = (
        shown.locator(f".members {each}").bounding_box() for each in ("summary", ".panel")
    )
    reader.close()

    assert button
    assert panel
    assert abs(button["y"] + button["height"] - panel["y"]) <= 1
    assert panel["x"] <= button["x"]
    assert 0 <= panel["x"] < panel["x"] + panel["width"] <= width


def test_versions_of_hundreds_of_runs_are_not_cut_off(batches: Site, reader: Reader) -> None:
    """Beside cost by day, all columns of versions stand, the interval and long counts in them."""
    shown = reader.open(batches.one("agent").path)
    widths = shown.evaluate(
        """() => {
            const [, failed, each, all] = document.querySelector("#versions-table tbody tr").cells;
            failed.lastChild.data = all.textContent = "100.0% (199 of 199)";
            each.textContent = "$0.2950";
            const { scrollWidth, clientWidth } = failed.closest(".scroll");
            return [scrollWidth, clientWidth, failed.querySelectorAll(".interval").length];
        }"""
    )

    assert widths == [584, 584, 1]


def test_a_row_is_a_line_on_a_phone(batches: Site, browser: Browser) -> None:
    """Tables have at most three columns there, with their heads, and scroll nothing sideways."""
    reader = Reader(browser, viewport=PHONE, has_touch=True, is_mobile=True)
    found = []
    for kind in ("overview", "workspace", "agent", "trust"):
        shown = reader.open(batches.one(kind).path)
        shown.evaluate(_OPEN_ALL)
        found += shown.evaluate(_TABLES)
    reader.close()

    assert len(found) > 8
    assert [each for each in found if each[1] > 3 or each[1] != each[2] or each[3]] == []


_OPEN_ALL = """() => {
    document.querySelectorAll('[data-folded] h2 button').forEach((each) => each.click());
    document.querySelectorAll('.fold').forEach((each) => { each.open = true; });
}"""
_TABLES = """() => [...document.querySelectorAll('main table:has(tbody td)')]
    .filter((each) => each.checkVisibility())
    .map((table) => [table.id, ...[table.tHead, table.tBodies[0]].map(({ rows: [row] }) =>
        [...row.cells].filter((each) => each.checkVisibility()).length),
        table.parentElement.scrollWidth > table.parentElement.clientWidth])"""


@pytest.mark.parametrize("media", ["screen", "print"])
def test_a_long_message_moves_no_other_column(media: str, batches: Site, reader: Reader) -> None:
    """What a run failed of is cut on a screen and broken on paper: its id stays in sight."""
    shown = reader.open(batches.one("agent").path, MONTH)
    shown.set_viewport_size({"width": 1280 if media == "screen" else 680, "height": 900})
    shown.emulate_media(media=media)
    region = shown.locator(".scroll:has(> #listed-runs)")
    beyond = region.evaluate("""(region) => {
        region.querySelector('tbody td:nth-child(5)').textContent = 'not found '.repeat(40);
        return region.scrollWidth - region.clientWidth;
    }""")

    assert beyond == 0


def test_a_month_is_printed_whole(batches: Site, reader: Reader) -> None:
    """Paper has name and days, tables of agents and months but not of charts, and no control."""
    page = batches.one("overview")
    shown = reader.open(page.path, MONTH)
    folded = shown.locator("[data-folded]").count()
    reader.draw_all()
    shown.emulate_media(media="print")
    margin = shown.evaluate(
        "document.adoptedStyleSheets.map(each => each.cssRules[0].cssText).join()"
    )
    controls = ".switches, .picker, .csv, #theme, header, nav, dialog, h2 button, .skip"

    assert shown.locator(f":is({controls}):visible").count() == 0
    assert shown.locator("#agents table").is_visible()
    assert not shown.locator("#cost table").is_visible()
    assert page.root.all("h1")[0].text in margin
    assert "October 2026" in margin
    assert folded == 4
    assert len(re.findall(rb"/Type\s*/Page\b", shown.pdf(prefer_css_page_size=True))) == 2
