"""What is wrong with views: the figures of the engine that differ from those expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

from analytics.report.entities import Entity
from analytics.report.spec import Page, Part
from tests.report.expected import (
    TIMES,
    Cell,
    Choice,
    Reports,
    Row,
    View,
    as_money,
    marks,
    raw,
    unheard,
)


def differences_of_views(
    reports: Reports, page: Page, entity: Entity, choice: Choice, shown: list[Row]
) -> Iterator[str]:
    """Compare the engine's views of a page's parts with SQL."""
    parts = [part for part in page.parts if part.period or part.mark]
    assert len(parts) == len(shown)
    for part, view in zip(parts, shown, strict=True):
        if part.period and part.data != "rpt_runs":
            at = f"{page.name} of {entity.name}, {part.key}, {choice}"
            yield from (f"{at}: {each}" for each in _of_view(reports, part, entity, choice, view))


def _of_view(
    reports: Reports, part: Part, entity: Entity, choice: Choice, shown: Row
) -> Iterator[str]:
    table = [[(each["text"], each["value"]) for each in row] for row in shown["table"]["rows"]]
    foot = [[(each["text"], each["value"]) for each in row] for row in shown["table"]["foot"]]
    weekly = bool(table) and table[0][0][0] != table[0][0][1]  # a span of days, not its first one
    view = reports.view(part, entity, choice, weekly=weekly)
    if shown["isEmpty"]:
        if view.rows and not (view.is_time and marks(part)[0] == "interval"):  # of today alone
            yield "it is empty"
        return
    if view.is_time:
        table = _with_rows(reports, view, entity, table)
    yield from matched([[reports.cells(view, row, entity) for row in view.rows]], table)
    if not equal(reports.foot(part, view), foot):
        yield f"total {foot}, expected {reports.foot(part, view)}"
    told = [text for text, _ in [*chain(*table, *foot), *reports.totals(view)]]
    if loose := unheard(f"{shown['title']} {shown['subtitle']}", told):
        yield f"title {shown['title']!r}: {loose} are in no row"


def _with_rows(
    reports: Reports, view: View, entity: Entity, table: list[list[Cell]]
) -> list[list[Cell]]:
    """The days of a table without labels; one of which SQL has no row may be zero or unknown."""
    (time,) = (each.expression for each in view.columns if each.expression in TIMES)
    days = {row[time].isoformat() for row in view.rows}
    nothing = as_money({name: 0 for row in view.rows[:1] for name in row if name != time})
    kept = []
    for (_, day), *cells in table:
        empty = [reports.cells(view, {**row, time: date.fromisoformat(day or "")}, entity)[1:]
                 for row in (nothing, {})]  # fmt: skip
        if day in days or not any(equal([each], [cells]) for each in empty):
            kept.append([("", day), *cells])
    return kept


def matched(groups: list[list[list[Cell]]], shown: list[list[Cell]], limit: int = 0) -> list[str]:
    """What is wrong with the rows shown: groups stand in their order, rows of a group in any."""
    all_rows = sum(map(len, groups))
    count = min(all_rows, limit) if limit else all_rows
    if count != len(shown):
        return [f"{len(shown)} rows, expected {count}"]
    rest, wrong = iter(shown), []
    for group in groups:
        left = list(group)
        for cells in islice(rest, len(group)):
            found = next((each for each in left if equal([each], [cells])), None)
            if found is None:
                wrong.append(f"row {cells}, expected {left[0]}")
            else:
                left.remove(found)
    return wrong[:3]


def equal(expected: Sequence[Sequence[Cell]], shown: Sequence[Sequence[Cell]]) -> bool:
    flat = [[each for row in of for each in row] for of in (expected, shown)]
    return len(flat[0]) == len(flat[1]) and all(
        a[0] == b[0] and _exact(a[1]) == _exact(b[1]) for a, b in zip(*flat, strict=True)
    )


def _exact(value: str | None) -> Any:
    """Plain digits as a number, as scripts leave zeros out."""
    try:
        return Decimal(value or "")
    except ArithmeticError:
        return value


def runs_as_given(reports: Reports, relation: str, entity: Entity, month: str) -> list[Row]:
    """The rows of the runs of a month as a data file has them, in any order."""
    rows = reports.rows(
        f"select * exclude (workspace_id, agent_id), day(date) as date from reports.{relation}"
        " where workspace_id = ? and agent_id = ? and strftime(date, '%Y-%m') = ?",
        [*entity.key, month],
    )
    return [{name: raw(value) for name, value in row.items()} for row in rows]


def site_pages(
    site: Path, pages: dict[str, Page], entities: Iterable[Entity]
) -> list[tuple[Page, Entity, Path]]:
    """Each page of some entities, with its file."""
    return [
        (page, entity, site / page.path(entity))
        for page in pages.values()
        for entity in entities
        if page.scope == entity.scope
    ]
