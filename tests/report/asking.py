"""Which question a table of a page answers, of which workspaces, agents and days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from analytics.format import numbers
from tests.report import cells, said_sql
from tests.report.cells import Question
from tests.report.control_sql import explained
from tests.report.pages import Page
from tests.report.published import Asked
from tests.report.table_sql import QUESTIONS

Days = dict[str, date]

_RECENT = timedelta(days=30)


def question(page: Page, key: str) -> Question:
    """What a table of a page should say."""
    if key.startswith("days-") or key == "by-month":
        return explained(key)
    kind = "overview" if page.path.name == "index.html" else page.path.parent.name
    return QUESTIONS.get(f"{kind}/{key}") or QUESTIONS[key]


def today(page: Page) -> date:
    """The day to which a page reaches."""
    return date.fromisoformat(page.root.all("body")[0].attributes["data-today"])


def days(page: Page, asked: Question) -> Days:
    """The days that a table is of where none were chosen: the recent ones, or those of charts."""
    last = today(page)
    if asked.is_charted:
        first = date.fromisoformat(page.root.all("body")[0].attributes["data-chart-first"])
        return {"first": first, "last": last, "today": last}
    return {"first": last - _RECENT, "last": last - timedelta(days=1), "today": last}


def of_page(sql: Asked, page: Page) -> Asked:
    """Questions of what a page is of: all workspaces, one, or an agent of one."""
    folder, stem = page.path.parent.name, identity(page.path.stem)
    if page.path.name == "index.html":
        return sql.of()
    if folder == "workspaces":
        return sql.of([stem])
    if folder != "agents":
        return sql.of([identity(folder)])
    owner = next(
        each.attributes["href"].split("/")[-1]
        for each in page.root.all("nav")[0].all("a")
        if "workspaces/" in each.attributes["href"]
    )
    return sql.of([identity(owner)], [stem])


def identity(name: str) -> str:
    """The id in the name of a page's file or data."""
    return name.rsplit("-", 1)[0].replace("no-agent", "(none)")


def table_differences(sql: Asked, page: Page, key: str) -> list[str]:
    """What a built table says otherwise than SQL."""
    asked, shown = question(page, key), cells.of_page(page, key)
    period = days(page, asked)
    rows = of_page(sql, page).rows(asked.sql, **period)
    if asked.built:  # the script lists the others; days before an agent's first run are empty
        rows = rows[: max(1, min(len(shown), asked.built))]
    found = []
    if asked.total:
        totals = sql.rows(asked.total_sql, **period)
        found = cells.differences(asked.total, totals, shown[-1:])
        shown = shown[:-1]
    return found + cells.differences(asked.cells, rows, shown)


def said_differences(sql: Asked, page: Page) -> list[str]:
    """What headline figures, and titles and texts of charts, say otherwise than SQL."""
    of, found = said_sql.values(of_page(sql, page), today(page)), []
    for label, texts in page.kpis.items():
        known = [each for each in said_sql.KPIS if label.startswith(each)]
        figures = said_sql.KPIS[max(known, key=len)]
        if texts[0] == numbers.UNKNOWN:  # its notes say why
            figures = figures.partition("|")[0]
        found += said_sql.differences(figures, of, " | ".join(texts))
    for figure in page.root.all("figure"):
        if "data-empty" not in figure.attributes:
            line, figures = said_sql.TITLES[figure.attributes["id"]]
            text = f"{figure.all('h3')[0].text} | {figure.all('p')[0].text}"
            found += said_sql.differences(figures, of | _first_line(sql, page, line), text)
    return found


def _first_line(sql: Asked, page: Page, table: str) -> dict[str, Any]:
    if not table:
        return {}
    key, _, charted = table.partition(" in ")
    asked = replace(question(page, key), is_charted=True) if charted else question(page, key)
    return next(iter(of_page(sql, page).rows(asked.sql, **days(page, asked))), {})
