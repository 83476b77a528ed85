"""Pages of one's own: the columns of an answer, their units, and whether a chart can show them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import polars as pl

from analytics.custom.pages import Chart
from analytics.custom.runner import Answer
from analytics.format import names
from analytics.report.columns import default_label, default_unit
from analytics.transform.measures import measures

Kind = Literal["whole", "decimal", "float", "day", "instant", "text"]
Axis = Literal["day", "month", "number", "name"]

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_MEASURED = {
    "runs": "count",
    "days": "count",
    "usd": "usd",
    "tokens": "tokens",
    "ms": "milliseconds",
}
_BY_NAME = {"usd", "count", "tokens", "milliseconds", "seconds"}
_SHARES = ("_rate", "_share")
_NUMBERS: tuple[Kind, ...] = ("whole", "decimal", "float")
_LONGEST_LABEL = 60
_AGGREGATE = re.compile(r"(?:sum|min|max|avg|median|any_value)\((?:\w+\.)*(\w+)\)", re.IGNORECASE)
"""The name that SQL gives to an aggregate of a column."""


@dataclass(frozen=True)
class OwnColumn:
    """A column of an answer: `key` is its name in the frame, `unit` the way it is written."""

    key: str
    name: str
    kind: Kind
    unit: str
    label: str

    @property
    def is_number(self) -> bool:
        """True if it can be a y."""
        return self.kind in _NUMBERS


@dataclass(frozen=True)
class Value:
    """A y of a chart: the column, or the quotient of two; `unit` is that of the whole."""

    part: OwnColumn
    base: OwnColumn | None
    unit: str
    label: str


@dataclass(frozen=True)
class Plan:
    """A chart whose columns are known."""

    x: OwnColumn
    axis: Axis
    values: tuple[Value, ...]
    by: OwnColumn | None


class ChartError(Exception):
    """A chart that cannot be drawn, in one line with file and line."""


def columns_of(declared: Sequence[tuple[str, str]]) -> list[OwnColumn]:
    """Return the columns of an answer from their names and types."""
    return [_column(f"c{number}", *each) for number, each in enumerate(declared)]


def named(columns: Sequence[OwnColumn], name: str) -> OwnColumn | None:
    """Return the first column of this name; SQL does not tell capitals from small letters."""
    return next((each for each in columns if each.name.lower() == name.lower()), None)


def planned(chart: Chart, columns: Sequence[OwnColumn]) -> Plan:
    """Return how a chart shows its columns; ChartError if it cannot."""
    drawn, place = chart.drawn, f"{chart.query.file}:{chart.line}"
    found = {name: named(columns, name) for name in drawn.columns}
    for name, column in found.items():
        if column is None:
            similar = get_close_matches(name, [each.name for each in columns], 1)
            hint = f"did you mean `{similar[0]}`?" if similar else "the SELECT has no such column"
            raise ChartError(f"{place}: there is no column `{name}`: {hint}")
    known = {name: column for name, column in found.items() if column}
    for name in (name for y in drawn.y for name in y):
        if not known[name].is_number:
            raise ChartError(f"{place}: y `{name}` is no number, but {known[name].kind}")
        if drawn.mark == "interval" and known[name].kind != "whole":
            raise ChartError(f"{place}: an interval is of whole numbers, and `{name}` is not whole")
    x = known[drawn.x]
    values = tuple(_value(*(known[name] for name in y)) for y in drawn.y)
    if len({each.unit for each in values}) > 1:
        raise ChartError(f"{place}: its y have different units: write a SELECT for each")
    axis = _axis(x, drawn.mark)
    if chart.lines and axis not in ("day", "month"):
        raise ChartError(f"{place}: a `line` marks a day, and x `{x.name}` is no date")
    return Plan(x, axis, values, known.get(drawn.by))


def require_sums(chart: Chart, plan: Plan, answer: Answer) -> None:
    """Require that rows of one mark can be added up; ChartError if they are floats."""
    floats = [
        each
        for each in plan.values
        if "float" in (each.part.kind, each.base.kind if each.base else "")
    ]
    if answer.frame is None or not floats:
        return
    keys = [each.key for each in (plan.x, plan.by) if each]
    if answer.frame.select(pl.struct(keys).is_duplicated().any()).item():
        names = " and ".join(each.name for each in (plan.x, plan.by) if each)
        raise ChartError(
            f"{chart.query.file}:{chart.line}: several rows have the same {names}, and floats such"
            f" as `{floats[0].part.name}` are not added up: group them in SQL, or write y a/b"
        )


def _column(key: str, name: str, sql_type: str) -> OwnColumn:
    aggregated = _AGGREGATE.fullmatch(name)
    is_time = sql_type.startswith("TIMESTAMP") and name.lower() in ("date", "month")
    kind = "day" if is_time else _kind(sql_type)  # as the query for pages casts it
    unit_name = (aggregated[1] if aggregated else name).lower()
    shown = names.shortened(names.visible(name), _LONGEST_LABEL) if name.strip() else "(no name)"
    return OwnColumn(key, name, kind, _unit(unit_name, kind), default_label(shown) or shown)


def _kind(sql_type: str) -> Kind:
    if sql_type.removeprefix("U") in _WHOLE or sql_type.endswith(",0)"):
        return "whole"
    if sql_type.startswith("DECIMAL") and sql_type.endswith(")"):
        return "decimal"
    if sql_type in ("FLOAT", "DOUBLE"):
        return "float"
    if sql_type == "DATE":
        return "day"
    return "instant" if sql_type == "TIMESTAMP WITH TIME ZONE" else "text"


def _unit(name: str, kind: Kind) -> str:
    if kind == "instant":
        return "instant"
    if kind == "day":
        return "month" if name == "month" else "day"
    if kind == "text" or (kind == "whole" and (name == "year" or name.endswith("_id"))):
        return "text"
    measure = measures().get(name)
    unit = _MEASURED.get(measure.unit, "share") if measure else default_unit(name)
    if unit == "share" or name.endswith(_SHARES):
        return "share"
    if unit in ("count", "tokens") and kind != "whole":
        return "number"
    return unit if unit in _BY_NAME else "number"


def _axis(x: OwnColumn, mark: str) -> Axis:
    if x.kind == "day":
        return "month" if x.unit == "month" else "day"
    return "number" if x.is_number and mark == "line" else "name"


def _value(part: OwnColumn, base: OwnColumn | None = None) -> Value:
    if base is None:
        return Value(part, None, part.unit, part.label)
    one = re.sub(r"\b(run|request|call|session)s$", r"\1", base.label.lower())
    label = f"{part.label} per {one}"
    if part.unit == base.unit:
        return Value(part, base, "share", label)
    kept = part.unit in ("usd", "milliseconds", "seconds") and base.unit in ("count", "number")
    return Value(part, base, part.unit if kept else "number", label)
