from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import duckdb

from tests.report import marts
from tests.report.conftest import BuildSite
from tests.report.pages import Page

TODAY, DAY = date(2026, 3, 14), date(2026, 3, 10)


def _one_agent(first: date, last: date = TODAY) -> duckdb.DuckDBPyConnection:
    """An agent with a run on each day."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    for offset in range((last - first).days + 1):
        marts.run(con, first + timedelta(days=offset))
    return con


def _states(page: Page) -> dict[str, str]:
    return {row[0]: row[-1] for row in page.table("daily")[1:]}


def test_today_is_marked_so_far(build: BuildSite) -> None:
    """The day of the cut-off is pale, says so, and is in no comparison."""
    (page,) = build(marts.derive(_one_agent(date(2026, 1, 1)))).agents

    assert _states(page)["2026-03-14"] == "so far"
    assert page.facts["states"][-2:] == "cs"
    assert page.amounts("cost_usd")["2026-03-14"] == Decimal("0.25")
    assert "1\u201313 Mar: no change vs 1\u201313 Feb" in page.kpis["Month to date"]


def test_a_day_without_runs_is_zero_and_an_unread_day_is_not(build: BuildSite) -> None:
    """Between first day and cut-off a day without runs is zero; before the first it is null."""
    con = _one_agent(date(2026, 3, 10), date(2026, 3, 10))
    (page,) = build(marts.derive(con)).workspaces
    costs = page.amounts("cost_usd")

    assert [costs[f"2026-03-{day:02}"] for day in range(8, 13)] == [
        None,
        None,
        Decimal("0.25"),
        0,
        0,
    ]
    assert page.facts["states"][-6:] == "nccccs"
    assert list(_states(page)) == [f"2026-03-{day}" for day in (14, 13, 12, 11, 10)]


def test_days_that_were_not_read_whole_are_no_basis_of_a_comparison(build: BuildSite) -> None:
    """An incomplete day is marked, and periods with it are not compared."""
    con = marts.derive(_one_agent(date(2026, 1, 1)))
    con.execute("update marts.dim_dates set is_complete = false where date = '2026-02-10'")
    site = build(con)
    (page,) = site.agents

    assert page.facts["states"][-34:-30] == "cicc"
    assert "incomplete: not every day was read whole" in page.kpis["Last full month"]
    assert any("No comparison" in note for note in page.kpis["Month to date"])
    assert "\u2013not all cost of both is known" in site.workspaces[0].table("all-agents")[1]
    assert [row[-1] for row in page.table("months")[1:]] == ["so far", "incomplete", ""]


def test_data_begin_with_the_first_complete_day(build: BuildSite) -> None:
    """A run of an earlier day is shown as of an incomplete one; days without any hold no data."""
    con = _one_agent(date(2026, 2, 20))
    marts.run(con, date(2026, 2, 17))
    con.execute("insert into given.first_days values ('ws', '2026-02-19')")
    (page,) = build(marts.derive(con)).agents
    costs = page.amounts("cost_usd")

    assert [costs[f"2026-02-{day}"] for day in (17, 18, 19, 20)] == [
        Decimal("0.25"), None, 0, Decimal("0.25"),
    ]  # fmt: skip
    assert page.facts["states"][-26:-22] == "incc"


def test_days_are_those_of_the_reporting_time_zone(build: BuildSite) -> None:
    """Today is the day of the cut-off in the reporting time zone."""
    con = marts.derive(_one_agent(date(2026, 1, 1)))
    con.execute("update marts.dim_workspaces set last_batch_at = '2026-03-14 02:00:00+00'")
    (page,) = build(con, timezone="America/New_York").workspaces

    assert "today (13 Mar) is still running" in page.root.text
    assert page.kpis["Yesterday"][2] == "12 Mar, 1 run"


def test_workspaces_side_by_side_are_of_the_same_days(build: BuildSite) -> None:
    """A workspace that was not read for weeks stands under the months that the heads name."""
    con = _one_agent(date(2026, 1, 1), date(2026, 2, 9))
    con.execute("update marts.dim_workspaces set last_batch_at = '2026-02-09 06:00:00+00'")
    marts.workspace(con, "Fresh", workspace_id="fresh")
    for day in range(1, 15):
        marts.run(con, date(2026, 3, day), workspace_id="fresh", agent_id=None, cost_usd=1)
    table = build(marts.derive(con)).overview.table("workspaces")
    shown = [(row[0], row[1], *row[3:5]) for row in table[1:]]

    assert "Mar\u00a02026" in table[0][3]
    assert shown[:3] == [
        ("Bakery1 agent", "\u2013not read", "\u2013not read", "$2.25"),
        ("Fresh0 agents", "$13.00", "$14.00", "\u2013not read"),
        ("Total", "$13.00", "$14.00", "$2.25"),
    ]


def test_a_day_that_is_not_over_in_utc_is_incomplete(build: BuildSite) -> None:
    """East of UTC, yesterday is incomplete while its UTC day is running."""
    con = _one_agent(date(2026, 1, 1))
    con.execute("update marts.dim_workspaces set last_batch_at = '2026-03-13 20:00:00+00'")
    (page,) = build(marts.derive(con), timezone="Asia/Kolkata").agents

    assert page.facts["states"][-3:] == "cis"


def test_a_workspace_that_was_not_read_keeps_its_figures_and_its_cut_off(build: BuildSite) -> None:
    """A workspace whose last batch was earlier is shown as of then, and named on the overview."""
    con = _one_agent(date(2026, 1, 1), date(2026, 3, 12))
    con.execute("update marts.dim_workspaces set last_batch_at = '2026-03-12 06:00:00+00'")
    marts.workspace(con, "Fresh", workspace_id="fresh")
    marts.run(con, DAY, workspace_id="fresh", agent_id=None)
    site = build(marts.derive(con))
    stale = next(page for page in site.workspaces if page.path.name.startswith("ws"))

    assert "Data to 2026-03-12 06:00 UTC" in stale.root.text
    assert stale.kpis["Yesterday"][2] == "11 Mar, 1 run"
    assert "older than the others" in site.overview.root.text
    states = _states(site.overview)
    assert [states[f"2026-03-{day}"] for day in (14, 13, 12, 11)] == [
        "so far",
        "incomplete",
        "incomplete",
        "",
    ]


def test_failures_are_shown_by_week_where_days_hold_few_runs(build: BuildSite) -> None:
    """Rates of few runs are given by week, and below 20 runs as counts."""
    con = _one_agent(date(2026, 2, 1))
    marts.run(con, DAY, status="failed", error_class="timeout")
    (page,) = build(marts.derive(con)).agents

    assert page.table("failure-rates")[1] == [
        "9\u201313 March 2026",
        "1",
        "6",
        "1 of 6",
        "[3.0\u201356.4]",
    ]
    assert page.kpis["Failure rate"][0] == "3.2%"


def test_an_open_run_of_yesterday_is_told_where_it_is_called_complete(build: BuildSite) -> None:
    """A day is complete but for the runs of it that have not ended."""
    con = _one_agent(date(2026, 1, 1))
    marts.run(con, date(2026, 3, 13), status="running", is_terminal=False)
    page = build(marts.derive(con)).workspaces[0]

    assert "yesterday (13 Mar) is complete but for 1 open run, today" in page.root.text
