"""Tables that need no choice: rows of a relation as HTML, each figure in its unit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from markupsafe import Markup, escape

from analytics.format import names, text
from analytics.report import drawings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analytics.report.columns import Column
    from analytics.report.entities import Entities, Entity

Row: TypeAlias = "Mapping[str, Any]"

_SIGNS = {
    "passed": "✓",
    "reconciled": "✓",
    "complete": "✓",
    "failed": "✕",
    "unreconciled": "✕",
    "open": "◔",
    "pending": "◔",
    "provisional": "◔",
    "incomplete": "◔",
}
_CARDS_FROM = 4  # columns: fewer fit a phone


class Tables:
    """Writes tables for pages whose way to the site's folder is `root`."""

    def __init__(self, entities: Entities, root: str) -> None:
        self._entities, self._root = entities, root

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
    ) -> Markup:
        """Return a table of the rows, the first `limit` of them if it is not 0.

        `total` has the sums of all rows; `relation` is where those stand that are not shown.
        """
        shown = rows[:limit] if limit else rows
        cards = len(columns) >= _CARDS_FROM
        heads = "".join(_head(each, cards) for each in columns)
        body = "".join(self._row(row, columns, cards) for row in shown)
        foot = "" if total is None else self._total(total, columns, cards)
        if len(shown) < len(rows):
            more = f"{len(rows) - len(shown):,} more in {relation}"
            foot = f'<tr><th scope="row" colspan="{len(columns)}">{more}</th></tr>{foot}'
        if foot:
            foot = f"<tfoot>{foot}</tfoot>"
        return Markup(  # noqa: S704 - every text in it is escaped
            f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{key}-caption">'
            f'<table id="{key}-table"{_CARDS if cards else ""} data-sortable>'
            f'<caption id="{key}-caption"><span>{escape(caption)}</span></caption>'
            f"<thead><tr{_role('row', cards)}>{heads}</tr></thead><tbody>{body}</tbody>"
            f"{foot}</table></div>"
        )

    def name_of(self, row: Row) -> str:
        """Return the name of the line that a row is of, set apart for a sentence."""
        entity = self._entities.by_key.get((row.get("workspace_id", ""), row.get("agent_id", "")))
        return names.in_sentence(entity.name if entity else str(row.get("agent_id")))

    def _row(self, row: Row, columns: Sequence[Column], cards: bool) -> str:
        cells = [self._cell(row, each) for each in columns]
        return _tr(cells, columns, cards)

    def _total(self, total: Row, columns: Sequence[Column], cards: bool) -> str:
        cells = [("", "Total")] + [
            ("", "") if each.kind else self._cell(total, each) for each in columns[1:]
        ]
        return _tr(cells, columns, cards)

    def _cell(self, row: Row, column: Column) -> tuple[str, str]:
        """Return a cell's attribute of the exact value, and its content."""
        if column.unit == "of_unit":
            column = replace(column, unit="usd" if row["unit"] == "usd" else "number")
        if column.kind == "":
            shown = text.figure(column.expression, column.unit, row)
            exact = text.plain(column.expression, column.unit, row)
            return ("" if exact in {None, shown} else f' data-v="{exact}"'), shown
        return self._text(row, column)

    def _text(self, row: Row, column: Column) -> tuple[str, str]:
        value = row[column.expression]
        if column.unit in {"agent", "workspace"}:
            return "", self._link(row, column.unit)
        if column.unit == "run":
            return (
                "",
                f'<a href="#run={quote(value)}"><bdi>{escape(names.visible(value))}</bdi></a>',
            )
        if column.unit == "spark":
            return "", drawings.sparkline(value or [])
        if column.unit == "state":
            word = names.visible(value or "")
            return "", f"{_SIGNS[word]} {word}" if word in _SIGNS else str(escape(word))
        if value is None or column.unit not in {"name", "text", "prose"}:
            shown = text.figure(column.expression, column.unit, row)
        elif column.unit == "name":
            shown = names.display(str(value))
        else:
            shown = names.visible(str(value))
        if column.unit == "prose":
            shown = names.capitalized(shown)
        return "", f"<bdi>{escape(shown)}</bdi>"

    def _link(self, row: Row, unit: str) -> str:
        key = (row["workspace_id"], row["agent_id"] if unit == "agent" else "(all)")
        entity = self._entities.by_key.get(key)
        return link(entity, self._root) if entity else names.display(key[-1])


def link(entity: Entity, root: str) -> str:
    """Return the name of an entity, as a link to its page if it has one."""
    name = f"<bdi>{escape(entity.name)}</bdi>"
    return f'<a href="{root}{entity.path}">{name}</a>' if entity.path else name


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


_CARDS = ' class="cards" role="table"'


def _role(name: str, cards: bool) -> str:
    return f' role="{name}"' if cards else ""


def _head(column: Column, cards: bool) -> str:
    kind = f' class="{column.kind}"' if column.kind else ""
    return f'<th scope="col"{_role("columnheader", cards)}{kind}>{escape(column.label)}</th>'


def _tr(cells: Sequence[tuple[str, str]], columns: Sequence[Column], cards: bool) -> str:
    made = []
    for index, ((exact, content), column) in enumerate(zip(cells, columns, strict=True)):
        kind = f' class="{column.kind}"' if column.kind else ""
        if index == 0:
            made.append(f'<th scope="row"{_role("rowheader", cards)}{kind}{exact}>{content}</th>')
        else:
            head = f' role="cell" data-head="{escape(column.label)}"' if cards else ""
            made.append(f"<td{head}{kind}{exact}>{content}</td>")
    return f"<tr{_role('row', cards)}>{''.join(made)}</tr>"
