"""Runs that no list ever showed are in the figures of pages; what single runs tell is of others."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser

from analytics.format import numbers
from tests.report import marts
from tests.report.browser import Reader
from tests.report.conftest import BuildSite
from tests.report.pages import Page, Site

FIRST, TODAY = date(2025, 12, 14), date(2026, 3, 14)
BUSY, ALONE = date(2026, 3, 10), date(2026, 3, 8)


def _unlisted(con: duckdb.DuckDBPyConnection, day: date, cost: str | None, **columns: Any) -> None:
    given = {"workspace_id": "ws", "agent_id": "a-1", "run_count": 7, "tokens_in": 70}
    marts.insert(con, "given.unlisted_days", date=day, cost_usd=cost, **(given | columns))


def _agents() -> duckdb.DuckDBPyConnection:
    """An agent with a run on each ninth day, and one without a listed run."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    marts.agent(con, name="=cmd() 🍞 <script>", agent_id="a-2")
    con.execute("insert into given.first_days values ('ws', ?)", [FIRST])
    for offset in range(5, (TODAY - FIRST).days + 1, 9):
        marts.run(con, FIRST + timedelta(days=offset))
    return con


def _with_unlisted() -> duckdb.DuckDBPyConnection:
    con = _agents()
    marts.run(con, BUSY, status="failed")
    _unlisted(con, BUSY, "1.0000000001", failed_count=2)
    _unlisted(con, ALONE, "2.50", agent_id="a-2", run_count=10**15)
    _unlisted(con, date(2026, 2, 3), "0.30")
    marts.insert(
        con, "fct_platform_agent_days", workspace_id="ws", utc_date=BUSY, platform_agent_id="p",
        platform_agent_name="Builder", run_count=1, cost_usd="0.40", billed_usd="0.40",
    )  # fmt: skip
    return marts.derive(con)


def _cost(con: duckdb.DuckDBPyConnection, first: date, last: date) -> Decimal:
    (cost,) = con.execute(
        "select sum(cost_usd) from ("
        "select date, cost_usd from marts.fct_runs"
        " union all select date, cost_usd from given.unlisted_days"
        " union all select utc_date, cost_usd from marts.fct_platform_agent_days)"
        " where date between $1 and $2",
        [first, last],
    ).fetchone() or (Decimal(0),)
    return Decimal(cost)


def _texts(page: Page) -> list[str]:
    return [each.text for each in page.root.all("p", **{"class": "as-of"})]


def test_figures_are_of_all_runs_and_the_page_says_how_many_are_listed(build: BuildSite) -> None:
    """Headline, days, months and agents count unlisted runs; their share stands once, on top."""
    con = _with_unlisted()
    site = build(con)
    page = site.workspaces[0]
    month = _cost(con, date(2026, 3, 1), TODAY)
    days = {row[0]: row for row in page.table("daily")[1:]}
    agents = {row[0]: row for row in page.table("all-agents")[1:]}
    (baker,) = (each for each in site.agents if "<bdi>Baker</bdi></h1>" in each.source)

    assert page.kpis["Month to date"][0] == numbers.usd(month)
    assert page.kpis["Month to date"][-1] == "of which platform $0.40"
    assert days["2026-03-10"][1:4] == ["$1.90", "9", "3"]
    assert days["2026-03-08"][1:4] == ["$2.50", "1,000,000,000,000,000", "0"]
    assert page.table("months")[1][1] == numbers.usd(month)
    assert agents["Platform"][1] == "$0.40"
    assert not [each for each in page.root.all("a") if each.text == "Platform"]
    assert agents["Total"][1] == numbers.usd(_cost(con, date(2026, 2, 12), date(2026, 3, 13)))
    assert "Run detail for 44.0% of runs since 14 December 2025" in _texts(baker)[0]
    assert page.source.count("Run detail for") == 1


def test_figures_per_run_leave_the_platform_out(build: BuildSite) -> None:
    """What a run cost is the cost of all runs, without the platform's, by all runs."""
    con = _agents()
    con.execute("delete from marts.fct_runs")
    marts.run(con, BUSY, cost_usd="0.30")
    _unlisted(con, BUSY, "0.70", run_count=3, failed_count=1)
    marts.insert(
        con, "fct_platform_agent_days", workspace_id="ws", utc_date=BUSY, cost_usd="5", run_count=1
    )
    page = build(marts.derive(con)).workspaces[0]

    assert page.kpis["Cost per successful run"][0] == "$0.33"
    assert page.kpis["Failure rate"][0] == "1 of 4"


@pytest.mark.parametrize(
    ("listed", "unlisted", "failed", "text"),
    [
        ("0.25", "1.00", 2, "$0.25 to $1.25"),
        ("0.25", None, 2, "$0.25 or more"),
        ("0.25", "1.00", 0, "$0.25"),
        (None, "1.00", 2, "\u2013"),
    ],
)
def test_failed_cost_is_a_range_where_failed_runs_are_unlisted(
    listed: str | None, unlisted: str | None, failed: int, text: str, build: BuildSite
) -> None:
    """From the cost of listed failed runs to that plus all that unlisted runs of the day cost."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    marts.run(con, BUSY, status="failed", cost_usd=listed)
    _unlisted(con, BUSY, unlisted, failed_count=failed)
    page = build(marts.derive(con)).workspaces[0]

    shown = next(row for row in page.table("daily") if row[0] == str(BUSY))
    assert shown[6] == text
    assert page.table("members-table")[1][-1] == text
    assert page.table("months")[1][6] == text


def test_sections_of_single_runs_say_that_they_are_of_listed_runs(build: BuildSite) -> None:
    """They say so where any charted run is unlisted, and nothing where all are listed."""
    page = build(_with_unlisted()).workspaces[0]
    whole = build(marts.derive(_agents()), "whole").workspaces[0]

    for key in ("hours", "tokens-per-run", "errors"):
        (figure,) = page.root.all("figure", id=key)
        if "data-empty" not in figure.attributes:
            assert figure.all("p")[0].text.endswith("Listed runs.")
    for key in ("cost", "failure-rate", "models", "tokens"):
        (figure,) = page.root.all("figure", id=key)
        assert "isted runs" not in figure.all("p")[0].text
    assert "Run detail for all runs." in _texts(whole)[0]
    assert "isted runs." not in " ".join(each.text for each in whole.root.all("figure"))


def test_a_period_of_mostly_unknown_cost_is_not_compared(build: BuildSite) -> None:
    """Unlisted runs of unknown cost are in no sum, are counted, and refuse the comparison."""
    con = _agents()
    _unlisted(con, date(2026, 2, 3), None)
    page = build(marts.derive(con)).workspaces[0]

    assert page.kpis["Last full month"][-1] == "without 7 runs of unknown cost"
    assert any("No comparison" in note for note in page.kpis["Last full month"])


def test_a_chosen_period_adds_unlisted_runs_as_the_build_does(
    build: BuildSite, browser: Browser
) -> None:
    """For chosen days, script and SQL agree on cost, runs and failed cost, to the cent."""
    con = _with_unlisted()
    page = build(con).workspaces[0]
    reader = Reader(browser)
    shown = reader.open(page.path, "#from=2026-03-01&to=2026-03-14")
    kpis = shown.locator("#chosen dd").all_inner_texts()
    title = shown.locator("#cost h3").inner_text()
    shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    daily = [
        [cell.inner_text() for cell in row.locator("th, td").all()]
        for row in shown.locator("#daily tr").all()
    ]
    members = [
        row.locator("th, td").all_inner_texts()
        for row in shown.locator("#members-table tbody tr").all()
    ]
    built = page.table("daily")
    cost = _cost(con, date(2026, 3, 1), TODAY)
    reader.close()

    assert reader.complaints == []
    assert kpis[:4] == [
        numbers.usd(cost), "1,000,000,000,000,010", "<0.1% (3 of 1,000,000,000,000,010)",
        "$0.25 to $1.25",
    ]  # fmt: skip
    assert title == f"Cost: {numbers.usd(cost)} in 1\u201314 March 2026"
    assert daily[1:] == built[1:15]
    assert [row[:2] for row in members] == [
        ["=cmd() 🍞 <script>", "$2.50"], ["Baker", "$1.75"], ["Platform", "$0.40"],
    ]  # fmt: skip


def test_days_without_a_listed_run_show_what_is_known_of_them(
    build: BuildSite, reader: Reader
) -> None:
    """Charts of all runs are drawn; those of single runs say that they are of listed ones."""
    (page,) = (each for each in build(_with_unlisted()).agents if "<bdi>Baker<" in each.source)
    shown = reader.open(page.path, "#from=2026-02-03&to=2026-02-08")
    empty = shown.evaluate(
        "[...document.querySelectorAll('figure:has(.plot[hidden])')].map(each =>"
        " [each.id, each.querySelector('figcaption p').textContent])"
    )

    assert shown.locator("#chosen dd").all_inner_texts()[:2] == ["$0.30", "7"]
    for key in ("cost", "outcomes", "failure-rate", "cost-per-run"):
        assert shown.locator(f"#{key} .plot").is_visible()
    reasons = dict(empty)
    for key in ("versions", "tokens-per-run", "steps", "errors"):
        assert reasons[key].endswith("3\u20138 February 2026. Listed runs.")


def test_made_up_pages_name_the_lines_that_add_up(site: Site) -> None:
    """Agents, runs of none and the platform are the lines of a workspace."""
    for page in site.workspaces:
        names = [row[0] for row in page.table("all-agents")]
        assert {"No agent", "Platform", "Total"} <= set(names)
