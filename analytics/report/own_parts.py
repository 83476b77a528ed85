"""Pages of one's own: the answer of a SELECT as an ordinary part, and its rows for the engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from difflib import get_close_matches
from html import escape
from typing import Any

import polars as pl

from analytics.bounded.runner import Answer
from analytics.format import names, numbers, text
from analytics.project.pages import Chart
from analytics.report.columns import default_label, default_unit
from analytics.report.months import coded, readable
from analytics.report.spec import Draw, Part
from analytics.transform.measures import measures

_SHOWN_NAMES = 30  # bars of a chart; the others are one
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_AGGREGATE = re.compile(r"(?:sum|min|max|avg|median|any_value)\((?:\w+\.)*(\w+)\)", re.IGNORECASE)
_DAY, _INSTANT = (re.compile(rf"\d{{4}}-\d\d-\d\d{end}") for end in ("$", "T"))
_PLACES = 10
_SCALES = {"usd": _PLACES, "share": _PLACES, "decimal": _PLACES, "count": 0, "tokens": 0}
"""The power of ten in which the engine has a number: it adds whole ones alone exactly."""
_KEPT = {"usd": "each", "tokens": "tokens", "milliseconds": "milliseconds", "seconds": "seconds"}
"""The unit that a number keeps when it is divided by a count."""
_NUMBERS = {*_SCALES, *_KEPT}
_LARGEST_WRITTEN = 10**38  # as many digits as a DECIMAL has
_LONGEST_LABEL, _LONGEST_TEXT = 60, 1_000
_IDS = {"agent_name": "agent_id", "workspace_name": "workspace_id"}


@dataclass(frozen=True)
class OwnColumn:
    """A column of an answer, which `key` names in the frame.

    Exact numbers but shares are added up. The engine knows these by the end of their name.
    """

    key: str
    name: str
    unit: str
    label: str
    is_whole: bool
    is_added: bool

    @property
    def figure(self) -> str:
        """The engine's name of a number."""
        return f"{self.key}_{'count' if self.is_added else 'value'}"

    @property
    def is_time(self) -> bool:
        """True of days and months."""
        return self.unit in ("day", "month")


class ChartError(Exception):
    """A chart that cannot be drawn, in one line with file and line."""


def columns_of(declared: Iterable[tuple[str, str]]) -> list[OwnColumn]:
    """Return the columns of an answer from their names and types."""
    return [_column(f"c{number}", *each) for number, each in enumerate(declared)]


def chosen(
    chart: Chart, columns: Sequence[OwnColumn], frame: pl.DataFrame | None = None
) -> dict[str, OwnColumn]:
    """Return the columns that a chart shows, by their names in it; ChartError if it cannot.

    Rows of one mark, where there are rows, must be ones that can be added up.
    """
    drawn, place = chart.drawn, f"{chart.query.file}:{chart.line}"
    known = {name: column for name in drawn.columns if (column := _named(columns, name))}
    for name in drawn.columns:
        if name not in known:
            similar = get_close_matches(name, [each.name for each in columns], 1)
            hint = f"did you mean `{similar[0]}`?" if similar else "the SELECT has no such column"
            raise ChartError(f"{place}: there is no column `{name}`: {hint}")
    ys = [known[name] for y in drawn.y for name in y]
    problems = [
        f"y `{each.name}` is no number, but {each.unit}" for each in ys if each.unit not in _NUMBERS
    ]
    if drawn.mark == "interval":
        problems += [
            f"an interval is of whole numbers, and `{each.name}` is not whole"
            for each in ys
            if not each.is_whole
        ]
    if drawn.x and not known[drawn.x].is_time:
        if drawn.mark in ("column", "line"):
            problems.append(f"x of a `{drawn.mark}` is a day or a month: write `bar`")
        if chart.lines:
            problems.append(f"a `line` marks a day, and x `{drawn.x}` is no date")
        if len({_unit_of(*each) for each in _values_of(chart, known)}) > 1:
            problems.append("its y have different units: write a SELECT for each")
    keys = [known[name] for name in (drawn.x, drawn.by) if name]
    unadded = [each.name for each in ys if not each.is_added]
    if unadded and frame is not None and frame[[each.key for each in keys]].is_duplicated().any():
        problems.append(
            f"several rows have the same {' and '.join(each.name for each in keys)}, and such as"
            f" `{unadded[0]}` are not added up: group them in SQL, or write y a/b"
        )
    if problems:
        raise ChartError(f"{place}: {problems[0]}")
    return known


def _values_of(
    chart: Chart, known: Mapping[str, OwnColumn]
) -> list[tuple[OwnColumn, OwnColumn | None]]:
    """Return what a chart draws: columns, and quotients of two."""
    return [(known[y[0]], known[y[1]] if y[1:] else None) for y in chart.drawn.y]


def look_of(chart: Chart) -> dict[str, Any]:
    """Return the layout that a chart declares; ChartError if it may not."""
    if chart.look is None:
        return {}
    from analytics.report.looks import LookError, own_look  # of Plotly, which few need

    line, declared = chart.look
    try:
        return own_look(declared)
    except LookError as error:
        raise ChartError(f"{chart.query.file}:{line}: {error}") from None


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
    columns = columns_of(answer.columns)
    known, drawn = chosen(chart, columns, answer.frame), chart.drawn
    rows = _Rows(columns, known.get(drawn.x), answer.frame)
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
    if known:
        x = known[drawn.x]
        mark: Any = "column" if drawn.mark == "bar" and x.is_time else drawn.mark
        part.mark, part.by = mark, rows.by(x)
        part.draw = rows.draw(mark, _values_of(chart, known))
        if by := known.get(drawn.by):
            part.stack = rows.by(by)[:1]
            part.order = f"-{re.split('[/|]', part.draw[0].value)[0]}"
        part.panels = tuple(each.name for each in part.draw)
        part.limit, part.subtitle, part.look = _SHOWN_NAMES, rows.left_out, look_of(chart)
        part.lines = tuple((f"{day}", names.display(words)) for day, words in chart.lines)
    return part, rows.made


class _Rows:
    """The rows of an answer by column, as the engine names them.

    `date` and `member` are those by which rows follow a choice.
    """

    def __init__(self, columns: Sequence[OwnColumn], x: OwnColumn | None, frame: pl.DataFrame):
        self.made: dict[str, object] = {}
        self.left_out, self._frame = "", frame
        days = [x, *(_named(columns, name) for name in ("date", "month"))]
        self.time = next((each for each in days if each and each.is_time), None)
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
        self.made[column.figure] = _numbers(values, _SCALES.get(unit))
        return f"{self._expression(column)}|{label}"

    def draw(
        self, mark: str, values: Sequence[tuple[OwnColumn, OwnColumn | None]]
    ) -> tuple[Draw, ...]:
        """Return what a chart draws: values of one unit as lines of one panel, columns of two."""
        draws, panel = [], 1
        units = [_unit_of(*each) for each in values]
        for number, (part, base) in enumerate(values):
            if number and (mark == "column" or units[number] != units[number - 1]):
                panel += 1
            value = self._quotient(number, part, base, mark) if base else self._expression(part)
            label = f"{part.label} per {base.label.lower()}" if base else part.label
            hue = "cost" if len(units) == 1 else f"hue-{number % 5 + 1}"
            draws.append(
                Draw(
                    value=value,
                    name=escape(names.display(label), quote=False),
                    colour="failure" if mark == "interval" else hue,
                    panel=panel,
                )
            )
        return tuple(draws)

    def _expression(self, column: OwnColumn) -> str:
        if column.unit != "share":
            return f"{column.figure}|{column.unit}"
        self.made[f"{column.key}_per"] = [10**_PLACES] * self._frame.height
        return f"{column.figure}/{column.key}_per|percent"

    def _quotient(self, number: int, part: OwnColumn, base: OwnColumn, mark: str) -> str:
        """Add the parts of a quotient, of the rows that know both; return its expression."""
        unit = _unit_of(part, base)
        if unit == "percent" and _sum(self._frame[part.key]) > _sum(self._frame[base.key]):
            unit = "number"
        unit = "rate" if mark == "interval" else unit
        is_whole = base.is_whole and (part.is_whole or unit == "each")
        more = 0 if is_whole else _PLACES  # of both: it cancels out
        of = _numbers(self._frame[part.key], more + (_PLACES if unit == "each" else 0))
        per = _numbers(self._frame[base.key], more)
        pairs = [(None, None) if None in each else each for each in zip(of, per, strict=True)]
        if missing := pairs.count((None, None)):
            self.left_out = f"Without {numbers.plural(missing, 'row')} of an unknown part."
        self.made[f"y{number}_count"] = [each for each, _ in pairs]
        self.made[f"y{number}_per_count"] = [each for _, each in pairs]
        return f"y{number}_count/y{number}_per_count|{unit}"


def _named(columns: Iterable[OwnColumn], name: str) -> OwnColumn | None:
    """Return the first column of this name; SQL does not tell capitals from small letters."""
    return next((each for each in columns if each.name.lower() == name.lower()), None)


def _column(key: str, name: str, sql_type: str) -> OwnColumn:
    aggregated = _AGGREGATE.fullmatch(name)
    word = (aggregated[1] if aggregated else name).lower()
    is_day = sql_type.startswith("TIMESTAMP") and name.lower() in ("date", "month")
    is_whole = sql_type.removeprefix("U") in _WHOLE or sql_type.endswith(",0)")
    is_exact = is_whole or (sql_type.startswith("DECIMAL") and sql_type.endswith(")"))
    unit = "text"
    if is_day or sql_type == "DATE":  # the query for pages casts the one to the other
        unit = "month" if word.endswith("month") else "day"
    elif sql_type == "TIMESTAMP WITH TIME ZONE":
        unit = "instant"
    elif is_exact or sql_type in ("FLOAT", "DOUBLE"):
        unit = _unit(word, is_whole)
    shown = names.shortened(names.visible(name), _LONGEST_LABEL) if name.strip() else "(no name)"
    label = default_label(shown) or shown
    return OwnColumn(key, name, unit, label, is_whole, is_exact and unit != "share")


def _unit(name: str, is_whole: bool) -> str:
    """Return the unit of a number by its name, as far as its type can have it."""
    if is_whole and (name == "year" or name.endswith("_id")):
        return "text"
    measure = measures().get(name)
    if (measure and measure.unit == "share") or name.endswith(("_rate", "_share")):
        return "share"
    unit = default_unit(name)
    if unit in ("usd", "milliseconds", "seconds"):
        return unit
    if not is_whole:
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
    return readable(each if each is None else int(each) for each in whole)


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
    if value is None or unit not in _NUMBERS:
        return numbers.UNKNOWN if value is None else _shown(value)
    amount = Decimal(str(value))
    if not amount.is_finite() or abs(amount) >= _LARGEST_WRITTEN:
        return numbers.UNKNOWN
    if unit == "share":
        return numbers.percent(amount, Decimal(1))
    unit = {"usd": "usd_headline", "decimal": "number"}.get(unit, unit)
    return text.figure("value", unit, {"value": int(amount) if unit == "tokens" else amount})
