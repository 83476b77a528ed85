"""Owners on pages: where there are any, as lines, as a choice, and on the page of an agent."""

from __future__ import annotations

from datetime import date

from playwright.sync_api import expect

from analytics.format import numbers
from tests.report.browser import Reader
from tests.report.pages import Page, Site
from tests.report.published import Asked

OWNER = "<b>Söhne & Co</b>"
_OWNED = """
    select workspace_id, agent_id, agent_name, owner, cost_center
    from published.marts.dim_agents"""


def _page_of(batches: Site, name: str) -> Page:
    (found,) = (page for page in batches.workspaces if name in page.root.all("h1")[0].text)
    return found


def test_a_page_says_nothing_of_owners_where_there_are_none(batches: Site) -> None:
    """A workspace without owners has no such section, chart or table; another has all of them."""
    for name, is_owned in (("Hearth & Grain", False), ("Northlight Studio", True)):
        page = _page_of(batches, name)
        assert ('id="owners"' in page.source) == is_owned
        assert ('id="by-owner"' in page.source) == is_owned
        assert bool(page.root.all("table", id="owner-table-table")) == is_owned


def test_an_agent_names_its_owner(batches: Site, sql: Asked) -> None:
    """The page of an agent has its owner and its cost center today, as text; others have none."""
    for agent in sql.rows(f"{_OWNED} where line_type = 'agent'"):
        (page,) = (
            page
            for page in batches.agents
            if page.root.all("body")[0].attributes["data-agent"] == agent["agent_id"]
        )
        texts = [each.text for each in page.root.all("p", **{"class": "as-of"})]
        for label, value in (("Owner", agent["owner"]), ("Cost center", agent["cost_center"])):
            shown = [text for text in texts if text.startswith(f"{label}: ")]
            assert shown == ([f"{label}: \u2068{value}\u2069."] if value else [])


def test_the_agents_of_an_owner_can_be_chosen_together(
    batches: Site, sql: Asked, reader: Reader
) -> None:
    """One choice takes all agents that are the owner's today; the form then shows the owner."""
    page = _page_of(batches, "Northlight Studio")
    agents = [each["agent_id"] for each in sql.rows(f"{_OWNED} where owner = '{OWNER}'")]
    shown = reader.open(page.path, "#period=2026-10")
    shown.locator(".members summary").click()
    owner = shown.locator("#owner")
    assert owner.locator("option").all_inner_texts() == ["any", OWNER, "=Support()", "no owner"]
    owner.select_option(label=OWNER)
    cost = sql.of(None, agents).row(
        "select sum(usd) as usd from every where day between $first and $last",
        first=date(2026, 10, 1), last=date(2026, 10, 31),
    )["usd"]  # fmt: skip
    expect(shown.locator("#cost-title")).to_have_text(
        f"Cost: {numbers.usd(cost)} in 1\u201331 October 2026"
    )

    assert shown.locator('[name="member"]:checked').count() == len(agents)
    assert shown.url.partition("only=")[2].count(",") == len(agents) - 1
    assert "1 other" in shown.locator("#chosen-title").inner_text()
    reader.open(page.path, f"#{shown.url.partition('#')[2]}")
    assert owner.input_value() == f"={OWNER}"
    shown.locator(".members summary").click()
    shown.locator('[name="member"]:checked').first.uncheck()
    assert owner.input_value() == ""
    owner.select_option(label="no owner")
    owner.select_option(label="any")
    expect(shown.locator("#chosen-members")).to_have_text("all")


def test_a_chart_by_owner_follows_the_choice(batches: Site, sql: Asked, reader: Reader) -> None:
    """In a month in which agents change hands, each owner has the days of its own."""
    page = _page_of(batches, "Northlight Studio")
    shown = reader.open(page.path, "#period=2026-10")
    shown.locator("#owners summary").click()
    rows: list[list[str]] = shown.locator("#owners-table tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].slice(0, 3).map(cell => cell.textContent))"
    )
    expected = sql.of().rows("""
        select owner, cost_center, sum(cost_usd) as usd
        from published.marts.fct_agent_days
        where workspace_name = 'Northlight Studio' and month(date) = 10
        group by all order by usd desc""")

    assert rows == [
        [
            each["owner"].replace("(none)", "no owner"),
            each["cost_center"].replace("(none)", "no cost center"),
            numbers.usd(each["usd"]),
        ]
        for each in expected
    ]
    assert {OWNER, "Operations"} <= {owner for owner, *_ in rows}
