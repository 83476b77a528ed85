"""Pages of one's own: an answer as the engine reads it, its rows in the order of the query."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from analytics.custom.pages import Chart
from analytics.custom.runner import Answer
from analytics.format import names, numbers, text
from analytics.report.months import coded
from analytics.report.own_columns import (
    ChartError,
    OwnColumn,
    Plan,
    Value,
    columns_of,
    named,
    planned,
    require_sums,
)

_LARGEST = 2**53  # below it, script holds whole numbers exactly
_LARGEST_WRITTEN = 10**38  # as many digits as a DECIMAL has
_LONGEST_TEXT = 1_000
_UNITS = {"usd": "US dollars", "tokens": "tokens", "share": "percent"}
_NAMED_BY = {"agent_name": "agent_id", "workspace_name": "workspace_id"}


def headline(chart: Chart, answer: Answer) -> dict[str, str] | None:
    """Return label and value of an answer of one value; None for any other."""
    if chart.drawn.mark or answer.frame is None or answer.frame.shape != (1, 1):
        return None
    (column,) = columns_of(answer.columns)
    value = answer.frame.item()
    return {"label": chart.heading or column.label, "value": _headline(value, column)}


def _headline(value: Any, column: OwnColumn) -> str:
    if value is None:
        return numbers.UNKNOWN
    if not column.is_number:
        return names.shortened(_shown(value), _LONGEST_TEXT)
    amount: int | Decimal = value if isinstance(value, int) else Decimal(str(value))
    if not Decimal(amount).is_finite():
        return numbers.UNKNOWN
    if abs(Decimal(amount)) >= _LARGEST_WRITTEN:
        return f"{amount:.3e}"
    if column.unit == "usd":
        return numbers.usd_headline(Decimal(amount))
    if column.unit == "share":
        return numbers.percent(Decimal(amount), Decimal(1))
    if column.unit in ("count", "tokens"):
        amount = int(amount)
    return text.figure("value", column.unit, {"value": amount})


def part_of(key: str, chart: Chart, answer: Answer) -> dict[str, Any]:
    """Return a table or a chart of an answer; ChartError if it has none, or cannot be drawn."""
    frame = answer.frame
    if frame is None:
        raise ChartError(answer.error)
    columns = columns_of(answer.columns)
    follow = followed(columns)
    months = {each.key for each in columns if each.unit == "month"}
    part = {
        "key": key,
        "label": chart.heading,
        "columns": _table(columns),
        "follow": follow,
        "isMonthly": follow.get("time") in months,
        "size": frame.height,
        "rows": {each.key: _values(frame[each.key], each) for each in columns},
    }
    if chart.drawn.mark in ("", "table"):
        return part
    plan = planned(chart, columns)
    require_sums(chart, plan, answer)
    values = [_value(each, frame) for each in plan.values]
    return part | {
        "mark": "column" if chart.drawn.mark == "bar" and plan.axis != "name" else chart.drawn.mark,
        "isStacked": chart.drawn.is_stacked,
        "axis": plan.axis,
        "x": plan.x.key,
        "by": plan.by.key if plan.by else "",
        "ids": {
            each.key: each.name.lower()
            for each in (plan.x, plan.by)
            if each and each.name.lower() in _NAMED_BY.values()
        },
        "values": values,
        "lines": [[day.isoformat(), names.display(words)] for day, words in chart.lines],
        "subtitle": _subtitle(plan, values[0]["unit"]),
    }


def _table(columns: Sequence[OwnColumn]) -> list[dict[str, str]]:
    """Return the columns of the table; a name takes the place of its identifier, and its link."""
    shown = []
    for each in columns:
        name = each.name.lower()
        own = next((own for own, id_ in _NAMED_BY.items() if id_ == name), None)
        if own and named(columns, own):
            continue
        made = {"key": each.key, "label": each.label, "unit": each.unit}
        if own:
            made["of"] = name
        elif id_ := named(columns, _NAMED_BY.get(name, "")):
            made |= {"of": id_.name.lower(), "id": id_.key}
        shown.append(made)
    return shown


def followed(columns: Sequence[OwnColumn]) -> dict[str, str]:
    """Return the columns by which rows follow the period, agents and workspaces chosen."""
    day = next((each for name in ("date", "month") if (each := named(columns, name))), None)
    found = {
        role: column.key
        for role in ("agent", "workspace")
        if (column := named(columns, f"{role}_id")) and column.kind == "text"
    }
    if day and day.kind == "day":
        found["time"] = day.key
    return found


def follows(part: dict[str, Any]) -> bool:
    """True if the rows of a part follow a choice of any kind."""
    return bool(part["follow"])


def _value(value: Value, frame: pl.DataFrame) -> dict[str, str]:
    made = {"part": value.part.key, "label": value.label, "unit": value.unit}
    if value.base is None:
        return made
    made["base"] = value.base.key
    if value.unit == "share" and _sum(frame, value.part) > _sum(frame, value.base):
        made["unit"] = "number"
    return made


def _sum(frame: pl.DataFrame, column: OwnColumn) -> float:
    return float(frame[column.key].cast(pl.Float64).sum())


def _subtitle(plan: Plan, unit: str) -> str:
    """Return a chart in words: its values, their unit, and the columns that they are by."""
    shown = " and ".join(each.label for each in plan.values)
    of = f", {_UNITS[unit]}" if unit in _UNITS else ""
    by = " and ".join(each.label.lower() for each in (plan.x, plan.by) if each)
    return f"{shown} by {by}{of}."


def _values(column: pl.Series, of: OwnColumn) -> object:
    """Return values as JSON holds them: texts of every digit where script would lose some."""
    if column.dtype == pl.String:
        values = column.to_list()
        if of.is_number:
            return values
        shown = {each: _shown(each) for each in set(values) if each is not None}
        return coded([shown.get(each) for each in values])
    if column.dtype == pl.Int64:
        return [str(each) if abs(each or 0) >= _LARGEST else each for each in column]
    return column.to_list()


def _shown(value: str) -> str:
    return names.shortened(names.visible(value), _LONGEST_TEXT)
