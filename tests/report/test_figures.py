"""Every figure of the site is what SQL on the published tables says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from analytics.report.entities import Entity
from analytics.report.spec import read_pages
from tests.hostile import NAMES
from tests.report import compared, shown
from tests.report.expected import Choice, Reports
from tests.report.pages import Page

PAGES = read_pages()
SHOWN_MONTHS = 3


@pytest.fixture(scope="module")
def reports(published: Path) -> Reports:
    """The published tables."""
    return Reports(published / "analytics.duckdb")


def some(reports: Reports) -> list[Entity]:
    """The site, all workspaces and four lines: the most expensive, the hostile, runs without."""
    agents = reports.entities.agents
    lines = [each for each in agents if each.name in NAMES.values() or each.agent_id == "(none)"]
    return [reports.entities.site, *reports.entities.workspaces, agents[0], *lines[:3]]


def choices(reports: Reports, entity: Entity) -> list[Choice]:
    """None, a whole month, own days (some before the first, some after the last), and members."""
    today = entity.row["today"]
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    whole = month, today.replace(day=1) - timedelta(days=1)

    def back(first: int, last: int) -> Choice:
        return Choice(today - timedelta(days=first), today - timedelta(days=last))

    chosen = [Choice(), Choice(*whole), back(40, 3), back(2, 2), back(10, -5), back(150, 1)]
    members = {
        "site": [each.workspace_id for each in reports.entities.workspaces],
        "workspace": [each.agent_id for each in reports.entities.lines_of(entity)][:7:3],
    }.get(entity.scope, [])
    some = [Choice(None, None, tuple(members[:1])), Choice(*whole, tuple(members[1:]))]
    return [*chosen, *(some if members else [])]


def test_views_hold_what_sql_says(reports: Reports, published: Path) -> None:
    """Rows, order, totals, titles and marks of every part are right for every choice."""
    site = published / "site"
    pages = compared.site_pages(site, PAGES, some(reports))
    asked = [
        shown.asked(site, page.name, entity, [each.asked() for each in choices(reports, entity)])
        for page, entity, _ in pages
    ]
    wrong = [
        each
        for (page, entity, _), views in zip(pages, shown.views(asked), strict=True)
        for choice, of in zip(choices(reports, entity), views, strict=True)
        for each in compared.differences_of_views(reports, page, entity, choice, of["views"])
    ]
    assert wrong == []


def test_pages_hold_what_sql_says(reports: Reports, published: Path) -> None:
    """Tables, headlines and remarks in HTML are right, and no other figure is on a page."""
    wrong = []
    for page, entity, file in compared.site_pages(published / "site", PAGES, some(reports)):
        root = Page(file).root
        wrong += compared.differences_of_tables(reports, page, entity, root)
        wrong += compared.differences_of_texts(reports, page, entity, root)
    assert wrong == []
