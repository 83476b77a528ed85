"""Figures of the site are what SQL on the published tables says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec import structs

from analytics.format import numbers, text
from analytics.report.columns import column
from analytics.report.entities import Entity
from analytics.report.spec import Page as Spec
from analytics.report.spec import Part, read_pages
from analytics.report.tables import slim
from tests.hostile import NAMES
from tests.report import shown
from tests.report.expected import Choice, Reports, Row, exact, figures, variants
from tests.report.pages import Page

Views: TypeAlias = tuple[Spec, Entity, list[dict[str, Any]]]
Html: TypeAlias = tuple[Spec, Entity, Page]


@pytest.fixture(scope="module")
def reports(published: Path) -> Reports:
    """The published tables."""
    return Reports(published / "analytics.duckdb")


def some(reports: Reports) -> list[Entity]:
    """The site, all workspaces and months, and lines: the most expensive, the hostile, no agent."""
    agents = reports.entities.of("agent")
    lines = [each for each in agents if each.name in NAMES.values() or each.agent_id == "(none)"]
    months = reports.entities.months.values()
    return [
        reports.entities.site,
        *reports.entities.of("workspace"),
        *months,
        agents[0],
        *lines[:3],
    ]


def choices(reports: Reports, entity: Entity) -> list[Choice]:
    """None, a whole month, own days (some before the first), two weeks, and members."""
    today = entity.row["today"]
    whole = ((today.replace(day=1) - timedelta(days=1)).replace(day=1),
             today.replace(day=1) - timedelta(days=1))  # fmt: skip
    ago = ((70, 3), (0, 0), (14, 1))
    own = [(today - timedelta(days=a), today - timedelta(days=b)) for a, b in ago]
    members = {
        "site": [each.workspace_id for each in reports.entities.of("workspace")],
        "workspace": [each.agent_id for each in reports.entities.lines_of(entity)][:7:3],
    }.get(entity.scope, [])
    some = [Choice(None, None, tuple(members[:1])), Choice(*whole, tuple(members[1:]))]
    return [Choice(), *(Choice(*days) for days in (whole, *own)), *(some if members else [])]


@pytest.fixture(scope="module")
def views(reports: Reports, published: Path) -> list[Views]:
    """What the engine makes of some pages for each choice."""
    pages = [
        (page, entity)
        for page in read_pages().values()
        for entity in some(reports)
        if page.scope == entity.scope and not entity.month
    ]
    asked = [
        shown.asked(
            published / "site", page.name, entity,
            [each.asked() for each in choices(reports, entity)],
        )
        for page, entity in pages
    ]  # fmt: skip
    return [(*page, of) for page, of in zip(pages, shown.views(asked), strict=True)]


@pytest.fixture(scope="module")
def pages(reports: Reports, published: Path) -> list[Html]:
    """The HTML of some pages."""
    return [
        (page, entity, Page(published / "site" / page.path(entity)))
        for page in read_pages().values()
        for entity in some(reports)
        if page.scope == entity.scope
    ]


def number(value: str) -> Decimal | str:
    """Digits as a number, as scripts leave zeros out."""
    return Decimal(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else value


def differences(given: Iterable[tuple[str, ...]], expected: Iterable[tuple[str, ...]]) -> str:
    """The rows of either that the other lacks; empty if there are none.

    A day without a run has a row of figures that are zero or unknown, or none.
    """
    a, b = (Counter(tuple(map(number, row)) for row in of) for of in (given, expected))
    rows = [row for row in (a - b) + (b - a) if not {*row} <= {0, numbers.UNKNOWN}]
    return f"rows {[(row, a[row], b[row]) for row in rows[:3]]}" if rows else ""


def _heads(shown: Row) -> list[str]:
    return [each["text"] for each in shown["table"]["heads"]]


def wrong_view(
    reports: Reports, part: Part, entity: Entity, choice: Choice, shown: Row
) -> Iterator[str]:
    """What the view of a part has that SQL has not."""
    if "Change" not in _heads(shown):
        known = tuple(each for each in part.columns if not each.startswith("change_usd"))
        part = structs.replace(part, columns=known)
    columns = figures(part)
    rows, total = reports.chosen(part, entity, choice)

    def given(of: str) -> list[tuple[str, ...]]:
        return [
            tuple(row[place]["value"] or row[place]["text"] for place in columns)
            for row in shown["table"][of]
        ]

    yield differences(given("rows"), [exact(columns, row) for row in rows])
    if part.total and rows:
        yield differences(given("foot"), [exact(columns, total)])


def wrong_views(reports: Reports, views: list[Views]) -> Iterator[str]:
    """What views have that SQL has not; medians are tested with the engine."""
    for page, entity, of in views:
        parts = [each for part in page.parts if part.chosen or part.mark for each in variants(part)]
        for choice, found in zip(choices(reports, entity), of, strict=True):
            for part, view in zip(parts, found["views"], strict=True):
                if part.chosen and part.data not in {"rpt_runs", "rpt_run_weeks"}:
                    wrong = filter(None, wrong_view(reports, part, entity, choice, view))
                    yield from (f"{page.name}, {part.key}, {choice}: {each}" for each in wrong)


def wrong_page(reports: Reports, page: Spec, entity: Entity, html: Page) -> Iterator[str]:
    """What the tables and headlines of a page have that SQL has not."""
    for part in (each for each in page.parts if not each.chosen and each.columns):
        rows = reports.table(part, entity)
        if part.slim:
            wide, rows = slim([*map(column, part.columns)], rows)
            part = structs.replace(
                part, columns=tuple(each for each in part.columns if column(each) in wide)
            )
        columns = figures(part)
        tables = [
            table
            for table in html.root.all("table")
            if re.fullmatch(rf"{part.key}(-\d{{4}}-\d\d)?-table", table.attributes["id"])
        ]
        cells = [row.children for each in tables for row in each.all("tbody")[0].all("tr")]
        given = [
            tuple(row[n].attributes.get("data-v") or row[n].text for n in columns) for row in cells
        ]
        expected = [exact(columns, row) for row in rows]
        if len(rows) <= (part.limit or 200):
            yield differences(given, expected)
        ranks = [
            place
            for place, each in enumerate(columns.values())
            if each.expression == part.order.split(",")[0].removeprefix("-")
        ]
        for place in ranks:
            order = [
                [row[place] for row in each][: part.limit or 200] for each in (given, expected)
            ]
            yield "" if order[0] == order[1] else f"order {order}"
    row: Row = {**entity.row, "name": entity.name}
    for relation in page.data:
        keys = [each for each in ("workspace_id", "month" if entity.month else "agent_id")
                if each in reports.columns(relation)]  # fmt: skip
        where = " and ".join(f"{each} = ?" for each in keys)
        values = [getattr(entity, each) for each in keys]
        for found in reports.rows(f"from {relation} where {where}", values):
            row |= found
    for each in page.headline:
        value = text.known(each.value, row) or each.none or numbers.UNKNOWN
        told = html.headlines[text.fill(each.label, row)][0]
        yield "" if told == value else f"headline {each.label}: {told}, expected {value}"


def wrong_pages(reports: Reports, pages: list[Html]) -> Iterator[str]:
    """What the HTML has that SQL has not."""
    for page, entity, html in pages:
        entity = (reports.entities.by_key | reports.entities.months)[entity.key]
        wrong = filter(None, wrong_page(reports, page, entity, html))
        yield from (f"{page.name} of {entity.name}: {each}" for each in wrong)


def test_views_hold_what_sql_says(reports: Reports, views: list[Views]) -> None:
    """Rows and totals of parts have the figures of SQL for every choice."""
    assert [*wrong_views(reports, views)] == []


def test_pages_hold_what_sql_says(reports: Reports, pages: list[Html]) -> None:
    """Tables and headlines in HTML have the figures of SQL, tables in its order."""
    assert [*wrong_pages(reports, pages)] == []


def test_cards_hold_what_sql_says(reports: Reports, views: list[Views]) -> None:
    """Cost, runs, failed cost and failure rate of the last 28 days and of two weeks."""
    part = Part("all", "rpt_days", chosen=True)
    for page, entity, of in (each for each in views if each[0].name in {"overview", "workspace"}):
        for choice, found in zip(choices(reports, entity), of, strict=True):
            _, row = reports.chosen(part, entity, choice)
            shown = {each["key"]: each for each in found["cards"]}
            high = sum(row[f"failed_cost_{end}usd"] or Decimal(0) for end in ("", "more_"))

            assert shown["cost"]["value"] == numbers.usd_headline(row["cost_usd"]), page.name
            assert shown["cost"]["note"].startswith(numbers.plural(row["run_count"], "run"))
            assert shown["failed"]["value"] == numbers.usd_headline(row["failed_cost_usd"])
            assert shown["failed"]["more"] in (f"at most {numbers.usd_headline(high)}", "")
            assert shown["rate"]["value"] == text.figure(
                "failed_count/finished_count", "rate_short", row
            )


def as_given(value: Any) -> Any:
    """A figure as data files have it: money in units of 10^-10 USD, an instant in seconds."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    return int(value.scaleb(10)) if isinstance(value, Decimal) else value


@pytest.mark.parametrize("relation", ["rpt_runs", "rpt_run_models", "rpt_run_events"])
def test_data_of_runs_hold_what_sql_says(relation: str, reports: Reports, published: Path) -> None:
    """Of each line, every run that is published stands in the file of its month, and no other."""
    site = published / "site"
    names = shown.unpacked(site / "data" / "pages" / "agent.js")["columns"][relation]
    for entity in (each for each in some(reports) if each.scope == "agent"):
        for month, document in shown.months_of(site, entity).items():
            expected = reports.rows(
                f"select day(date) as date, {', '.join(names[1:])}"
                f" from {relation} where workspace_id = ? and agent_id = ?"
                " and strftime(date, '%Y-%m') = ?",
                [*entity.key, month],
            )
            given = shown.rows_of(document.get(relation, [[]]), names)
            assert sorted(given, key=repr) == sorted(
                ({name: as_given(value) for name, value in row.items()} for row in expected),
                key=repr,
            )


@pytest.mark.parametrize(
    ("where", "sql"),
    [
        ("agent", "update rpt_days set cost_usd = cost_usd + 0.0000000001"),
        ("workspace", "delete from rpt_models where model[1] = 'c'"),
        ("overview", "update rpt_days set date = date + 1"),
        ("html", "update rpt_owned set actual_usd = actual_usd + 0.01"),
        ("html", "delete from rpt_months where month = '2026-10-01' and cost_usd > 0"),
    ],
)
def test_other_data_is_noticed(
    where: str, sql: str, published: Path, views: list[Views], pages: list[Html]
) -> None:
    """The comparison fails where the tables and what is shown differ in one thing."""
    other = Reports(published / "analytics.duckdb", sql)
    if where == "html":
        assert next(wrong_pages(other, [each for each in pages if not each[1].month]), None)
    else:
        assert next(wrong_views(other, [each for each in views if each[0].name == where]), None)
