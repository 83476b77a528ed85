"""Tables that need no choice: rows of a relation as HTML, each figure in its unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from markupsafe import Markup, escape

from analytics.format import names, numbers, text
from analytics.format.names import ALL, NONE
from analytics.report import drawings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analytics.report.columns import Column
    from analytics.report.entities import Entity

Row: TypeAlias = "Mapping[str, Any]"
Layout: TypeAlias = "tuple[tuple[str, str], ...]"
Named: TypeAlias = "Mapping[tuple[Any, ...], Entity]"

_STATES = {
    "✓": "passed,booked,matched,accepted,reconciled,complete,closed,final,within,on_track",
    "✕": "failed,differs,unreconciled,exceeded,never published",
    "◔": "open,pending,not invoiced,preview,provisional,incomplete,at_risk,will_be_exceeded,"
    "could not run,behind",
}
_SIGNS = {state: sign for sign, states in _STATES.items() for state in states.split(",")}
_HALF_CENT = Decimal("0.005")
_REMEMBERED = 1_000  # days and months stand on many pages


class Tables:
    """Writes tables for pages whose way to the site's folder is `root`; without one, no link.

    `lines` are workspaces and lines, by both, and `months` by workspace and month.
    """

    def __init__(self, lines: Named, months: Named, root: str | None) -> None:
        self._lines, self._months, self._root = lines, months, root

    def table(
        self,
        key: str,
        caption: str,
        columns: Sequence[Column],
        rows: Sequence[Row],
        *,
        total: Row | None = None,
        limit: int = 0,
        relation: str = "",
        is_unseen: bool = False,
        is_slim: bool = False,
    ) -> Markup:
        """Return a table of the rows, the first `limit` of them if it is not 0.

        `total` has the sums of all rows, and of those that are none of the table's; `relation` is
        where rows stand that are not shown. An `is_unseen` caption is for readers of screens alone.
        Of a slim one a phone shows the first and the last column.
        """
        shown = rows[:limit] if limit else rows
        head, layout = _layout(tuple(columns))
        tops = [_top(rows, each) for each in columns]
        body = "".join(
            _tr(layout, [self._cell(row, *each) for each in zip(columns, tops, strict=True)])
            for row in shown
        )
        look = ' class="slim"' if is_slim else ""
        foot = "" if total is None else self._total(rows, total, columns, layout)
        if len(shown) < len(rows):
            more = f"{len(rows) - len(shown):,} more" + f" in {relation}" * bool(relation)
            foot = f'<tr><th scope="row" colspan="{len(columns)}">{more}</th></tr>{foot}'
        if foot:
            foot = f"<tfoot>{foot}</tfoot>"
        return Markup(  # noqa: S704 - every text in it is escaped
            f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{key}-caption">'
            f'<table id="{key}-table"{look} data-sortable>'
            f'<caption id="{key}-caption"{" class=unseen" * is_unseen}>'
            f"<span>{escape(caption)}</span></caption>"
            f"{head}<tbody>{body}</tbody>{foot}</table></div>"
        )

    def name_of(self, row: Row) -> str:
        """Return the name of the line that a row is of, set apart for a sentence."""
        entity = self._lines.get((row.get("workspace_id", ""), row.get("agent_id", "")))
        return names.in_sentence(entity.name if entity else str(row.get("agent_id")))

    def _total(
        self,
        rows: Sequence[Row],
        total: Row,
        columns: Sequence[Column],
        layout: Layout,
    ) -> str:
        """Return the line of the total, and above it what printed amounts lack to it, if any do."""
        figures = [
            ("", "") if each.kind else self._cell(_of_same_rows(rows, total, each), each)
            for each in columns[1:]
        ]
        line = _tr(layout, [("", "Total"), *figures])
        if rest := rounding_of(columns[1:], rows, total):
            cells = [
                self._cell(rest, each) if each.expression in rest else ("", "")
                for each in columns[1:]
            ]
            line = _tr(layout, [("", "Rounding"), *cells]) + line
        return line

    def _cell(self, row: Row, column: Column, top: float = 0) -> tuple[str, str]:
        """Return a cell's attribute of the exact value, and its content.

        A rate of the unit `interval` is drawn, too, up to `top`.
        """
        if column.unit == "of_unit":
            column = replace(column, unit="usd" if row["unit"] == "usd" else "number")
        if column.kind:
            value = row[column.expression]
            is_in_order = not isinstance(value, date | int)  # of texts
            exact = None if is_in_order else text.plain(column.expression, column.unit, row)
            return _exact(exact), self._text(row, column)
        unit = "rate" if column.unit == "interval" else column.unit
        shown = text.figure(column.expression, unit, row)
        exact = text.plain(column.expression, unit, row)
        failed, finished = (row[name] for name in column.figures) if top else (0, 0)
        drawn = drawings.interval(failed, finished, top) if finished else ""
        return _exact(None if exact == shown else exact), f"{drawn}{shown}"

    def _text(self, row: Row, column: Column) -> str:
        value, unit = row[column.expression], column.unit
        if unit in {"agent", "agent_name", "workspace", "workspace_month"}:
            return self._link(row, unit, value)
        if unit == "bullet":
            return drawings.bullet(row)
        if unit == "effect":
            return drawings.effect(value)
        if unit == "state":
            return _state(value or "")
        if value is None or unit not in {"name", "text", "prose", "run"}:
            shown = _words(column.expression, unit, value)
            return self._month(row, value, shown) if unit == "month" else shown
        if unit == "name" and value == NONE:  # as the engine names it
            return f"no {column.expression.replace('_', ' ').removesuffix(' name')}"
        shown = (names.display if unit == "name" else names.visible)(str(value))
        if unit == "prose":
            shown = names.capitalized(shown)
        shown = f"<bdi>{escape(shown)}</bdi>"
        return f'<a href="#run={quote(value)}">{shown}</a>' if unit == "run" else shown

    def _month(self, row: Row, month: object, shown: str) -> str:
        """Return a month as a link to its page if it has one."""
        entity = self._months.get((row.get("workspace_id"), month))
        if entity is None or self._root is None:
            return shown
        return f'<a href="{self._root}{entity.path}">{shown}</a>'

    def _link(self, row: Row, unit: str, value: str) -> str:
        is_workspace = unit.startswith("workspace")
        key = (value, ALL) if is_workspace else (row["workspace_id"], row["agent_id"])
        if (entity := self._lines.get(key)) is None:
            return str(escape(names.display(key[-1])))
        name = f"<bdi>{escape(entity.name)}</bdi>"
        if unit == "agent_name" or not entity.path or self._root is None:
            return name
        if unit == "workspace_month":
            entity = self._months.get((value, row["month"]), entity)
        return f'<a href="{self._root}{entity.path}">{name}</a>'


def _top(rows: Sequence[Row], column: Column) -> float:
    """Return the highest bound of the intervals that a column draws, 0 of other columns."""
    if column.unit != "interval":
        return 0
    counts = [[row[name] for name in column.figures] for row in rows]
    return max((numbers.wilson_interval(*each)[1] for each in counts if each[1]), default=0)


def _exact(value: str | None) -> str:
    """Return the attribute of an exact value, by which scripts sort."""
    return "" if value is None else f' data-v="{value}"'


@lru_cache(_REMEMBERED)
def _words(name: str, unit: str, value: object) -> str:
    """Return a date or another figure that is shown as words."""
    return str(escape(text.figure(name, unit, {name: value})))


@lru_cache(_REMEMBERED)
def _state(value: str) -> str:
    shown = names.visible(value.replace("_", " "))
    return f"{_SIGNS.get(value, '')} {escape(shown)}".strip()


def sums(rows: Iterable[Row], columns: Iterable[Column]) -> dict[str, Any]:
    """Return the sum of each number that the columns name; None where no row has a value."""
    wanted = {name for each in columns if not each.kind for name in each.figures}
    totals: dict[str, Any] = dict.fromkeys(wanted)
    for row in rows:
        for name in wanted:
            if (value := row.get(name)) is not None:
                known = totals[name]
                totals[name] = value if known is None else known + value
    return totals


def rounding_of(columns: Iterable[Column], rows: Sequence[Row], total: Row) -> dict[str, Decimal]:
    """Return what the printed amounts of each column lack to its printed total, if they lack any.

    A figure of two, such as a change, is no amount that adds up.
    """
    names = [each.expression for each in columns if each.unit in {"usd", "usd_signed"}]
    return {
        name: rest
        for name in names
        if name in total
        and (rest := numbers.rounding([row.get(name) for row in rows], total[name]))
    }


def slim(
    columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]
) -> tuple[list[Column], list[dict[str, Any]]]:
    """Return the columns that are not all zero, and the last one; and the rows from a cent on."""
    money = [each.expression for each in columns if each.unit.startswith("usd")]

    def is_seen(row: Mapping[str, Any], name: str) -> bool:
        return bool(abs(row[name] or 0) >= (_HALF_CENT if name in money else 1))

    wide = [
        each
        for each in columns
        if each.kind or each is columns[-1] or any(is_seen(row, each.figures[0]) for row in rows)
    ]
    return wide, [
        dict(row)
        for row in rows
        if not money or any(row[name] is None or is_seen(row, name) for name in money)
    ]


def _of_same_rows(rows: Iterable[Row], total: Row, column: Column) -> Row:
    """Return the sums; unknown for a column of two figures of which a row knows only one.

    A change or a rate of sums that are not of the same rows would be of nothing.
    """
    both = column.expression.split("/")
    if any(len({row.get(name) is None for name in both}) > 1 for row in rows):
        return {**total, **dict.fromkeys(both)}
    return total


@cache
def _layout(columns: tuple[Column, ...]) -> tuple[str, Layout]:
    """Return what all rows share: the head, and the tags of each cell."""
    classes = [f"{each.kind} prose" if each.unit == "prose" else each.kind for each in columns]
    kinds = [f' class="{each}"' if each else "" for each in classes]
    heads = "".join(
        f'<th scope="col"{kind}>{escape(each.label)}</th>'
        for kind, each in zip(kinds, columns, strict=True)
    )
    first, *others = kinds
    cells = ((f'<th scope="row"{first}', "</th>"), *((f"<td{kind}", "</td>") for kind in others))
    return f"<thead><tr>{heads}</tr></thead>", cells


def _tr(layout: Layout, cells: Sequence[tuple[str, str]]) -> str:
    made = [
        f"{begin}{exact}>{content}{end}"
        for (begin, end), (exact, content) in zip(layout, cells, strict=True)
    ]
    return f"<tr>{''.join(made)}</tr>"
