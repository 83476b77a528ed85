"""What headings have to say: a part's title and subtitle, filled with the figures of SQL."""

from __future__ import annotations

import re

from analytics.format import names, text
from analytics.report.columns import column
from analytics.report.entities import Entity
from analytics.report.spec import Part
from tests.report.expected import SMALL, TIMES, Choice, Reports, Row, View, marks


def heading(
    reports: Reports, part: Part, view: View, rows: list[Row], entity: Entity, choice: Choice
) -> tuple[str, str]:
    """Title and subtitle, of rows in the order in which they are shown."""
    by = [each for each in ((part.stack,) if part.stack else part.by) if each not in TIMES]

    firsts = [reports.name_of(by[0], row, entity) for row in rows] if by else []

    def named(row: Row) -> Row:
        told = {each: reports.name_of(each, row, entity) for each in by}
        if by:
            first, *others = told.values()
            apart = f" ({', '.join(others)})" if others and firsts.count(first) > 1 else ""
            told["label"] = first + apart
        return {**row, **{each: names.in_sentence(name) for each, name in told.items()}}

    last = [row for row in rows if row.get("whole")] or rows
    context = {
        **view.total, **view.span, "total": view.total,
        "first": named(rows[0]) if rows else None,
        "second": named(rows[1]) if rows[1:] else None,
        "last": named(last[-1]) if last else None,
    }  # fmt: skip
    reason = "" if view.is_drawn else _reason(part, view, rows, choice)
    if reason:
        return part.label, text.fill(reason, context)
    return text.fill(_title(part, rows), context), text.fill(part.subtitle, context)


def _reason(part: Part, view: View, rows: list[Row], choice: Choice) -> str:
    """Why nothing is drawn, unless the title says that all is zero."""
    known = [row for row in rows if not row.get("is_filled")]
    if part.data == "rpt_run_weeks" and len(choice.members or ()) > 1:
        return "Of several agents together, no median is known: choose one of them."
    if "today" in view.span["span"] and part.by[0] in TIMES and marks(part)[0] == "interval":
        return "Today is not over: some of its runs may still fail."
    if not known and part.empty:
        return part.empty
    figures = [column(each.value).expression.split("/") for each in part.draw]
    is_of_cost = any(
        name.endswith("_usd") and name[:6] != "failed" for of in figures for name in of
    )
    if is_of_cost and view.total.get("unknown_cost_count"):
        return "Unknown in {span}: {unknown_cost_count|plural:run} of unknown cost."
    if not any(len(of) == 1 or row.get(of[1]) for row in known for of in figures):
        return "Nothing in {span}."
    if any(row.get(of[0]) is None for row in known for of in figures):
        return "Unknown in {span}."
    is_of_row = any(f"{{{each}." in (part.title or "{first.") for each in ("first", "last"))
    return "Zero in {span}." if is_of_row else ""


def _title(part: Part, rows: list[Row]) -> str:
    leading = column(part.draw[0].value).expression
    order = part.order.removeprefix("-")
    name = order if re.search(r"_(usd|count)$", order) else leading
    value, _, base = name.partition("/")
    is_small = not rows[0].get(value)
    if base and name == leading and marks(part)[0] == "interval":
        is_small |= (rows[0].get(base) or 0) < SMALL
    if is_small and part.title_small:
        return part.title_small
    return (part.title_two if rows[1:] else "") or part.title or part.label
