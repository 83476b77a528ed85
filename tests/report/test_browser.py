from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, expect

from analytics.format import numbers
from tests.report import marts
from tests.report.browser import Reader
from tests.report.conftest import BuildSite
from tests.report.pages import Page, Site

KINDS = ("overview", "workspace", "agent")
TABLES_ALONE = ("quality", "reconciliation")


_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_is_drawn_as_plotly_takes_it(kind: str, site: Site, reader: Reader) -> None:
    """Each kind of page opens from disk, all charts drawn and valid, none with a mode bar."""
    page = site.one(kind)
    shown = reader.open(page.path)
    reader.draw_all()
    plots = shown.locator(".js-plotly-plot")
    problems = shown.evaluate(
        "[...document.querySelectorAll('.js-plotly-plot')]"
        ".map(each => Plotly.validate(each.data, each.layout) ?? [])"
        ".flat().map(each => each.msg).filter(each => !each.endsWith('did not get coerced'))"
    )

    assert plots.count() == shown.locator(".plot:not([hidden])").count() > 0
    assert problems == []
    assert shown.locator(".modebar-btn").count() == 0
    assert "could not be drawn" not in shown.content()


def test_every_page_works(batches: Site, reader: Reader) -> None:
    """No page has an error, nor that of an agent that never ran; each with charts has a picker."""
    for page in batches.controls:
        reader.open(page.path)
    for page in batches.charted:
        assert reader.open(page.path).locator("#picker").is_visible(), page.path.name

    assert any("No runs yet." in page.source for page in batches.agents)


@pytest.mark.parametrize("kind", KINDS + TABLES_ALONE)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(kind: str, scheme: str, site: Site, browser: Browser) -> None:
    """No page has a fault that axe-core knows of, in light and in dark colours."""
    reader = Reader(browser, color_scheme=scheme, bypass_csp=True)
    shown = reader.open(site.one(kind).path)
    reader.draw_all()

    assert _faults(shown) == []
    reader.close()


@pytest.mark.parametrize("kind", ["overview", "workspace", "reconciliation"])
def test_axe_finds_nothing_on_a_phone(kind: str, batches: Site, browser: Browser) -> None:
    """At 390 pixels, with a period chosen, real batches with all kinds of tables have no fault."""
    reader = Reader(browser, bypass_csp=True)
    reader.page.set_viewport_size({"width": 390, "height": 844})
    shown = reader.open(batches.one(kind).path, "#from=2026-10-14&to=2026-11-08")
    reader.draw_all()

    assert _faults(shown) == []
    reader.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_run(scheme: str, batches: Site, browser: Browser) -> None:
    """The details of a run, models and events, have no fault, in light and in dark colours."""
    reader = Reader(browser, color_scheme=scheme, bypass_csp=True)
    shown = reader.open(batches.one("agent").path)
    shown.locator("#runs tbody a").first.click()
    shown.locator("#run-detail[open] table").first.wait_for()

    assert _faults(shown) == []
    reader.close()


@pytest.mark.parametrize("kind", ["workspace", "reconciliation"])
def test_axe_finds_nothing_on_paper(kind: str, batches: Site, browser: Browser) -> None:
    """A printed month has no fault."""
    reader = Reader(browser, bypass_csp=True)
    shown = reader.open(batches.one(kind).path, "#from=2026-10-01&to=2026-10-31")
    shown.emulate_media(media="print")
    shown.locator(".plot:visible:not(:has(.main-svg))").first.wait_for(state="detached")

    assert _faults(shown) == []
    reader.close()


@pytest.mark.parametrize("kind", KINDS + TABLES_ALONE)
def test_without_script_all_figures_can_be_read(kind: str, batches: Site, browser: Browser) -> None:
    """Every table shows, those that are folded on a click; no control stands there idle."""
    reader = Reader(browser, java_script_enabled=False)
    shown = reader.page
    shown.goto(batches.one(kind).path.as_uri())
    for folded in shown.locator("main details:has(table)").all():
        if folded.get_attribute("open") is None:
            folded.locator("summary").click()
    tables = shown.locator("main table")
    hidden = [each.get_attribute("id") for each in tables.all() if not each.is_visible()]
    idle = shown.locator(":is(button, select, input):visible").count()
    empty = shown.locator(".plot:visible:not(:has(svg))").evaluate_all(
        "all => all.filter(each => each.clientHeight > 0).map(each => each.dataset.chart)"
    )
    reader.close()

    assert (hidden, idle) == ([], 0)
    assert empty == []


def _faults(shown: Any) -> list[Any]:
    """What axe-core finds, with all that is folded opened."""
    shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    shown.evaluate(_AXE)
    found = shown.evaluate("axe.run().then(result => result.violations)")
    return [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found]


def _tables(page: Any) -> dict[str, list[list[str]]]:
    tables: dict[str, list[list[str]]] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('figure table')].map(table =>"
        " [table.id, [...table.rows].map(row => [...row.cells].map(cell => cell.innerText"
        ".trim()))]))"
    )
    return tables


def _period(page: Page) -> str:
    (body,) = page.root.all("body")
    today = body.attributes["data-today"]
    first = body.attributes["data-chart-first"]
    return f"#from={first}&to={today}"


@pytest.mark.parametrize("kind", KINDS)
def test_script_and_build_write_the_same_tables(kind: str, site: Site, reader: Reader) -> None:
    """What the script writes for the period that the page was built for is what was built."""
    page = site.one(kind)
    built = {
        each.attributes["id"]: page.table(each.attributes["id"]) for each in page.root.all("table")
    }
    shown = reader.open(page.path)
    shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    for key, rows in _tables(shown).items():
        written = [[cell.replace("\n", "") for cell in row] for row in rows]
        _head, *body = [[cell.strip() for cell in row] for row in built[key]]
        if key in {"daily", "failure-rates", "tokens-per-run-table", "durations-table"}:
            assert list(written[1:])[: len(body)] == body, key
        else:
            assert written[1:] == body, key


def test_a_chosen_period_is_followed_by_all_and_kept_in_the_address(
    site: Site, con: Any, reader: Reader
) -> None:
    """A period of a link shows: headline, titles, tables and charts are those of its days."""
    page = site.agents[0]
    agent_id = page.path.stem.rsplit("-", 1)[0]
    cost, runs = con.execute(
        "select sum(cost_usd), count(*) from marts.fct_runs where agent_id = ?"
        " and date between '2026-02-03' and '2026-02-16'",
        [agent_id],
    ).fetchone()
    shown = reader.open(page.path, "#from=2026-02-03&to=2026-02-16")
    kpis = shown.locator("#chosen dd").all_inner_texts()
    title = shown.locator("#cost h3").inner_text()
    shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    tables = _tables(shown)

    assert kpis[:2] == [numbers.usd(cost), numbers.count(runs)]
    assert title == f"Cost: {numbers.usd(cost)} in 3\u201316 February 2026"
    assert [row[0] for row in tables["daily"][1:]] == [
        f"2026-02-{day:02}" for day in range(16, 2, -1)
    ]
    assert tables["model-split"][-1][2] == numbers.usd(cost)
    assert shown.locator("#period").input_value() == "own"

    shown.locator("#clear").click()
    shown.locator("#chosen").wait_for(state="hidden")
    assert "#" not in shown.url
    assert shown.locator("#cost h3").inner_text() == page.root.all("h3")[0].text


def test_agents_that_are_chosen_are_followed_by_all(site: Site, con: Any, reader: Reader) -> None:
    """The figures of some agents together are the sums of theirs, and a link shows the same."""
    page = site.workspaces[0]
    shown = reader.open(page.path)
    shown.locator(".members summary").click()
    boxes = shown.locator('[name="member"]')
    ids = []
    for index in (0, 2):
        boxes.nth(index).check()
        ids.append(boxes.nth(index).get_attribute("value").rsplit("-", 1)[0])
    shown.locator("#period").select_option("30")
    shown.locator("#chosen p", has_text=" · ").wait_for()
    (cost,) = con.execute(
        "select sum(cost_usd) from marts.fct_runs where agent_id in (?, ?)"
        " and date between '2026-02-12' and '2026-03-13'",
        ids,
    ).fetchone()
    address = shown.url

    assert shown.locator("#chosen dd").first.inner_text() == numbers.usd(cost)
    assert "only=" in address
    assert "from=2026-02-12" in address
    again = reader.open(page.path, f"#{address.partition('#')[2]}")
    assert again.locator("#chosen dd").first.inner_text() == numbers.usd(cost)
    again.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    ranked, failing = (_tables(again)[each] for each in ("members-table", "failing-agents"))
    assert ranked[-1][:2] == ["Total", numbers.usd(cost)]
    assert len([row for row in ranked if row[0] not in {"Rounding", "Total"}]) == 1 + len(ids)
    assert len(failing) == 1 + len(ids) + 1
    assert again.locator("#all-agents:visible, [data-now]:visible").count() == 0


def test_a_table_sorts_by_exact_values_and_downloads_as_shown(site: Site, reader: Reader) -> None:
    """A head sorts, the missing last; the CSV holds the shown rows, in order and exact."""
    shown = reader.open(site.workspaces[0].path)
    table = shown.locator("#all-agents")
    head = table.locator("th button", has_text="Change")
    head.click()
    values = table.evaluate(
        "table => [...table.tBodies[0].rows].map(row => row.cells[2].dataset.v)"
    )
    known = [Decimal(value) for value in values if value]
    with shown.expect_download() as download:
        shown.locator("#all-agents").locator("xpath=../preceding-sibling::button[1]").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert known == sorted(known, reverse=True)
    assert "" not in values[: len(known)]
    assert head.locator("..").get_attribute("aria-sort") == "descending"
    assert "sort=all-agents" in shown.url
    assert [row[2] for row in rows[1:]] == values
    assert re.fullmatch(
        r"[a-z0-9-]+_all-agents_to-2026-03-14\.csv", download.value.suggested_filename
    )


def test_a_download_holds_nothing_that_a_spreadsheet_would_run(
    build: BuildSite, reader: Reader
) -> None:
    """In a CSV, what begins as a formula, also after a semicolon, is text by an apostrophe."""
    con = marts.empty()
    marts.workspace(con)
    for number, name in enumerate(["\uff1dcmd()", "x;=1+1", "=1;2"]):
        marts.agent(con, name, agent_id=f"a-{number}")
        marts.run(con, date(2026, 3, 10), agent_id=f"a-{number}")
    shown = reader.open(build(marts.derive(con)).workspaces[0].path)
    with shown.expect_download() as download:
        shown.locator("#all-agents").locator("xpath=../preceding-sibling::button[1]").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    names = {row[0] for row in csv.reader(io.StringIO(text, newline=""))}

    assert {"'\uff1dcmd()", "x;'=1+1", "'=1;2"} <= names
    assert '"x;' in text


def test_a_run_is_reached_by_the_keyboard_and_by_a_link(site: Site, reader: Reader) -> None:
    """From a table a run opens by Enter, closes by Escape, and its address opens it again."""
    page = site.agents[0]
    shown = reader.open(page.path)
    link = shown.locator("#runs tbody a").first
    run_id = link.inner_text()
    link.focus()
    shown.keyboard.press("Enter")
    dialog = shown.locator("#run-detail")
    dialog.wait_for(state="visible")
    assert run_id in dialog.inner_text()
    assert "What the run used of each model" in dialog.inner_text()
    address = shown.url
    shown.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    expect(shown).not_to_have_url(re.compile("run="))

    shown.goto("about:blank")
    shown.goto(address)
    shown.locator("#run-detail[open]").wait_for()


def test_all_runs_are_listed_on_demand(site: Site, con: Any, reader: Reader) -> None:
    """The newest runs are a button away, and follow the period and the status."""
    page = site.agents[0]
    agent_id = page.path.stem.rsplit("-", 1)[0]
    shown = reader.open(page.path)
    shown.locator("#show-runs").click()
    shown.locator("#run-status").select_option("failed")
    shown.locator("#runs caption", has_text="failed").wait_for()
    (count,) = con.execute(
        "select count(*) from marts.fct_runs where agent_id = ? and status = 'failed'", [agent_id]
    ).fetchone()

    assert shown.locator("#runs tbody tr").count() == count


def test_numbers_are_written_as_the_build_writes_them(site: Site, reader: Reader) -> None:
    """The script writes every amount, count, share and duration as the build does."""
    amounts = [
        0,
        1,
        -1,
        49_999_999,
        50_000_000,
        150_000_000,
        123_456_789_012_345,
        -(10**20),
        10**28,
    ]
    counts = [0, 1, 999, 1_000, 12_345, 99_950, 999_999, 1_000_000, 10**9, 10**18, 123_456_789]
    seconds = [0, 0.0004, 0.9994, 1, 59.94, 59.96, 61, 3599.6, 3661, 100_000]
    pairs = [(0, 5), (1, 3), (5, 5), (13, 310), (1, 2_000), (1_999, 2_000), (3, 19), (2, 20)]
    shown = reader.open(site.overview.path)
    written = shown.evaluate(
        """([amounts, counts, seconds, pairs]) => JSON.stringify([
            amounts.map((each) => ["usd", "usdFine", "usdPerRun", "usdHeadline"].map(
                (unit) => numbers[unit](BigInt(each)))),
            counts.map((each) => [numbers.tokens(BigInt(each)), numbers.count(BigInt(each))]),
            seconds.map(numbers.duration),
            pairs.map(([a, b]) => ["percent", "rate", "interval"].map(
                (unit) => numbers[unit](BigInt(a), BigInt(b)))),
        ])""",
        [[str(each) for each in amounts], [str(each) for each in counts], seconds, pairs],
    )
    dollars = [Decimal(each).scaleb(-10) for each in amounts]
    makers: list[Callable[[Decimal], str]] = [
        numbers.usd,
        numbers.usd_fine,
        numbers.usd_per_run,
        numbers.usd_headline,
    ]

    assert json.loads(written) == [
        [[make(amount) for make in makers] for amount in dollars],
        [[numbers.tokens(each), numbers.count(each)] for each in counts],
        [numbers.duration(each) for each in seconds],
        [
            [numbers.percent(a, b), numbers.failure_rate(a, b), numbers.interval(a, b)]
            for a, b in pairs
        ],
    ]


def test_the_other_colours_are_a_button_away(site: Site, reader: Reader) -> None:
    """The button changes page and charts to the other colours, and says which come next."""
    shown = reader.open(site.workspaces[0].path)
    bar = shown.locator("#cost .point path").first
    light = bar.evaluate("each => each.style.fill")
    shown.locator("#theme").click()

    assert shown.locator("#theme").inner_text() == "Light colours"
    assert (light, bar.evaluate("each => each.style.fill")) == (
        "rgb(29, 79, 215)",
        "rgb(111, 150, 255)",
    )
