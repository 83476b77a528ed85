"""What the keyboard reaches: every control, the menu, a run."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.report.browser import PHONE, Reader
from tests.report.pages import Site
from tests.report.published import Asked

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
    const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px' && width * height > 0;
    return [dataset.reach ?? null, isSeen];
}"""


@pytest.mark.parametrize("kind", ["overview", "agent"])
def test_the_keyboard_alone_reaches_everything(kind: str, batches: Site, reader: Reader) -> None:
    """Tab reaches every link, control and wide table, in order, each with a focus to be seen."""
    shown = reader.open(batches.one(kind).path)
    count = shown.evaluate(_REACHABLE)
    reached = []
    for _ in range(count + 5):
        shown.keyboard.press("Tab")
        which, is_seen = shown.evaluate(_FOCUSED)
        if which is None:
            break
        assert is_seen, which
        reached.append(int(which))

    assert reached == list(range(count))


def test_the_menu_leads_to_every_page(batches: Site, reader: Reader) -> None:
    """It opens, filters as one types, moves by arrows, opens by Enter, and closes by Escape.

    The first stop of the keyboard is a link past it.
    """
    count = len([*batches.charted, *batches.trust])  # months are in tables
    shown = reader.open(batches.overview.path)
    shown.keyboard.press("Tab")
    expect(shown.locator(".skip")).to_be_focused()
    expect(shown.locator(".skip")).to_be_in_viewport()
    shown.keyboard.press("Enter")
    expect(shown.locator("#content")).to_be_focused()
    button, menu = shown.locator("#open-menu"), shown.locator("#menu")
    button.focus()
    shown.keyboard.press("Enter")
    expect(menu.locator("input")).to_be_focused()
    assert menu.locator("li").count() == count
    shown.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()

    shown.keyboard.press("Enter")
    shown.keyboard.type("optimiser")
    expect(menu.locator("[role=status]")).to_contain_text(f"of {count} pages")
    expect(menu.locator("li:visible")).to_have_count(1)
    shown.keyboard.press("ArrowDown")
    expect(menu.locator("li:visible a")).to_be_focused()
    shown.keyboard.press("Enter")
    shown.wait_for_url("**/agents/*.html")
    assert "optimiser" in shown.locator("h1").inner_text()


def test_a_phone_reaches_the_menu(batches: Site, browser: Browser) -> None:
    """Nothing lies above its button, which stands beside the heading of the overview."""
    reader = Reader(browser, viewport=PHONE)
    shown = reader.open(batches.overview.path)
    shown.locator("#open-menu").click()
    expect(shown.locator("#menu input")).to_be_focused()
    reader.close()


_RUN = """
    select run_id, status, cost_usd from runs
    semi join published.marts.fct_log_events using (workspace_id, run_id)
    semi join published.marts.fct_run_models using (workspace_id, run_id)
    where @MINE order by created_at desc limit 1"""


def test_a_run_is_reached_by_the_keyboard_and_by_its_address(
    batches: Site, sql: Asked, reader: Reader
) -> None:
    """Enter in a table opens a run or chooses a day, and the focus stays; a run has an address."""
    page = batches.one("agent")
    shown = reader.open(page.path, "#sort=cost-table:1:descending&sort=listed-runs:3:ascending")
    dialog = shown.locator("#run-detail")
    link = shown.locator("#listed-runs tbody a").first
    moment = link.inner_text()
    run_id = link.get_attribute("href").removeprefix("#run=")  # type: ignore[union-attr]
    link.focus()
    shown.keyboard.press("Enter")
    expect(dialog.locator("h2")).to_contain_text(run_id)
    expect(dialog).to_be_visible()
    assert f"run={run_id}" in shown.url
    shown.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(shown).not_to_have_url(re.compile("run="))
    expect(shown.locator("#listed-runs a", has_text=moment)).to_be_focused()

    shown.locator("#cost summary").click()
    day = shown.locator("#cost-table tbody a").nth(3)
    date = day.inner_text()
    day.focus()
    shown.keyboard.press("Enter")
    expect(shown.locator("#cost-table tbody a")).to_have_count(1)
    expect(shown.locator("#cost-table a", has_text=date)).to_be_focused()

    known = sql.row(_RUN, page)
    reader.open(page.path, f"#run={known['run_id']}")
    facts = dialog.locator(".facts dd").all_inner_texts()
    assert {known["status"], f"${known['cost_usd']:f}"} <= set(facts)
    assert dialog.locator("table").count() == 2
    dialog.evaluate("each => each.scrollTo(0, each.scrollHeight)")
    expect(shown.locator("#close-run")).to_be_in_viewport(ratio=1)


_FAILED = """
    select run_id from runs
    semi join (from published.marts.fct_log_events where is_error or level = 'ERROR')
        using (workspace_id, run_id)
    where @MINE and status = 'failed' order by created_at desc limit 1"""


def test_runs_are_listed_by_status(batches: Site, sql: Asked, reader: Reader) -> None:
    """Those of a chosen month that failed are listed at first; one opens on its events in order."""
    page = batches.one("agent")
    failed = sql.rows(
        "select run_id from runs where @MINE and status = 'failed'"
        " and day between '2026-10-01' and '2026-10-31'",
        page,
    )
    shown = reader.open(page.path, "#period=2026-10")
    expect(shown.locator("#listed-runs tbody tr")).to_have_count(len(failed))
    rows = shown.locator("#listed-runs tbody td:last-child").all_inner_texts()

    assert sorted(rows) == sorted(each["run_id"][:8] for each in failed)
    known = sql.row(_FAILED, page)
    reader.open(page.path, f"#run={known['run_id']}")
    events = shown.locator("#run-detail table:has-text('Event') tbody tr")
    events.first.wait_for()
    times = events.evaluate_all("rows => rows.map((row) => Number(row.cells[0].dataset.v))")
    assert times == sorted(times)
    assert "error" in events.locator("td:nth-child(3)").all_inner_texts()
