from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from analytics.format.numbers import usd
from tests.report import marts
from tests.report.conftest import BuildSite
from tests.report.pages import Page, Site

DAY = date(2026, 3, 10)


def _value(con: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> Any:
    (value,) = con.execute(sql, values).fetchone() or (None,)
    return value


def _cost(con: duckdb.DuckDBPyConnection, where: str) -> str:
    """Of all lines: agents, runs of none, and the platform."""
    days = f"select coalesce(sum(cost_usd), 0) from marts.fct_agent_days where {where}"
    return usd(_value(con, days))


def _cents(printed: str) -> Decimal:
    match = re.match("(\u2212?)\\$([\\d,]+\\.\\d\\d)", printed)
    if not match:
        return Decimal(0)  # blank, or an amount that rounds to zero
    amount = Decimal(match.group(2).replace(",", ""))
    return -amount if match.group(1) else amount


@pytest.mark.parametrize("workspace_id", [None, "ws-0", "ws-1"])
def test_headline_figures_are_those_of_the_lines(
    workspace_id: str | None, site: Site, con: duckdb.DuckDBPyConnection
) -> None:
    """Yesterday, month to date and the last full month equal the sums of the lines in SQL."""
    whose = f"workspace_id = '{workspace_id}'" if workspace_id else "true"
    pages = {page.path.name[:4]: page for page in site.workspaces}
    page = pages[workspace_id] if workspace_id else site.overview

    assert _cost(con, f"{whose} and date = '2026-03-13'") == page.kpis["Yesterday"][0]
    assert _cost(con, f"{whose} and date >= '2026-03-01'") == page.kpis["Month to date"][0]
    assert (
        _cost(con, f"{whose} and date between '2026-02-01' and '2026-02-28'")
        == page.kpis["Last full month"][0]
    )


def test_every_day_of_every_agent_is_that_of_the_marts(
    site: Site, con: duckdb.DuckDBPyConnection
) -> None:
    """Each cost, count and failed cost of each agent's daily table equals the marts in SQL."""
    days = con.execute(
        "select agent_id, strftime(date, '%Y-%m-%d'), cost_usd, run_count, failed_count,"
        " failed_cost_usd, failed_cost_high_usd, unlisted_failed_count"
        " from marts.fct_agent_days where line_type = 'agent' and date > '2026-03-14'::date - 31"
    ).fetchall()
    known = {
        (agent_id, day): [
            usd(cost), str(runs), str(failed), f"{usd(low)} to {usd(high)}" if few else usd(low),
        ]
        for agent_id, day, cost, runs, failed, low, high, few in days
    }  # fmt: skip
    shown = {}
    for page in site.agents:
        agent_id = page.path.stem.rsplit("-", 1)[0]
        for row in page.table("daily")[1:]:
            if row[2] != "0" and agent_id.startswith("agent"):
                shown[agent_id, row[0]] = [row[1], row[2], row[3], row[6]]

    assert known == shown


def test_every_day_behind_a_page_is_exact(site: Site, con: duckdb.DuckDBPyConnection) -> None:
    """The cost of each day in the data file of a page equals the marts, to the last digit."""
    for page in site.agents:
        agent_id = page.path.stem.rsplit("-", 1)[0]
        if not agent_id.startswith("agent"):
            continue
        known = con.execute(
            "select strftime(date, '%Y-%m-%d'), cost_usd from marts.fct_agent_days"
            " where agent_id = ?",
            [agent_id],
        ).fetchall()
        behind = page.amounts("cost_usd")
        assert {day: behind[day] for day, _ in known} == dict(known)
        assert sum(cost or 0 for cost in behind.values()) == sum(cost or 0 for _, cost in known)


@pytest.mark.parametrize("name", ["errors", "models", "versions"])
def test_the_parts_behind_a_page_are_exact(
    name: str, site: Site, con: duckdb.DuckDBPyConnection
) -> None:
    """The parts of each agent's cost in its data file add up to the same parts in SQL."""
    source = {
        "errors": "select error_class, sum(cost_usd) from marts.fct_runs"
        " where agent_id = ? and status = 'failed' group by all",
        "models": "select model, sum(cost_usd) from marts.fct_model_days"
        " where agent_id = ? group by all",
        "versions": "select 'v' || agent_version, sum(cost_usd) from marts.fct_runs"
        " where agent_id = ? group by all",
    }[name]
    for page in site.agents:
        agent_id = page.path.stem.rsplit("-", 1)[0]
        split = page.facts["splits"][name]
        shown: defaultdict[str, Decimal] = defaultdict(Decimal)
        for key, cost in zip(
            split["columns"]["key"], split["columns"].get("cost_usd", []), strict=True
        ):
            shown[split["keys"][key][0]] += Decimal(cost or 0).scaleb(-10)
        if agent_id.startswith("agent"):
            assert dict(con.execute(source, [agent_id]).fetchall()) == dict(shown)


def test_every_month_is_that_of_its_lines(site: Site, con: duckdb.DuckDBPyConnection) -> None:
    """Each month of each workspace equals the sum of its lines in SQL."""
    for page in site.workspaces:
        for row in page.table("months")[1:]:
            where = (
                f"workspace_id = '{page.path.name[:4]}' and strftime(date, '%Y-%m') = '{row[0]}'"
            )
            assert row[1].startswith(_cost(con, where))


def test_billed_and_platform_amounts_are_those_of_the_marts(
    site: Site, con: duckdb.DuckDBPyConnection
) -> None:
    """Each bill equals its mart, and in print cost + surcharge - own-key cost = billed."""
    for page in site.workspaces:
        workspace_id = page.path.name[:4]
        last, current = (
            con.execute(
                "select sum(cost_usd), sum(billed_usd)"
                " from marts.fct_billing_days"
                " where workspace_id = ? and date_trunc('month', utc_date) = ?",
                [workspace_id, month],
            ).fetchone()
            or ()
            for month in (date(2026, 2, 1), date(2026, 3, 1))
        )
        lines = page.table("billing-by-provider")[1:]
        total = lines[-1]
        assert [usd(each) for each in (*last, *current)] == [total[index] for index in (1, 4, 5, 8)]
        for line in lines:
            if line[0] != "Rounding":
                for month in (line[1:5], line[5:]):
                    cost, surcharge, own_key, billed = map(_cents, month)
                    assert cost + surcharge - own_key == billed
        platform = _value(
            con,
            "select sum(cost_usd) from marts.fct_platform_agent_days"
            " where workspace_id = ? and date_trunc('month', utc_date) = '2026-02-01'",
            workspace_id,
        )
        assert usd(platform) == page.table("platform")[-1][2]


def _summed_tables(page: Page) -> list[list[list[str]]]:
    tables = [page.table(each.attributes["id"]) for each in page.root.all("table")]
    return [table for table in tables if table[-1][0] == "Total"]


def test_printed_parts_add_up_to_the_printed_total(site: Site) -> None:
    """In every table with a total, the lines as printed, the rounding line included, add up."""
    seen = 0
    for page in site.pages:
        for head, *lines, total in _summed_tables(page):
            for index in range(1, len(head)):
                if total[index].startswith(("$", "\u2212$")) and " to " not in total[index]:
                    seen += 1
                    assert _cents(total[index]) == sum(_cents(line[index]) for line in lines)
    assert seen > 50


def test_models_are_of_all_metered_usage(build: BuildSite) -> None:
    """The split by model holds usage by UTC day, of whatever run, and adds up by itself."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    marts.run(con, DAY, cost_usd="0.12")
    for model, cost in (("a", "0.20"), ("b", "0.10")):
        marts.insert(
            con, "fct_model_days", workspace_id="ws", agent_id="a-1", utc_date=DAY, model=model,
            provider="p", cost_usd=cost, tokens_in=1000, tokens_out=100, request_count=1,
        )  # fmt: skip
    (page,) = build(marts.derive(con)).agents

    assert [[row[0], *row[2:]] for row in page.table("model-split")[1:]] == [
        ["a", "$0.20", "66.7%", "1.0\u00a0k", "100"],
        ["b", "$0.10", "33.3%", "1.0\u00a0k", "100"],
        ["Total", "$0.30", "", "2.0\u00a0k", "200"],
    ]
    assert (
        page.root.all("table", id="model-split")[0]
        .all("caption")[0]
        .text.startswith("Metered usage by model and provider, UTC days")
    )


def test_cost_and_billed_are_never_mixed(build: BuildSite) -> None:
    """Own-key cost and surcharge are what leads from the cost to the bill."""
    con = marts.empty()
    marts.workspace(con)
    marts.run(con, DAY)
    for provider, own_key, billed in (("own-key", "1", "0"), ("platform", "0", "1.10")):
        marts.insert(
            con, "fct_billing_days", workspace_id="ws", utc_date=DAY, provider=provider,
            cost_usd="1.00", own_key_usd=own_key, billed_usd=billed,
        )  # fmt: skip
    (page,) = build(marts.derive(con)).workspaces

    assert [[row[0], *row[5:]] for row in page.table("billing-by-provider")[1:]] == [
        ["own-key", "$1.00", "$0.00", "$1.00", "$0.00"],
        ["platform", "$1.00", "$0.10", "$0.00", "$1.10"],
        ["Total", "$2.00", "$0.10", "$1.00", "$1.10"],
    ]


def test_the_largest_sums_keep_their_last_digit(build: BuildSite) -> None:
    """Sums near the limits of the marts are exact, as headline and as table."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    for _ in range(3):
        marts.run(con, DAY, cost_usd="99999999.9999999999", tokens_in=10**15)
    con = marts.derive(con)
    con.execute("update marts.fct_workspace_months set cost_usd = '1000000000000000000.0051'")
    site = build(con)

    assert site.overview.kpis["Month to date"][:2] == [
        "$1,000,000,000,000.00\u00a0M",
        "$1,000,000,000,000,000,000.01",
    ]
    assert "$300,000,000.00" in site.agents[0].table("daily")[5]


def test_amounts_below_a_cent_are_not_zero(build: BuildSite) -> None:
    """The smallest amount that the marts hold is shown as more than nothing."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    marts.run(con, DAY, cost_usd="0.0000000001")
    site = build(marts.derive(con))

    assert site.overview.kpis["Month to date"][0] == "<$0.01"
    assert site.agents[0].table("runs")[1][6] == "<$0.0001"
