"""Every figure of the site is what SQL on the published tables says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from analytics.report.entities import Entity
from analytics.report.spec import Page as Spec
from analytics.report.spec import read_pages
from tests.hostile import NAMES
from tests.report import compared, compared_html, shown
from tests.report.expected import Choice, Reports
from tests.report.pages import Element, Page

PAGES = read_pages()
Views: TypeAlias = tuple[Spec, Entity, list[dict[str, Any]]]
Html: TypeAlias = tuple[Spec, Entity, Element]


@pytest.fixture(scope="module")
def reports(published: Path) -> Reports:
    """The published tables."""
    return Reports(published / "analytics.duckdb")


def some(reports: Reports) -> list[Entity]:
    """The site, all workspaces and months, and lines: the most expensive, the hostile, no agent."""
    agents = reports.entities.agents
    lines = [each for each in agents if each.name in NAMES.values() or each.agent_id == "(none)"]
    months = reports.entities.months.values()
    return [reports.entities.site, *reports.entities.workspaces, *months, agents[0], *lines[:3]]


def choices(reports: Reports, entity: Entity) -> list[Choice]:
    """None, a whole month, own days (some before the first), and members."""
    today = entity.row["today"]
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    whole = month, today.replace(day=1) - timedelta(days=1)

    def back(first: int, last: int) -> Choice:
        return Choice(today - timedelta(days=first), today - timedelta(days=last))

    chosen = [Choice(), Choice(*whole), back(40, 3), back(2, 2), back(10, 0), back(150, 1)]
    members = {
        "site": [each.workspace_id for each in reports.entities.workspaces],
        "workspace": [each.agent_id for each in reports.entities.lines_of(entity)][:7:3],
    }.get(entity.scope, [])
    some = [Choice(None, None, tuple(members[:1])), Choice(*whole, tuple(members[1:]))]
    return [*chosen, *(some if members else [])]


@pytest.fixture(scope="module")
def views(reports: Reports, published: Path) -> list[Views]:
    """What the engine makes of some pages for each choice."""
    site = published / "site"
    entities = [each for each in some(reports) if not each.month]
    pages = [(page, entity) for page, entity, _ in compared.site_pages(site, PAGES, entities)]
    asked = [
        shown.asked(site, page.name, entity, [each.asked() for each in choices(reports, entity)])
        for page, entity in pages
    ]
    return [(*page, of) for page, of in zip(pages, shown.views(asked), strict=True)]


@pytest.fixture(scope="module")
def pages(reports: Reports, published: Path) -> list[Html]:
    """The HTML of some pages."""
    found = compared.site_pages(published / "site", PAGES, some(reports))
    return [(page, entity, Page(file).root) for page, entity, file in found]


def wrong_views(reports: Reports, views: list[Views]) -> Iterator[str]:
    """What the views have that SQL has not."""
    for page, entity, of in views:
        for choice, found in zip(choices(reports, entity), of, strict=True):
            args = reports, page, entity, choice
            yield from compared.differences_of_views(*args, found["views"])


def wrong_pages(reports: Reports, pages: list[Html]) -> Iterator[str]:
    """What the HTML has that SQL has not."""
    for page, entity, root in pages:
        entity = (reports.entities.by_key | reports.entities.months)[entity.key]
        yield from compared_html.differences_of_tables(reports, page, entity, root)
        yield from compared_html.differences_of_texts(reports, page, entity, root)


def test_views_hold_what_sql_says(reports: Reports, views: list[Views]) -> None:
    """Rows, order, totals, titles and marks of every part are right for every choice."""
    assert [*wrong_views(reports, views)] == []


def test_pages_hold_what_sql_says(reports: Reports, pages: list[Html]) -> None:
    """Tables, headlines and remarks in HTML are right, and no other figure is on a page."""
    assert [*wrong_pages(reports, pages)] == []


@pytest.mark.parametrize("relation", ["rpt_runs", "rpt_run_models", "rpt_run_events"])
def test_data_of_runs_hold_what_sql_says(relation: str, reports: Reports, published: Path) -> None:
    """Of each line, every run that is published stands in the file of its month, and no other."""
    site = published / "site"
    names = shown.unpacked(site / "data" / "pages" / "agent.js")["columns"][relation]
    for entity in (each for each in some(reports) if each.scope == "agent"):
        for month, document in shown.months_of(site, entity).items():
            expected = compared.runs_as_given(reports, relation, entity, month)
            given = shown.rows_of(document.get(relation, [[]]), names)
            assert sorted(given, key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize(
    ("where", "sql"),
    [
        ("agent", "update reports.rpt_days set cost_usd = cost_usd + 0.0000000001"),
        ("agent", "update reports.rpt_tools set duration_ms = duration_ms + 60000"),
        ("workspace", "delete from reports.rpt_models where model[1] = 'c'"),
        ("overview", "update reports.rpt_workspace_days set date = date + 1"),
        ("html", "update reports.rpt_headlines set recent_failed_count = recent_failed_count + 1"),
        ("html", "update reports.rpt_headlines set owner = 'Ann' where owner is not null"),
        ("html", "update reports.rpt_budgets set actual_usd = actual_usd + 0.01"),
        ("html", "update reports.rpt_forecasts set high_usd = high_usd + 1000"),
        ("html", "delete from reports.rpt_loads where step = 'lists'"),
        ("html", "update reports.rpt_reconciliation_days set status = 'open'"),
    ],
)
def test_other_data_is_noticed(
    where: str, sql: str, published: Path, views: list[Views], pages: list[Html]
) -> None:
    """The comparison fails where the tables and what is shown differ in one thing."""
    other = Reports(published / "analytics.duckdb", sql)
    some_views = [each for each in views if each[0].name == where]
    wrong = wrong_pages(other, pages) if where == "html" else wrong_views(other, some_views)

    assert next(wrong, None)
