from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256

import duckdb

from tests.report import marts
from tests.report.conftest import BuildSite
from tests.report.pages import Page, Site

LOADS = ("20260310T060000Z-002-lists", "20260311T060000Z-004-corrected")
MEASURES = (
    "run_count, succeeded_count, failed_count, cancelled_count, open_count, listed_run_count,"
    " unlisted_failed_count, unknown_cost_count, no_usage_count, cost_usd, failed_cost_usd,"
    " failed_cost_high_usd, tokens_in, tokens_out"
)


def two_agents() -> duckdb.DuckDBPyConnection:
    con = marts.empty()
    marts.workspace(con)
    for number, agent_id in enumerate(("a-1", "a-2")):
        marts.agent(con, name=f"Agent {number}", agent_id=agent_id)
        for load, load_id in enumerate(LOADS[: number + 1]):
            marts.run(
                con,
                date(2026, 3, 9) + timedelta(days=load),
                agent_id=agent_id,
                load_id=load_id,
                request=number,
                cost_usd="0.1234567891",
            )
    return con


def footer(page: Page) -> str:
    (element,) = page.root.all("footer")
    return element.all("p")[1].text


def figures_sha256(page: Page) -> str:
    return footer(page).rpartition(" ")[2]


def as_text(value: object) -> str | None:
    match value:
        case None:
            return None
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def recomputed(con: duckdb.DuckDBPyConnection, which: str = "true") -> str:
    """The hash as anybody can make it from the published tables."""
    rows = con.execute(
        f"select workspace_id, agent_id, date, {MEASURES} from marts.fct_agent_days"
        f" where {which} order by workspace_id, agent_id, date"
    ).fetchall()
    lines = [json.dumps([as_text(each) for each in row], separators=(",", ":")) for row in rows]
    return sha256("\n".join(lines).encode()).hexdigest()


def test_a_page_says_what_brought_its_runs(build: BuildSite) -> None:
    """The footer counts the runs of the page, their requests and loads, and names the loads."""
    site = build(marts.derive(two_agents()))
    first, second = sorted(site.agents, key=lambda page: page.path.name)

    assert f"Made of 1 listed run by 1 request in 1 load, {LOADS[0]} ·" in footer(first)
    assert f"Made of 2 listed runs by 2 requests in 2 loads, {LOADS[0]} to {LOADS[1]} ·" in footer(
        second
    )
    for page in (site.overview, *site.workspaces):
        assert "Made of 3 listed runs by 3 requests in 2 loads" in footer(page)


def test_the_hash_is_that_of_the_published_figures(
    con: duckdb.DuckDBPyConnection, site: Site
) -> None:
    """Each page's hash is made of the days of its lines, so that anybody can make it again."""
    agents = con.execute(
        "select distinct workspace_id, agent_id from marts.fct_agent_days"
        " where line_type != 'platform'"
    ).fetchall()
    expected = {
        recomputed(con, f"workspace_id = '{workspace}' and agent_id = '{agent_id}'")
        for workspace, agent_id in agents
    }

    assert figures_sha256(site.overview) == recomputed(con)
    assert {figures_sha256(page) for page in site.workspaces} == {
        recomputed(con, f"workspace_id = 'ws-{number}'") for number in range(2)
    }
    assert {figures_sha256(page) for page in site.agents} == expected


def test_the_hash_tells_the_last_digit(build: BuildSite) -> None:
    """Equal figures have equal hashes, whatever the names; the tenth decimal makes a difference."""
    one, same, other = marts.derive(two_agents()), marts.derive(two_agents()), two_agents()
    same.execute("update marts.dim_agents set agent_name = 'Renamed'")
    other.execute("update marts.fct_runs set cost_usd = 0.1234567892 where agent_id = 'a-2'")
    pages = [
        build(con, name).overview
        for name, con in (("one", one), ("same", same), ("other", marts.derive(other)))
    ]
    first, renamed, changed = map(figures_sha256, pages)

    assert first == renamed != changed


def test_a_site_without_runs_says_so(build: BuildSite) -> None:
    """Without runs a page is made of none, and its hash is that of nothing."""
    con = marts.empty()
    marts.workspace(con)
    site = build(marts.derive(con))

    for page in site.pages:
        assert "Made of no listed runs" in footer(page)
        assert figures_sha256(page) == sha256().hexdigest()
