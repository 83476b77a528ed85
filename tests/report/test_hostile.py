from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from analytics.report.site import build_site
from tests.report import marts
from tests.report.conftest import BuildSite, about
from tests.report.pages import Page, Site

DAY = date(2026, 3, 10)
NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '<a href="https://example.com">x</a>',
    "javascript:alert(1)",
    "=cmd()|'/c calc'!A1",
    "{{ 7 * 7 }}{% raw %}",
    "%{y}<extra></extra>",
    "&lt;b&gt;bold&lt;/b&gt;",
    "@cost",
    "👩\u200d🍳 🍞",
    "שלום \u202eevil",
    "\x00\x1b[31m\r\nred",
    "x" * 5000,
]


def _everything_named(name: str) -> duckdb.DuckDBPyConnection:
    """Marts in which everything that has a name has this one."""
    con = marts.empty()
    marts.workspace(con, name)
    marts.agent(con, name, agent_slug=name, status=name)
    for status in ("succeeded", "failed", name):
        marts.run(con, DAY, run_id=f"{name}{status}", status=status, error_class=name)
    for table in ("fct_run_models", "fct_billing_days"):
        marts.insert(
            con,
            table,
            workspace_id="ws",
            provider=name,
            cost_usd="0.25",
            **(
                {"run_id": f"{name}succeeded", "model": name}
                if table == "fct_run_models"
                else {"utc_date": DAY, "billed_usd": "0.20"}
            ),
        )
    marts.insert(
        con,
        "fct_platform_agent_days",
        workspace_id="ws",
        utc_date=DAY,
        platform_agent_id=name,
        platform_agent_name=name,
    )
    marts.insert(con, "quarantined_records", workspace_id="ws", source=name, reason=name)
    marts.insert(
        con,
        "check_results",
        check_name=name,
        claim=name,
        violation_count=1,
        is_ok=False,
    )
    marts.insert(con, "list_snapshots", workspace_id="ws", agent_id="a-1", gap_before=marts.AS_OF)
    return marts.derive(con)


def _built(name: str, target: Path) -> Site:
    return Site(target, build_site(_everything_named(name), target, about=about(warnings=[name])))


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site in which everything has an ordinary name."""
    return _built("Baker", tmp_path_factory.mktemp("harmless"))


@pytest.fixture(scope="module", params=NAMES, ids=range(len(NAMES)))
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site in which everything has a hostile name."""
    return _built(request.param, tmp_path_factory.mktemp("hostile"))


def _skeleton(page: Page) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page with the names of their attributes, in order."""
    return [(each.tag, tuple(each.attributes)) for each in page.root.everything()]


def test_a_name_is_text_wherever_it_stands(hostile: Site, harmless: Site) -> None:
    """No name makes an element, an attribute, a script, a page or an address of its own."""
    for page, twin in zip(hostile.pages, harmless.pages, strict=True):
        assert _skeleton(twin) == _skeleton(page)
        assert twin.charts.keys() == page.charts.keys()
        assert twin.path.name == page.path.name
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", page.source)


def test_two_agents_of_one_name_have_two_pages(build: BuildSite) -> None:
    """Names are no keys: equal names, and ids that differ in case alone, keep their own pages."""
    con = marts.empty()
    marts.workspace(con)
    for agent_id in ("A-1", "a-1", "a_1", "../a-1"):
        marts.agent(con, "Twin", agent_id=agent_id)
        marts.run(con, DAY, agent_id=agent_id)
    site = build(marts.derive(con))

    assert len(site.agents) == 4
    assert len({page.path.name.lower() for page in site.agents}) == 4


def test_null_fields_are_not_available(build: BuildSite) -> None:
    """A row of which every field but its keys is null is counted and shown, and breaks nothing."""
    con = marts.empty()
    marts.workspace(con, workspace_name=None)
    marts.agent(con, None, is_listed=None)
    for status in ("succeeded", "failed"):
        unknown: dict[str, None] = dict.fromkeys(
            ["cost_usd", "tokens_in", "tokens_out", "agent_version", "error_class"]
        )
        marts.run(con, DAY, status=status, **unknown)
    marts.insert(con, "fct_run_models", workspace_id="ws", run_id="r-0")
    marts.insert(con, "fct_billing_days", workspace_id="ws", utc_date=DAY)
    marts.insert(con, "fct_platform_agent_days", workspace_id="ws", utc_date=DAY)
    site = build(marts.derive(con))
    (page,) = site.agents

    assert page.root.all("h1")[0].text == "Agent a-1"
    assert page.kpis["Month to date"][0] == "\u2013"
    assert "without 2 runs of unknown cost" in page.kpis["Month to date"]
    day = next(row for row in page.table("daily") if row[0] == "2026-03-10")
    assert day[1:] == ["\u2013", "2", "1", "0", "0", *["\u2013"] * 3, "2 of unknown cost"]
