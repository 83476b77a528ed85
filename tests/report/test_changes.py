from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from analytics.format.numbers import usd, usd_change
from tests.report import marts
from tests.report.conftest import BuildSite
from tests.report.pages import Page, Site

TODAY = date(2026, 3, 14)


def _daily(con: duckdb.DuckDBPyConnection, days: int, cost: str = "2", **columns: Any) -> None:
    """A run on each of the days before today."""
    for offset in range(1, days + 1):
        marts.run(con, TODAY - timedelta(days=offset), cost_usd=cost, **columns)


def _one(days: int) -> duckdb.DuckDBPyConnection:
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    _daily(con, days)
    return con


def _month_end(page: Page) -> list[str]:
    return next(texts for label, texts in page.kpis.items() if label.startswith("Month end"))


def test_days_that_never_differ_end_the_month_exactly(build: BuildSite) -> None:
    """With $2 a day, March will end at $62, whatever the weekday; the past months did likewise."""
    page = build(marts.derive(_one(120))).overview
    table = dict(row for row in page.table("forecast-table")[1:])

    assert _month_end(page) == [
        "$62",
        "80% range; expected $62",
    ]
    assert table["Cost to 13 March 2026"] == "$26.00"
    assert table["Expected rest of the month"] == "$36"
    assert table["Whole February 2026"] == "$56.00"


def test_a_forecast_is_refused_with_little_history(build: BuildSite) -> None:
    """Under 14 complete days there is no forecast, and the page says so."""
    page = build(marts.derive(_one(13))).overview

    assert _month_end(page) == ["\u2013", "A forecast needs 14 complete days; there are 13"]
    assert "A forecast needs 14 complete days" in page.root.text


def test_a_range_is_wider_the_more_days_differ(build: BuildSite) -> None:
    """Days that differ make a range, never below what the month has cost already."""
    con = _one(60)
    for offset in range(1, 60, 3):
        marts.run(con, TODAY - timedelta(days=offset), cost_usd="40")
    value, expected = _month_end(build(marts.derive(con)).overview)
    low, high = (Decimal(each.strip("$")) for each in value.split("\u2013"))

    assert 226 <= low < Decimal(expected.rpartition("$")[2]) < high


def test_changes_of_a_week_are_those_of_the_runs(
    site: Site, con: duckdb.DuckDBPyConnection
) -> None:
    """Each agent, version and model that moved is told with both weeks' costs, as SQL has them."""
    weeks = (
        "date between '2026-03-07' and '2026-03-13'",
        "date between '2026-02-28' and '2026-03-06'",
    )
    rows = {row[0]: row for row in site.workspaces[0].table("movers-table")[1:]}
    (agents,) = con.execute(
        "select list(agent_name) from marts.dim_agents where workspace_id = 'ws-0'"
    ).fetchone() or ([],)
    seen = 0
    for name in agents:
        now, before = (
            con.execute(
                "select sum(cost_usd) from marts.fct_agent_days"
                " join marts.dim_agents using (workspace_id, agent_id)"
                f" where workspace_id = 'ws-0' and {week}"
                " and agent_name = ?",
                [name],
            ).fetchone()[0]  # type: ignore[index]
            for week in weeks
        )
        if name in rows:
            seen += 1
            assert rows[name][2:5] == [usd_change(now, before), usd(now), usd(before)]
    assert seen == 10
    assert {row[1] for row in rows.values()} == {"Agent", "Version", "Model"}


def test_a_day_far_above_the_usual_is_named_with_its_driver(build: BuildSite) -> None:
    """A day of dear runs, or of many, is told with what is usual; an ordinary day is not."""
    con = _one(60)
    marts.agent(con, "Busy", agent_id="a-2")
    _daily(con, 60, "1", agent_id="a-2")
    marts.run(con, date(2026, 3, 10), cost_usd="50")
    for _ in range(9):
        marts.run(con, date(2026, 3, 11), cost_usd="1", agent_id="a-2")
    site = build(marts.derive(con))

    assert site.overview.table("unusual-days")[1:] == [
        ["Baker", "2026-03-10", "$52.00", "$2.00", "$50.00", "runs 13.0 times as expensive"],
        ["Busy", "2026-03-11", "$10.00", "$1.00", "$9.00", "10.0 times as many runs"],
    ]
    assert "unusual: $52.00 on 10 March 2026, usually $2.00" in site.agents[0].root.text


@pytest.mark.parametrize("cost", ["0.90", "2.90"])
def test_a_day_little_above_the_usual_is_not_unusual(cost: str, build: BuildSite) -> None:
    """Less than a dollar above the usual is no news."""
    con = _one(60)
    marts.run(con, date(2026, 3, 10), cost_usd=str(Decimal(cost) - 2 if cost > "2" else cost))
    page = build(marts.derive(con)).overview

    assert "No agent had an unusual day" in page.root.text
