"""What the HTML of pages holds, read without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from itertools import pairwise
from urllib.parse import urlsplit

from analytics.format import names, numbers
from analytics.report.rendering import CONTENT_SECURITY_POLICY
from tests.hostile import NAMES
from tests.report.pages import Page, Site
from tests.report.published import Asked

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\u202a-\u202e]")


def test_each_workspace_and_each_agent_has_its_pages(batches: Site, sql: Asked) -> None:
    """Each workspace has two pages and one a month, each agent one, all together one a month."""
    agents = sql.rows("""
        from published.marts.dim_agents
        where line_type = 'agent' or line_type = 'no_agent' and (workspace_id, agent_id) in (
            select (workspace_id, agent_id) from published.marts.fct_agent_days)""")
    count = len(sql.rows("from published.marts.dim_workspaces"))

    assert len(batches.agents) == len(agents)
    assert len(batches.workspaces) == len(batches.trust) == count == 2
    assert len(batches.months) == 3 * count
    assert [each.path.stem for each in batches.statements] == ["2026-09", "2026-10", "2026-11"]


def test_pages_have_nothing_that_the_policy_forbids(batches: Site) -> None:
    """The policy stands before all that it governs; no style, handler or script is in a page."""
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")
    assert not re.search(r"unsafe|https?:|\*", CONTENT_SECURITY_POLICY)
    for page in batches.pages:
        encoding, policy, *_ = page.root.all("meta")
        assert encoding.attributes == {"charset": "utf-8"}
        assert policy.attributes["content"] == CONTENT_SECURITY_POLICY
        assert page.source.index("<meta http-equiv") < page.source.index("<link")
        for element in page.root.everything():
            attributes = set(element.attributes)
            assert not {name for name in attributes if name == "style" or name.startswith("on")}
            assert element.tag != "style"
            assert element.tag != "script" or "src" in attributes


def test_the_policy_allows_the_styles_of_the_shipped_library_alone(batches: Site) -> None:
    """The two hashes are those of the style elements that this plotly.js makes."""
    library = (batches.folder / "assets" / "plotly.min.js").read_text("utf-8")
    literals = re.findall(r"\.textContent='((?:[^'\\]|\\.)*)'", library)
    styles = {"", *(json.loads('"' + each.replace('"', '\\"') + '"') for each in literals)}
    digests = (hashlib.sha256(style.encode()).digest() for style in styles)

    assert {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests} == set(
        re.findall("'sha256-[^']+'", CONTENT_SECURITY_POLICY)
    )


def test_scripts_write_no_markup(batches: Site) -> None:
    """Our script never turns a text into markup or code."""
    script = (batches.folder / "assets" / "engine.js").read_text("utf-8")

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


def test_every_link_leads_to_a_place_that_exists(batches: Site) -> None:
    """Every address is relative, and names a file and a place in it."""
    for page in batches.pages:
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


def test_pages_have_the_outline_that_readers_of_screens_rely_on(batches: Site) -> None:
    """One h1, no skipped level, landmarks, a language, unique titles and ids, named parts."""
    titles = {page.root.all("title")[0].text for page in batches.pages}
    assert len(titles) == len(batches.pages)
    for page in batches.pages:
        elements = page.root.all("main")[0].everything()
        levels = [int(each.tag[1]) for each in elements if re.fullmatch("h[1-6]", each.tag)]
        all_ids = (each.attributes.get("id") for each in page.root.everything())
        ids = [each for each in all_ids if each]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert len(ids) == len(set(ids))
        assert page.root.all("html")[0].attributes["lang"] == "en"
        assert {"header", "nav", "main", "footer"} <= {e.tag for e in page.root.everything()}
        assert all(table.all("caption")[0].text for table in page.root.all("table"))
        texts = {each.attributes.get("id"): each.text for each in page.root.everything()}
        for plot in page.root.all("div", role="img"):
            title, _ = plot.attributes["aria-labelledby"].split()
            assert texts[title]


def test_a_section_without_data_is_not_there(batches: Site) -> None:
    """A workspace without budgets has no such section or table."""
    of_name = {page.root.all("h1")[0].text: page for page in batches.workspaces}
    parts = ("budgets", "budgets-table", "month-budgets-table")
    for name, is_there in (("Hearth & Grain", False), ("Northlight Studio", True)):
        (page,) = (page for title, page in of_name.items() if name in title)
        month = Page(page.path.with_suffix("") / "2026-10.html")
        both = page.source + month.source
        assert {f'id="{each}"' in both for each in parts} == {is_there}, name


def test_a_page_begins_with_yesterday(batches: Site, sql: Asked) -> None:
    """The first line has the cost and runs of the last day that is over, beside its weekday."""
    for page in (None, *batches.workspaces):
        line = (page or batches.overview).root.all("p", **{"class": "as-of"})[0].text
        (day,) = sql.rows(
            "select sum(cost_usd) as cost, sum(run_count)::bigint as runs"
            " from published.marts.fct_agent_days where @MINE and date = '2026-11-20'",
            page,
        )
        told = f"Friday 20 Nov: {numbers.usd(day['cost'])} in {numbers.plural(day['runs'], 'run')}"

        assert line.startswith(f"Yesterday, {told} \u00b7 ")
        assert re.search(r" \u00b7 (\d+% (above|below)|(about )?as on) usual Fridays \u00b7 ", line)
        assert "data to 21 Nov 06:00 UTC" in line


def test_the_foot_of_an_agent_is_of_its_last_run(batches: Site) -> None:
    """An agent that ended says when it last ran, not how far the data reach."""
    feet = [each.root.all("footer")[0].text for each in batches.agents]
    assert all("last day with a run" in each or "no run yet" in each for each in feet)
    assert not any("data to" in each for each in feet)
    assert "data to" in batches.overview.root.all("footer")[0].text


def test_a_budget_is_compared_on_its_own_basis(batches: Site, sql: Asked) -> None:
    """The month to date is cost by the day of the run; a budget's line names what it counts."""
    for page in (None, *batches.workspaces):
        (card,) = (page or batches.overview).root.all("div", id="card-month")
        budgets = sql.rows(
            "select actual_usd from published.marts.fct_budgets"
            " where month = '2026-11-01' and @MINE"
            f" and scope = '{'workspace' if page else 'all'}'",
            page,
        )
        cost = sql.row(
            "select sum(cost_usd) as usd from published.marts.fct_agent_days"
            " where @MINE and date >= '2026-11-01'",
            page,
        )["usd"]
        texts = [each.text for each in card.all("dd") if each.text.strip()]

        assert card.all("span", **{"class": "label"})[0].text == "November to date"
        assert card.all("b")[0].text == numbers.usd_headline(cost)
        assert texts[1] == "by the day of the run"
        assert bool(card.all("svg")) == bool(budgets)
        for budget in budgets:
            actual = numbers.usd_headline(budget["actual_usd"])
            assert f" budget: {actual} metered with surcharge" in texts[-1]


def test_trust_leaves_out_what_is_empty(batches: Site) -> None:
    """What is not amiss is said in words, and has no table; anything else has its table."""
    tables = {
        "day differs[,.]": "differences", "run is unlisted[,.]": "coverage",
        "record was understood[,.]": "quarantined",
    }  # fmt: skip
    for page in batches.trust:
        for words, key in tables.items():
            is_said = bool(re.search(words, page.root.text))
            assert is_said != (f'id="{key}-table"' in page.source), words


def test_an_agent_names_its_owner(batches: Site, sql: Asked) -> None:
    """The page of an agent has its owner and its cost center today, as text; others have none."""
    pages = {page.root.all("body")[0].attributes["data-agent"]: page for page in batches.agents}
    for agent in sql.rows(
        "select agent_id, owner, cost_center from published.marts.dim_agents"
        " where line_type = 'agent'"
    ):
        page = pages[agent["agent_id"]]
        line = page.root.all("main")[0].all("div", **{"class": "head"})[0]
        for label, value in (("owner", agent["owner"]), ("cost center", agent["cost_center"])):
            assert (f"{label} \u2068{value}\u2069" in line.text) == bool(value)


def test_a_hostile_name_is_text_wherever_it_stands(batches: Site) -> None:
    """No name makes an element or an attribute, and no control character reaches a page."""
    tags = {each.tag for each in batches.one("overview").root.everything()}
    for name in map(names.display, NAMES.values()):
        (own,) = (page for page in batches.agents if name in page.root.all("h1")[0].text)
        ordinary = batches.one("agent").root.everything()
        assert {each.tag for each in own.root.everything()} <= {each.tag for each in ordinary}
        assert name in own.root.all("title")[0].text
        shown = batches.one("workspace")
        assert name in shown.root.text
        assert {each.tag for each in shown.root.everything()} <= tags
    assert not any(UNSAFE.search(page.source) for page in batches.pages)
    assert not any("<script>alert" in page.source for page in batches.pages)
