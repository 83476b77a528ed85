from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from urllib.parse import urlsplit

import duckdb
import pytest

from analytics.report.site import SiteSummary
from tests.report import marts
from tests.report.conftest import BuildSite
from tests.report.pages import Page, Site

DAY = date(2026, 3, 10)


@pytest.fixture(scope="session")
def pages(site: Site) -> list[Page]:
    """All pages of the made-up site; reading them shows that they are well-formed."""
    return site.pages


def test_a_page_exists_for_the_whole_each_workspace_and_each_agent(
    site: Site, con: duckdb.DuckDBPyConnection
) -> None:
    """There is one overview, a page for each workspace and agent, and one for runs of none."""
    (agents,) = con.execute(
        "select count(*) from marts.dim_agents where line_type = 'agent'"
    ).fetchone() or (0,)
    files = [path for path in site.folder.rglob("*") if path.is_file()]

    assert site.summary == SiteSummary(
        page_count=1 + 2 + 2 * 2 + agents + 2,
        workspace_count=2,
        agent_count=agents + 2,
        byte_count=sum(path.stat().st_size for path in files),
    )
    assert len(site.pages) == site.summary.page_count


def test_pages_have_no_style_attribute_and_no_handler(pages: list[Page]) -> None:
    """The policy forbids style attributes, handlers and inline scripts, so there are none."""
    for page in pages:
        for element in page.root.everything():
            names = set(element.attributes)
            assert not {name for name in names if name == "style" or name.startswith("on")}
            assert element.tag != "script" or "src" in names


def test_pages_need_no_network_and_every_link_leads_somewhere(pages: list[Page]) -> None:
    """Every address is relative, and names a file and a place in it that exist."""
    for page in pages:
        for element in page.root.everything():
            for name in {"href", "src"} & set(element.attributes):
                address = urlsplit(element.attributes[name])
                if address.geturl() == "data:,":
                    continue
                assert not address.scheme
                assert not address.netloc
                file = (page.path.parent / address.path) if address.path else page.path
                assert file.is_file(), element.attributes[name]
                if address.fragment and "=" not in address.fragment:  # else it is a choice
                    assert f'id="{address.fragment}"' in file.read_text("utf-8")


def test_pages_follow_the_outline_that_readers_of_screens_rely_on(pages: list[Page]) -> None:
    """One h1, no skipped level, landmarks, a language, unique titles and ids, named tables."""
    titles = {page.root.all("title")[0].text for page in pages}
    assert len(titles) == len(pages)
    for page in pages:
        elements = page.root.everything()
        levels = [int(each.tag[1]) for each in elements if re.fullmatch("h[1-6]", each.tag)]
        ids = [each.attributes["id"] for each in elements if "id" in each.attributes]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert len(ids) == len(set(ids))
        assert page.root.all("html")[0].attributes["lang"] == "en"
        assert {"header", "nav", "main", "footer"} <= {each.tag for each in elements}
        for table in page.root.all("table"):
            assert table.all("caption")
            assert table.all("th", scope="col")


def test_every_chart_has_a_name_and_a_table(pages: list[Page]) -> None:
    """A chart is an image with a name, and its figures stand in a table of the page."""
    for page in pages:
        tables = {table.attributes["id"] for table in page.root.all("table")}
        for chart in page.root.all("figure"):
            plots = [each for each in chart.all("div") if "data-chart" in each.attributes]
            for plot in plots:
                named_by = plot.attributes["aria-labelledby"].split()
                texts = [
                    each.text
                    for each in chart.everything()
                    if each.attributes.get("id") in named_by
                ]
                assert plot.attributes["role"] == "img"
                assert len(texts) == 2
                assert all(len(text) > 10 for text in texts)
                assert plot.attributes["data-chart"] in page.charts
                links = {each.attributes["href"][1:] for each in chart.all("a")}
                is_empty = "data-empty" in chart.attributes
                assert is_empty or chart.all("table") or links & tables, plot.attributes


def test_without_script_there_is_a_drawing_of_the_main_chart(site: Site) -> None:
    """The main chart of each page with runs is drawn in the page itself, a column a day."""
    for page in site.charted:
        (plot,) = page.root.all("div", **{"data-chart": "cost"})
        if "hidden" not in plot.attributes:
            assert sum(path.attributes["d"].count("M") for path in plot.all("path")) > 1


def test_a_workspace_without_runs_says_so(build: BuildSite) -> None:
    """A workspace or an agent without runs has a page that says so in words, and no chart."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con)
    site = build(marts.derive(con))

    assert "No runs in this period" in site.workspaces[0].root.text
    assert "No runs in this period" in site.agents[0].root.text
    assert "no runs yet" in site.overview.root.text
    for page in site.charted:
        charts = page.root.all("figure")
        assert charts
        assert all("data-empty" in chart.attributes for chart in charts)
        assert all("hidden" in plot.attributes for plot in page.root.all("div", role="img"))


def test_no_workspace_at_all_is_one_page(build: BuildSite) -> None:
    """Before the first batch there is an overview, and it says what comes."""
    site = build(marts.derive(marts.empty()))

    assert site.summary.page_count == 1
    assert "No workspace has been read yet" in site.overview.root.text


def test_two_builds_are_equal_to_the_byte(build: BuildSite, con: duckdb.DuckDBPyConnection) -> None:
    """The same marts give the same site."""
    one, other = build(con, "one"), build(con, "other")

    assert one.summary == other.summary
    for path in one.folder.rglob("*"):
        if path.is_file():
            twin = other.folder / path.relative_to(one.folder)
            assert path.read_bytes() == twin.read_bytes(), path.name


def test_checks_and_quarantined_records_are_named(site: Site) -> None:
    """The overview names failed checks, what workspaces lack and what was quarantined."""
    overview = site.overview

    assert "1 check of 2 failed" in overview.root.text
    assert overview.table("checks")[1:] == [["Runs are unique.", "runs_are_unique", "2"]]
    assert [row[0] for row in overview.table("standing")[1:]] == ["Production", "Staging"]
    assert overview.table("quarantined")[1:] == [
        ["Production", "runs", "tokens_in: above 10^15", "3"]
    ]
    assert "Staging could not be read." in overview.root.text


def test_an_agent_that_is_archived_or_gone_keeps_its_page_and_says_so(build: BuildSite) -> None:
    """An agent that is no longer listed, or not active, is marked in the list and on its page."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con, "Gone", agent_id="a-1", is_listed=False)
    marts.agent(con, "Old", agent_id="a-2", status="archived")
    for agent_id in ("a-1", "a-2", None):
        marts.run(con, DAY, agent_id=agent_id)
    site = build(marts.derive(con))
    rows = {row[0] for row in site.workspaces[0].table("all-agents")[1:]}

    assert {"Goneno longer in the list of agents", "Oldarchived", "No agent", "Total"} == rows
    assert {"Agent Gone", "Agent Old", "Runs of no agent"} == {
        page.root.all("h1")[0].text for page in site.agents
    }
