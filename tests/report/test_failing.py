from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from analytics.format import numbers
from tests.report import marts
from tests.report.conftest import BuildSite
from tests.report.pages import Site

YESTERDAY = date(2026, 3, 13)


def test_failures_are_ranked_by_their_cost(site: Site, con: Any) -> None:
    """The table holds the cost and the counts of each agent's failures, most expensive first."""
    page = site.workspaces[0]
    rows = con.execute(
        """
        select agent_name, sum(failed_cost_usd), sum(failed_cost_high_usd),
            sum(unlisted_failed_count)::bigint, sum(failed_count)::bigint,
            sum(succeeded_count + failed_count)::bigint as finished
        from marts.fct_agent_days left join marts.dim_agents using (workspace_id, agent_id)
        where workspace_id = 'ws-0' and date between '2026-02-12' and '2026-03-13'
        group by all having finished > 0 order by finished < 20, 2 desc"""
    ).fetchall()
    shown = [[row[0], row[1], row[3], row[4]] for row in page.table("failing-agents")[1:]]
    printed = [
        [
            name,
            f"{numbers.usd(low)} to {numbers.usd(high)}" if few else numbers.usd(low),
            numbers.count(failed),
            numbers.count(finished),
        ]
        for name, low, high, few, failed, finished in rows
    ]

    assert shown[: len(printed)] == printed


def test_few_runs_are_not_ranked(build: BuildSite) -> None:
    """An agent with 19 finished runs stands last and in no title, whatever its failures cost."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con, "Costly")
    marts.agent(con, "Steady", agent_id="a-2")
    for _ in range(19):
        marts.run(con, YESTERDAY, status="failed", cost_usd="100")
    for _ in range(20):
        marts.run(con, YESTERDAY, agent_id="a-2", status="failed", cost_usd="0.01")
    page = build(marts.derive(con)).workspaces[0]
    (figure,) = page.root.all("figure", id="failing")
    title = figure.all("h3")[0].text

    assert "Steady" in title
    assert [row[0] for row in page.table("failing-agents")[1:3]] == ["Steady", "Costly"]


def test_nobody_is_named_where_nothing_can_be_ranked(build: BuildSite) -> None:
    """Where no agent has enough finished runs, the title names the sum and no agent."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    marts.run(con, YESTERDAY, status="failed", cost_usd="3")
    page = build(marts.derive(con)).workspaces[0]
    (figure,) = page.root.all("figure", id="failing")

    assert figure.all("h3")[0].text == (
        "Failed runs cost $3.00; no agent with 20 finished runs or more had any"
    )


def test_agents_sort_by_exact_values_also_where_nothing_is_chosen(site: Site) -> None:
    """A ranking of agents holds its exact amounts itself: the page's data file has none of them."""
    costs = [
        row.all("td")[0].attributes["data-v"]
        for table in site.workspaces[0].root.all("table", id="members-table")
        for row in table.all("tbody")[0].all("tr")
    ]

    assert len(costs) > 1
    assert [*map(Decimal, costs)] == sorted(map(Decimal, costs), reverse=True)


def test_failures_of_unknown_cost_did_not_cost_nothing(build: BuildSite) -> None:
    """Where no failure's cost is known, that of days without one makes no zero of it."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    marts.run(con, YESTERDAY, status="failed", cost_usd=None)
    marts.run(con, date(2026, 3, 12))
    page = build(marts.derive(con)).workspaces[0]

    assert page.table("failing-agents")[1][1] == numbers.UNKNOWN
    assert page.table("members-table")[1][0] == "Baker"
    assert "$0.00" not in " ".join(page.table("members-table")[1])
