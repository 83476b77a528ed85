"""What is wrong with views: the figures of the engine that differ from those expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from analytics.report.entities import Entity
from analytics.report.spec import Page, Part
from tests.report.expected import Cell, Choice, Reports, Row, View, drawn, raw, unheard

DRAWN_ROWS = 10


def differences_of_views(
    reports: Reports, page: Page, entity: Entity, choice: Choice, shown: list[Row]
) -> Iterator[str]:
    """Compare the engine's views of a page's parts with SQL."""
    parts = [part for part in page.parts if part.period or part.mark]
    assert len(parts) == len(shown)
    for part, view in zip(parts, shown, strict=True):
        if part.data == "rpt_runs":
            continue
        at = f"{page.name} of {entity.name}, {part.key}, {choice}"
        found = _of_view if part.period else _of_drawing
        yield from (f"{at}: {each}" for each in found(reports, part, entity, choice, view))


def _of_view(
    reports: Reports, part: Part, entity: Entity, choice: Choice, shown: Row
) -> Iterator[str]:
    view = reports.view(part, entity, choice)
    if view.is_empty != shown["isEmpty"]:
        yield f"empty: {shown['isEmpty']}"
        return
    table = [[(each["text"], each["value"]) for each in row] for row in shown["table"]["rows"]]
    listed = _listed(view)
    groups = [[(reports.cells(view, row, entity), row) for row in group] for group in listed]
    rows, wrong = matched(groups if not view.is_empty else [], table)
    yield from wrong
    foot = [[(each["text"], each["value"]) for each in row] for row in shown["table"]["foot"]]
    if not equal(reports.foot(part, view), foot):
        yield f"total {foot}, expected {reports.foot(part, view)}"
    if wrong:
        return
    rows = [group[0] for group in view.groups] if view.is_time else rows
    told = [text for text, _ in [*chain(*table, *foot), *reports.totals(view)]]
    if loose := unheard(f"{shown['title']} {shown['subtitle']}", told):
        yield f"title {shown['title']!r}: {loose} are in no row"
    if part.stack:
        series = [[_number(each) for each in of["values"]] for of in shown["series"]]
        expected = [] if view.is_empty else reports.stacked(part, rows, entity, choice)
        if series != expected:
            yield f"series {series}, expected {expected}"
    elif not view.is_empty:
        yield from _of_marks(part, rows, shown["rows"], is_whole=view.is_time)


def _listed(view: View) -> list[list[Row]]:
    """The rows of the table: of days the newest first, from the first day that was read on."""
    if not view.is_time:
        return view.groups
    read = [index for index, (row,) in enumerate(view.groups) if row["state"] != "n"]
    return view.groups[min(read, default=0) :][::-1]


def _of_marks(part: Part, rows: list[Row], marks: list[Row], *, is_whole: bool) -> Iterator[str]:
    """Compare what is drawn: all rows, or the first ones and what the others add up to."""
    limit = len(rows) if is_whole or part.mark in {"line", "cell"} else part.limit or DRAWN_ROWS
    expected = [drawn(part, row) for row in rows[:limit]]
    if rows[limit:] and part.mark == "bar":
        others = zip(*(drawn(part, row) for row in rows[limit:]), strict=True)
        expected.append([sum(each for each in of if each is not None) for of in others])
    figures = [name for each in part.draw for name in each.value.partition("|")[0].split("/")]
    found = [[_number(row["values"].get(name)) for name in figures] for row in marks]
    if found != expected:
        yield f"drawn {found}, expected {expected}"


def _of_drawing(
    reports: Reports, part: Part, entity: Entity, choice: Choice, shown: Row
) -> Iterator[str]:
    """Compare a chart that needs no choice."""
    rows = [row for group in reports.static(part, entity) for row in group]
    if choice == Choice() and rows:
        yield from _of_marks(part, rows, shown["rows"], is_whole=False)


def matched(
    groups: list[list[tuple[list[Cell], Row]]], shown: list[list[Cell]], limit: int = 0
) -> tuple[list[Row], list[str]]:
    """The expected rows in the order shown, and what is wrong; groups stand in their order."""
    count = sum(map(len, groups))
    if limit:
        count = min(count, limit)
    if count != len(shown):
        return [], [f"{len(shown)} rows, expected {count}"]
    rest, rows, wrong = iter(shown), [], []
    for group in groups:
        left = list(group)
        for _ in group:
            if (cells := next(rest, None)) is None:
                break
            found = next((each for each in left if equal([each[0]], [cells])), None)
            if found is None:
                wrong.append(f"row {cells}, expected {left[0][0]}")
            else:
                left.remove(found)
                rows.append(found[1])
    return rows, wrong[:3]


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


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value


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
