"""Agents of a workspace, or workspaces of the site, side by side."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.format import numbers
from analytics.report.figures import splits
from analytics.report.sections import rankings
from analytics.report.writing.blocks import Chart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from analytics.report.figures.facts import Measures, Subject
    from analytics.report.figures.splits import Split
    from analytics.report.writing.phrases import Value

MEASURES = (
    "cost_usd",
    "run_count",
    "failed_count",
    "unlisted_failed_count",
    "finished_count",
    "failed_cost_usd",
    "failed_cost_high_usd",
)
_SHOWN = 10


def split(first: date, members: Sequence[tuple[str, str, Mapping[date, Measures]]]) -> Split:
    """The measures of each day by member: its name, the address of its page, and its days."""
    rows = []
    for name, href, days in members:
        for day, each in days.items():
            values = each.values()
            rows.append((day, (name, href), tuple(values[measure] for measure in MEASURES)))
    return splits.of_rows(first, MEASURES, rows)


def chart(
    unit: str, whole: Subject, members: Sequence[tuple[str, str, Subject]], see_table: str
) -> Chart:
    """The members whose recent runs cost most, with a table of all that had any."""
    first = whole.coverage.calendar.history.first
    known = split(first, [(name, href, subject.days) for name, href, subject in members])
    made = rankings.chart(rankings.members(unit), whole, known)
    if made.is_empty or made.spec is None or made.table is None:
        return made
    rows = rankings.ordered(known.over(whole.coverage.calendar.recent), "cost_usd")
    made.spec["rows"] = [_bar(row) for row in rows[:_SHOWN]]
    hidden = rows[_SHOWN:]
    if hidden:
        costs = [cost for row in hidden if isinstance(cost := row["cost_usd"], Decimal)]
        others: dict[str, Value] = {
            "key": numbers.plural(len(hidden), "other"),
            "cost_usd": sum(costs, Decimal(0)),
        }
        made.spec["rows"].append(_bar(others) | {"role": "@others"})
    return replace(made, see_table=see_table)


def _bar(row: Mapping[str, Value]) -> dict[str, object]:
    cost = row["cost_usd"]
    amount = cost if isinstance(cost, Decimal) else None
    return {
        "label": row["key"],
        "href": row.get("note"),
        "values": [None if amount is None else float(amount)],
        "texts": [numbers.usd_headline(amount)],
    }
