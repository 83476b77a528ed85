from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser

from analytics.report.writing import numbers
from tests.batches import run_batch, short_lists
from tests.conftest import Batch, StartRun
from tests.report import marts
from tests.report.browser import Reader
from tests.report.conftest import BuildSite

FIRST, TODAY = date(2025, 12, 14), date(2026, 3, 14)
BUSY, ALONE = date(2026, 3, 10), date(2026, 3, 8)

TERMS = ("metered", "run_cost", "open_cost", "platform_cost", "gap_cost", "edge", "unexplained")
NOTHING = {f"{term}_usd".replace("metered_", "metered_cost_"): 0 for term in TERMS}


def _counted(first: date = FIRST) -> duckdb.DuckDBPyConnection:
    """An agent with a run on each ninth day, counted from a day on."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con, first_counted_date=first)
    marts.agent(con, name="=cmd() 🍞 <script>", agent_id="a-2", first_counted_date=first)
    for offset in range((TODAY - first).days + 1):
        day = first + timedelta(days=offset)
        marts.insert(
            con, "reconciliation_days", workspace_id="ws", date=day, status="reconciled", **NOTHING
        )
        if offset % 9 == 5:
            marts.run(con, day)
    return con


def _hide(con: duckdb.DuckDBPyConnection, day: date, cost: str | None, **columns: Any) -> None:
    given = {
        "workspace_id": "ws",
        "agent_id": "a-1",
        "missing_run_count": 7,
        "counted_run_count": 9,
        "held_run_count": 2,
        "is_final": True,
    }
    marts.insert(con, "fct_listing_gaps", date=day, missing_cost_usd=cost, **(given | columns))


def _with_hidden() -> duckdb.DuckDBPyConnection:
    con = _counted()
    marts.run(con, BUSY)
    _hide(con, BUSY, "1.0000000001")
    _hide(con, ALONE, "2.50", agent_id="a-2", missing_run_count=10**15)
    _hide(con, date(2026, 2, 3), "0.30")
    return marts.derive(con)


def _complete(con: duckdb.DuckDBPyConnection, first: date, last: date) -> Decimal:
    (cost,) = con.execute(
        "select (select coalesce(sum(cost_usd), 0) from marts.fct_runs"
        " where date between $1 and $2)"
        " + (select coalesce(sum(missing_cost_usd), 0) from marts.fct_listing_gaps"
        " where date between $1 and $2)",
        [first, last],
    ).fetchone() or (Decimal(0),)
    return Decimal(cost)


@pytest.mark.parametrize(("hidden", "is_compared"), [(1, True), (2, False)])
def test_a_few_listed_runs_do_not_stand_for_the_hidden_ones(
    build: BuildSite, hidden: int, *, is_compared: bool
) -> None:
    """Figures of listed runs are compared only where at most a fifth of the runs is hidden."""
    con = _counted()
    _hide(con, date(2026, 2, 3), "0.30", missing_run_count=hidden)  # beside four listed ones
    kpis = build(marts.derive(con)).agents[0].kpis

    for label in ("Failure rate", "Cost per successful run"):
        text = " ".join(kpis[label])
        assert ("the 30 days before" in text) is is_compared
        assert ("No comparison: too many runs are hidden" in text) is not is_compared


def test_totals_are_complete_and_say_what_of_them_is_hidden(build: BuildSite) -> None:
    """Headline, title, day, month and agents add what hidden runs cost, and show it apart."""
    con = _with_hidden()
    page = build(con).workspaces[0]
    month = _complete(con, date(2026, 3, 1), TODAY)
    days = {row[0]: row for row in page.table("daily")[1:]}

    assert page.kpis["Month to date"][0] == numbers.usd(month)
    assert page.kpis["Month to date"][-1] == "of which hidden runs $3.50 (1,000,000,000,000,007)"
    assert page.kpis["Failure rate"][-1].endswith("listed runs only")
    assert "of which hidden runs $3.50 (1,000" in page.root.all("h3")[0].text
    assert page.table("daily")[0][1:5] == ["Cost", "Cost of hidden runs", "Runs", "Hidden runs"]
    assert days["2026-03-10"][1:5] == ["$1.50", "$1.00", "9", "7"]
    assert days["2026-03-08"][1:4] == ["$2.50", "$2.50", "1,000,000,000,000,000"]
    assert days["2026-03-08"][5:-1] == ["\u2013"] * 6
    assert days["2026-03-08"][-1] == "some runs hidden"
    assert page.table("months")[1][1:3] == [numbers.usd(month), "$3.50"]
    assert page.table("all-agents")[-1][1:3] == [
        numbers.usd(_complete(con, date(2026, 2, 12), date(2026, 3, 13))),
        "$3.50",
    ]


def test_hidden_runs_stand_under_their_models_to_the_last_digit(build: BuildSite) -> None:
    """A day's hidden cost is split as its metered usage is; what no usage tells stays unknown."""
    con = _with_hidden()
    for model, cost in (("m-1", "0.20"), ("m-2", "0.10")):
        marts.insert(
            con,
            "fct_listing_gap_models",
            workspace_id="ws",
            agent_id="a-1",
            date=date(2026, 3, 10),
            model=model,
            provider="p",
            missing_cost_usd=Decimal(cost),
        )
    page = build(con).workspaces[0]
    rows = {row[0]: row[2] for row in page.table("model-split")}
    split = page.facts["splits"]["models"]["columns"]["cost_usd"]

    assert (rows["m-1"], rows["m-2"]) == ("$0.67", "$0.33")
    assert sum(split) == 10_000_000_001  # ten-billionths of a dollar
    assert rows["Total"] == page.table("all-agents")[-1][1]


def test_a_counted_day_without_a_gap_is_complete(build: BuildSite) -> None:
    """A counted day without a run is a true zero; one before the counting began has no data."""
    site = build(marts.derive(_counted(date(2026, 2, 20))))
    for page in (site.overview, site.workspaces[0], *site.agents[:1]):
        states = page.facts["states"]
        assert states[-24:-21] == "ncc"
        assert set(states[-23:-1]) == {"c"}
        assert page.amounts("cost_usd")["2026-02-20"] == 0


def test_a_list_gap_of_counted_days_hides_nothing(build: BuildSite) -> None:
    """Where the API counts an agent's runs, a cut list makes no day incomplete."""
    con = _counted()
    con.execute(
        "insert into audit.list_snapshots values ('ws', 'a-1', null, timestamptz '2026-03-01')"
    )
    page = build(marts.derive(con)).workspaces[0]

    assert "i" not in page.facts["states"]
    assert "Hidden" not in " ".join(page.table("daily")[0] + page.table("all-agents")[0])
    assert page.kpis["Last full month"][1].endswith("vs January")


def test_hidden_runs_of_unknown_cost_are_unknown(build: BuildSite) -> None:
    """A gap whose cost is not known is in no sum, is told, and refuses the comparison."""
    con = _counted()
    _hide(con, date(2026, 2, 3), None)
    page = build(marts.derive(con)).workspaces[0]

    assert page.kpis["Last full month"][0] == numbers.usd(
        _complete(con, date(2026, 2, 1), date(2026, 2, 28))
    )
    assert "without 7 hidden runs of unknown cost" in page.kpis["Last full month"][-1]
    assert any("No comparison" in note for note in page.kpis["Last full month"])
    assert page.facts["states"][-40] == "i"


def test_what_a_batch_of_short_lists_hides_is_on_the_page(
    batch: Batch, start_run: StartRun, build: BuildSite
) -> None:
    """The costs of a site add up to the marts' own complete days, hidden runs apart."""
    for number in range(9):
        start_run(hours_ago=20 + number / 100)
    with short_lists():
        run_batch(batch)
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"attach '{batch.layout.marts}' as published (read_only)")
        con.execute("use published")
        site = build(con)
        rows = con.execute(
            "select strftime(date, '%Y-%m-%d'), gap_cost_usd, missing_run_count, cost_usd"
            " from marts.fct_workspace_days_complete"
        ).fetchall()
    page = site.workspaces[0]
    gaps, costs = page.amounts("gap_cost_usd"), page.amounts("cost_usd")

    assert sum(row[2] for row in rows) == 4
    assert [(gaps[day], costs[day]) for day, *_ in rows] == [(row[1], row[3]) for row in rows]


def test_a_chosen_period_adds_hidden_runs_as_the_build_does(
    build: BuildSite, browser: Browser
) -> None:
    """For chosen days and agents, script and SQL agree on the complete cost, to the cent."""
    con = _with_hidden()
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
    members = shown.locator("#members-table tfoot tr").last.locator("th, td").all_inner_texts()
    built = page.table("daily")
    reader.draw_all()
    segments = shown.evaluate(
        "document.querySelector('[data-chart=cost]').data"
        ".filter(each => each.name === 'Hidden runs').map(each => each.y)"
    )
    cost = numbers.usd(_complete(con, date(2026, 3, 1), TODAY))
    reader.close()

    assert reader.complaints == []
    assert kpis[:4] == [cost, "1,000,000,000,000,010", "$3.50", "1,000,000,000,000,007"]
    assert title == (
        f"Runs cost {cost} in 1\u201314 March 2026, of which"
        " hidden runs $3.50 (1,000,000,000,000,007)"
    )
    assert daily[1:] == built[1:15]
    assert members[1:3] == [cost, "$3.50"]
    assert sum(value or 0 for value in segments[0]) == pytest.approx(3.5)


def test_where_all_runs_are_hidden_charts_say_no_more(build: BuildSite, reader: Reader) -> None:
    """Of days whose runs are all hidden, what only listed runs tell is not known, nor of a week."""
    (page,) = (each for each in build(_with_hidden()).agents if "<bdi>Baker<" in each.source)
    shown = reader.open(page.path, "#from=2026-02-03&to=2026-02-08")
    told = shown.evaluate(
        "[...document.querySelectorAll('figure:has(.plot[hidden])')].map(each =>"
        " [each.id, each.querySelector('figcaption p').textContent])"
    )

    assert shown.locator("#chosen dd").all_inner_texts()[:2] == ["$0.30", "7"]
    assert {text for _, text in told} == {
        "All 7 runs in 3\u20138 February 2026 are hidden: what they did is not known."
    }
    assert {"cost-per-run", "outcomes", "failure-rate", "versions", "tokens-per-run"} <= {
        key for key, _ in told
    }
    assert shown.locator("#cost .plot").is_visible()
    assert shown.locator("figure:has(.plot[hidden]) table:visible").count() == 0
