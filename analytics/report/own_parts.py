"""Pages of one's own: the answer of a SELECT as an ordinary part, and its rows for the engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from difflib import get_close_matches
from html import escape
from typing import Any, Literal

import polars as pl

from analytics.bounded.runner import Answer
from analytics.format import names, numbers, text
from analytics.project.pages import Chart
from analytics.report.columns import default_label, default_unit
from analytics.report.months import coded
from analytics.report.spec import Draw, Mark, Part
from analytics.transform.measures import measures

Kind = Literal["whole", "decimal", "float", ""]

_SHOWN_NAMES = 30  # bars of a chart; the others are one
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_AGGREGATE = re.compile(r"(?:sum|min|max|avg|median|any_value)\((?:\w+\.)*(\w+)\)", re.IGNORECASE)
_DAY, _INSTANT = (re.compile(rf"\d{{4}}-\d\d-\d\d{end}") for end in ("$", "T"))
_PLACES = 10
_SCALES = {"usd": _PLACES, "share": _PLACES, "decimal": _PLACES, "count": 0, "tokens": 0}
"""The power of ten in which the engine has a number: it adds whole ones alone exactly."""
_KEPT = {"usd": "each", "tokens": "tokens", "milliseconds": "milliseconds", "seconds": "seconds"}
"""The unit that a number keeps when it is divided by a count."""
_LARGEST = 2**52  # below it, script reads and adds whole numbers exactly
_LARGEST_WRITTEN = 10**38  # as many digits as a DECIMAL has
_LONGEST_LABEL, _LONGEST_TEXT = 60, 1_000
_IDS = {"agent_name": "agent_id", "workspace_name": "workspace_id"}


@dataclass(frozen=True)
class OwnColumn:
    """A column of an answer: `key` is its name in the frame, `kind` that of numbers."""

    key: str
    name: str
    kind: Kind
    unit: str
    label: str


@dataclass(frozen=True)
class Plan:
    """A chart whose columns are known; each of `values` is a column, or the quotient of two.

    `look` is what it changes of the layout.
    """

    mark: Mark
    x: OwnColumn
    values: tuple[tuple[OwnColumn, OwnColumn | None], ...]
    by: OwnColumn | None
    look: Mapping[str, Any]


class ChartError(Exception):
    """A chart that cannot be drawn, in one line with file and line."""


def columns_of(declared: Iterable[tuple[str, str]]) -> list[OwnColumn]:
    """Return the columns of an answer from their names and types."""
    return [_column(f"c{number}", *each) for number, each in enumerate(declared)]


def planned(chart: Chart, columns: Sequence[OwnColumn]) -> Plan:
    """Return how a chart shows its columns; ChartError if it cannot."""
    drawn, place = chart.drawn, f"{chart.query.file}:{chart.line}"
    known: dict[str, OwnColumn] = {}
    for name in drawn.columns:
        if (column := _named(columns, name)) is None:
            similar = get_close_matches(name, [each.name for each in columns], 1)
            hint = f"did you mean `{similar[0]}`?" if similar else "the SELECT has no such column"
            raise ChartError(f"{place}: there is no column `{name}`: {hint}")
        known[name] = column
    for name in (name for y in drawn.y for name in y):
        if known[name].unit not in {*_SCALES, *_KEPT}:
            raise ChartError(f"{place}: y `{name}` is no number, but {known[name].unit}")
        if drawn.mark == "interval" and known[name].kind != "whole":
            raise ChartError(f"{place}: an interval is of whole numbers, and `{name}` is not whole")
    x = known[drawn.x]
    values = tuple((known[y[0]], known[y[1]] if y[1:] else None) for y in drawn.y)
    is_time = x.unit in ("day", "month")
    if drawn.mark in ("column", "line") and not is_time:
        raise ChartError(f"{place}: x of a `{drawn.mark}` is a day or a month: write `bar`")
    if chart.lines and not is_time:
        raise ChartError(f"{place}: a `line` marks a day, and x `{x.name}` is no date")
    if not is_time and len({_unit_of(*each) for each in values}) > 1:
        raise ChartError(f"{place}: its y have different units: write a SELECT for each")
    mark: Any = "column" if drawn.mark == "bar" and is_time else drawn.mark
    return Plan(mark, x, values, known.get(drawn.by), _look(chart))


def _look(chart: Chart) -> dict[str, Any]:
    """Return the layout that a chart declares; ChartError if it may not."""
    if chart.look is None:
        return {}
    from analytics.report.looks import LookError, own_look  # of Plotly, which few need

    line, declared = chart.look
    try:
        return own_look(declared)
    except LookError as error:
        raise ChartError(f"{chart.query.file}:{line}: {error}") from None


def require_sums(chart: Chart, plan: Plan, answer: Answer) -> None:
    """Require that rows of one mark can be added up; ChartError if they are floats or shares."""
    parts = [each for value in plan.values for each in value if each]
    unadded = [each for each in parts if each.kind == "float" or each.unit == "share"]
    keys = [each for each in (plan.x, plan.by) if each]
    if not unadded or answer.frame is None:
        return
    if answer.frame.select(pl.struct(each.key for each in keys).is_duplicated().any()).item():
        raise ChartError(
            f"{chart.query.file}:{chart.line}: several rows have the same"
            f" {' and '.join(each.name for each in keys)}, and such as `{unadded[0].name}` are not"
            " added up: group them in SQL, or write y a/b"
        )


def headline(chart: Chart, answer: Answer) -> dict[str, str] | None:
    """Return label and value of an answer of one value; None for any other."""
    if chart.drawn.mark or answer.frame is None or answer.frame.shape != (1, 1):
        return None
    (column,) = columns_of(answer.columns)
    value = _written(answer.frame.item(), column.unit)
    return {"label": chart.heading or column.label, "value": value}


def part_of(key: str, chart: Chart, title: str, answer: Answer) -> tuple[Part, dict[str, object]]:
    """Return a part and its rows by column; ChartError if there are none, or no chart of them."""
    if answer.frame is None:
        raise ChartError(answer.error)
    columns, plan = columns_of(answer.columns), None
    if chart.drawn.mark not in ("", "table"):
        require_sums(chart, plan := planned(chart, columns), answer)
    rows = _Rows(columns, plan, answer.frame)
    days = sorted({each for each in rows.days if each})
    part = Part(
        key=key,
        data=key,
        chosen=True,
        columns=tuple(shown for each in columns if (shown := rows.add(each))),
        label=names.display(chart.heading or title),
        monthly=bool(rows.time and rows.time.unit == "month"),
        span=(days[0], days[-1]) if days else (),
    )
    if plan:
        draw = rows.draw(plan)
        part.mark, part.by, part.draw = plan.mark, rows.by(plan.x), draw
        if plan.by:
            part.stack, part.order = rows.by(plan.by)[:1], f"-{re.split('[/|]', draw[0].value)[0]}"
        part.panels = tuple(each.name for each in draw)
        part.limit, part.subtitle, part.look = _SHOWN_NAMES, rows.left_out, dict(plan.look)
        part.lines = tuple((f"{day}", names.display(words)) for day, words in chart.lines)
    return part, rows.made


class _Rows:
    """The rows of an answer by column, as the engine names them.

    `date` and `member` are those by which rows follow a choice.
    """

    def __init__(self, columns: Sequence[OwnColumn], plan: Plan | None, frame: pl.DataFrame):
        self.made: dict[str, object] = {}
        self.left_out, self._frame, self._mark = "", frame, plan.mark if plan else None
        days = (_named(columns, name) for name in ("date", "month"))
        self.time = next((each for each in days if each and each.unit in ("day", "month")), None)
        if plan and plan.x.unit in ("day", "month"):
            self.time = plan.x
        self.days = _days(frame[self.time.key], self.time.unit) if self.time else []
        ids = ((name, _named(columns, name)) for name in ("workspace_id", "agent_id"))
        self._ids = {name: each for name, each in ids if each and each.unit == "text"}
        if self._ids:
            both = (self._ids.get(name) for name in ("workspace_id", "agent_id"))
            values = [frame[each.key] if each else ["(all)"] * frame.height for each in both]
            self.made["member"] = coded([f"{of}\n{id_}" for of, id_ in zip(*values, strict=True)])

    def by(self, column: OwnColumn) -> tuple[str, ...]:
        """Return the names by which rows of one value of a column are told."""
        name = _IDS.get(column.name.lower(), column.name.lower())
        if column is self.time:
            return ("date",)
        if name in self._ids:
            return ("agent_id", *(self._ids.keys() - {name})) if name == "agent_id" else (name,)
        self.made[column.key] = _texts(self._frame[column.key])
        return (column.key,)

    def add(self, column: OwnColumn) -> str:
        """Add a column; return its expression, empty for a name that an identifier brings."""
        key, unit, values = column.key, column.unit, self._frame[column.key]
        name, label = column.name.lower(), names.display(column.label).replace("|", "\u00a6")
        if _IDS.get(name) in self._ids:
            return ""
        if self._ids.get(name) is column:
            self.made[name] = coded(values.to_list())
            return f"{name}|name|{default_label(name)}"
        if column is self.time:
            self.made["date"] = coded(self.days)
            return f"date|{unit}|{label}"
        if unit in ("day", "month", "instant", "text"):
            form = {"instant": _INSTANT, "text": None}.get(unit, _DAY)
            if form and not all(each is None or form.match(each) for each in values):
                unit = "text"  # such as infinity
            self.made[key] = _texts(values)
            return f"{key}|{unit}|{label}"
        self.made[_value(column)] = _numbers(values, _SCALES.get(unit))
        return f"{self._expression(column)}|{label}"

    def draw(self, plan: Plan) -> tuple[Draw, ...]:
        """Return what a chart draws: values of one unit as lines of one panel, columns of two."""
        draws, panel = [], 1
        units = [_unit_of(*each) for each in plan.values]
        for number, (part, base) in enumerate(plan.values):
            if number and (plan.mark == "column" or units[number] != units[number - 1]):
                panel += 1
            value = self._quotient(number, part, base) if base else self._expression(part)
            label = f"{part.label} per {base.label.lower()}" if base else part.label
            hue = "cost" if len(units) == 1 else f"hue-{number % 5 + 1}"
            draws.append(
                Draw(
                    value=value,
                    name=escape(names.display(label), quote=False),
                    colour="failure" if plan.mark == "interval" else hue,
                    panel=panel,
                )
            )
        return tuple(draws)

    def _expression(self, column: OwnColumn) -> str:
        if column.unit != "share":
            return f"{_value(column)}|{column.unit}"
        self.made[f"{column.key}_per"] = [10**_PLACES] * self._frame.height
        return f"{_value(column)}/{column.key}_per|percent"

    def _quotient(self, number: int, part: OwnColumn, base: OwnColumn) -> str:
        """Add the parts of a quotient, of the rows that know both; return its expression."""
        unit = _unit_of(part, base)
        if unit == "percent" and _sum(self._frame[part.key]) > _sum(self._frame[base.key]):
            unit = "number"
        unit = "rate" if self._mark == "interval" else unit
        is_whole = base.kind == "whole" and (part.kind == "whole" or unit == "each")
        more = 0 if is_whole else _PLACES  # of both: it cancels out
        of = _numbers(self._frame[part.key], more + (_PLACES if unit == "each" else 0))
        per = _numbers(self._frame[base.key], more)
        known = [None not in both for both in zip(of, per, strict=True)]
        if missing := known.count(False):
            self.left_out = f"Without {numbers.plural(missing, 'row')} of an unknown part."
        for name, values in (("count", of), ("per_count", per)):
            kept = [
                each if is_known else None for each, is_known in zip(values, known, strict=True)
            ]
            self.made[f"y{number}_{name}"] = kept
        return f"y{number}_count/y{number}_per_count|{unit}"


def _value(column: OwnColumn) -> str:
    """Return the engine's name of a number; by its end it tells those that can be added up."""
    return f"{column.key}_{'share' if column.unit == 'share' else 'count'}"


def _named(columns: Iterable[OwnColumn], name: str) -> OwnColumn | None:
    """Return the first column of this name; SQL does not tell capitals from small letters."""
    return next((each for each in columns if each.name.lower() == name.lower()), None)


def _column(key: str, name: str, sql_type: str) -> OwnColumn:
    aggregated = _AGGREGATE.fullmatch(name)
    word = (aggregated[1] if aggregated else name).lower()
    is_day = sql_type.startswith("TIMESTAMP") and name.lower() in ("date", "month")
    kind = _kind(sql_type)
    shown = names.shortened(names.visible(name), _LONGEST_LABEL) if name.strip() else "(no name)"
    unit = _unit(word, kind)
    if is_day or sql_type == "DATE":  # the query for pages casts the one to the other
        unit = "month" if word.endswith("month") else "day"
    elif sql_type == "TIMESTAMP WITH TIME ZONE":
        unit = "instant"
    return OwnColumn(key, name, kind, unit, default_label(shown) or shown)


def _kind(sql_type: str) -> Kind:
    if sql_type.removeprefix("U") in _WHOLE or sql_type.endswith(",0)"):
        return "whole"
    if sql_type.startswith("DECIMAL") and sql_type.endswith(")"):
        return "decimal"
    return "float" if sql_type in ("FLOAT", "DOUBLE") else ""


def _unit(name: str, kind: Kind) -> str:
    """Return the unit of a number by its name, as far as its type can have it."""
    if not kind or (kind == "whole" and (name == "year" or name.endswith("_id"))):
        return "text"
    measure = measures().get(name)
    if (measure and measure.unit == "share") or name.endswith(("_rate", "_share")):
        return "share"
    unit = default_unit(name)
    if unit in ("usd", "milliseconds", "seconds"):
        return unit
    if kind != "whole":
        return "decimal"
    return "tokens" if name.startswith("tokens_") else "count"


def _unit_of(part: OwnColumn, base: OwnColumn | None) -> str:
    """Return the unit of a y; a quotient of two of one unit is a share."""
    if base is None:
        return part.unit
    if part.unit == base.unit:
        return "percent"
    return _KEPT.get(part.unit, "number") if base.unit in ("count", "decimal") else "number"


def _numbers(values: Iterable[Any], scale: int | None) -> list[object]:
    """Return numbers as JSON holds them: whole ones of 10^-scale, or as they are."""
    amounts = [None if each is None else Decimal(str(each)) for each in values]
    known = [each if each is not None and each.is_finite() else None for each in amounts]
    if scale is None:
        return [each if each is None else float(each) for each in known]
    whole = (each and each.scaleb(scale).to_integral_value(ROUND_HALF_EVEN) for each in known)
    found = (each if each is None else int(each) for each in whole)
    return [str(each) if each and abs(each) >= _LARGEST else each for each in found]


def _days(values: Iterable[str | None], unit: str) -> list[str | None]:
    """Return days, of months the first ones; what is no day, such as infinity, is unknown."""
    days = (each if each and _DAY.match(each) else None for each in values)
    return [f"{each[:7]}-01" if each and unit == "month" else each for each in days]


def _texts(values: Iterable[Any]) -> dict[str, object]:
    return coded([None if each is None else _shown(each) for each in values])


def _sum(values: pl.Series) -> float:
    return float(values.cast(pl.Float64).sum())


def _shown(value: Any) -> str:
    return names.shortened(names.visible(str(value)), _LONGEST_TEXT)


def _written(value: Any, unit: str) -> str:
    """Return a value in words, whole as far as a DECIMAL could hold it."""
    if value is None or unit not in {*_SCALES, *_KEPT}:
        return numbers.UNKNOWN if value is None else _shown(value)
    amount = Decimal(str(value))
    if not amount.is_finite() or abs(amount) >= _LARGEST_WRITTEN:
        return numbers.UNKNOWN
    if unit == "share":
        return numbers.percent(amount, Decimal(1))
    unit = {"usd": "usd_headline", "decimal": "number"}.get(unit, unit)
    return text.figure("value", unit, {"value": int(amount) if unit == "tokens" else amount})
