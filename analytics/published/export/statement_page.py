"""The statement of a month as one HTML file: to read on a screen, and to print on A4."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from analytics import __version__
from analytics.files import folder
from analytics.format import names, numbers, text
from analytics.published.export.journal import exported
from analytics.published.export.month_end import ROUNDED, sums, without_bill
from analytics.published.export.month_tables import (
    ACCRUALS,
    ADJUSTMENTS,
    BILL_CHANGES,
    BOOKINGS,
    BUDGETS,
    COST_CENTERS,
    INVOICES,
    LINES,
)
from analytics.report import drawings
from analytics.report.rendering import environment
from analytics.report.tables import rounding_of
from analytics.transform.measures import measures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analytics.published.export.month_end import MonthEnd, Row
    from analytics.published.export.month_tables import Table
    from analytics.report.columns import Column

_MARGIN = """
@page {{ @top-left {{ content: "{title}"; }} @top-right {{ content: "{state}";
  font: 8pt system-ui, Arial, sans-serif; color: #55606b; }} }}
"""
_TERMS = ("billed_usd", "surcharge_usd", "own_key_usd", "metered_cost_usd", "failure_rate")
_ROUNDING = (
    "Each amount is rounded by itself, half to even, from exact decimals. Where the printed "
    "amounts of a sum do not add up to its printed total, Rounding is the difference. "
    "<$0.01 is an amount that is not zero. lines.csv has every digit."
)
_CARRIED = (
    "The journal is in whole cents. What rounding leaves at an account and cost center is carried "
    "forward until it is a cent, and booked then."
)
_OWN_KEY = (
    "Own-key cost is not in the journal, since finance/accounts.toml names no account "
    "provider_payable."
)


@dataclass(frozen=True)
class _Line:
    """A row as it is printed; `kind` sets it apart: subtotal, rounding or grand (total)."""

    cells: Sequence[str]
    kind: str = ""


def statement_page(month_end: MonthEnd) -> str:
    """Return the statement as HTML that needs no other file and runs no script."""
    title = f"Statement of cost, {month_end.words}"
    style = "".join(
        (folder("reports") / "assets" / name).read_text(encoding="utf-8")
        for name in ("style.css", "statement.css")
    ) + _MARGIN.format(title=title, state=month_end.state)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    components: Any = environment().get_template("components.html").module
    return environment().get_template("statement.html").render(
        title=title,
        policy=Markup(  # noqa: S704 - its quotes are single ones
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
            " base-uri 'none'; form-action 'none'"
        ),
        style=Markup(style),  # noqa: S704 - our own files
        facts=month_end.facts,
        headlines=components.headlines(list(_headlines(month_end))),
        equation=_equation(month_end.total),
        sections=list(_sections(month_end)),
        terms={measures()[name].label: measures()[name].meaning for name in _TERMS}
        | {"Rounding": _ROUNDING, "Carried forward": _CARRIED},
        footer=f"Levain analytics {__version__} · data to {month_end.facts['Data cut-off']}",
    )  # fmt: skip


def _headlines(month_end: MonthEnd) -> Iterator[dict[str, Any]]:
    """Yield what there is to book, and its parts."""
    values = {
        "Billed": month_end.total["billed_usd"],
        "Adjustments of earlier months": month_end.adjustments["billed_usd"],
        "Total to book": month_end.to_book["billed_usd"],
        "Accrued, not invoiced": sum(month_end.tables[ACCRUALS.name]["accrual_usd"], Decimal(0)),
        "Own-key cost, payable to providers": month_end.to_book["own_key_usd"],
    }
    billed, adjusted, to_book, *_ = values.values()
    notes = {}
    if rest := numbers.rounding([billed, adjusted], to_book):
        notes["Total to book"] = (f"rounding {numbers.usd_signed(rest)}",)
    if month_end.is_own_key_unbooked:
        notes["Own-key cost, payable to providers"] = ("not in the journal",)
    for label, value in values.items():
        yield {
            "label": label, "value": numbers.usd(value), "change": "",
            "notes": notes.get(label, ()),
        }  # fmt: skip


def _equation(total: Row) -> str:
    """Return how the totals lead to the bill; what is more than rounding has no bill."""
    left = ""
    if rest := without_bill(total):
        what = "rounding" if abs(rest) <= ROUNDED else "usage of unknown bill"
        left = f" {'+' if rest > 0 else numbers.MINUS} {what} {numbers.usd(abs(rest))}"
    return text.fill(
        "Metered cost {metered_cost_usd|usd} + surcharge {surcharge_usd|usd} \u2212 own-key cost"
        f" {{own_key_usd|usd}}{left} = billed {{billed_usd|usd}}.",
        total,
    )


def _sections(month_end: MonthEnd) -> Iterator[dict[str, Any]]:
    yield _section(LINES, _lines(month_end) if month_end.blocks else None)
    rows = month_end.tables[BOOKINGS.name].to_dicts()
    said = _OWN_KEY if month_end.is_own_key_unbooked and rows else None
    yield _section(BOOKINGS, _bookings(month_end, rows) if rows else None, said)
    for table in (COST_CENTERS, INVOICES, ACCRUALS, ADJUSTMENTS, BUDGETS, BILL_CHANGES):
        if rows := month_end.tables[table.name].to_dicts():
            yield _section(table, _table(table, rows))


def _section(
    table: Table, printed: dict[str, Any] | None, said: str | None = None
) -> dict[str, Any]:
    """Return a section; one without rows says so."""
    said = table.empty if said is None and printed is None else said
    return {
        "key": table.name.replace("_", "-"),
        "title": table.title,
        "text": said,
        "table": printed,
    }


def _lines(month_end: MonthEnd) -> dict[str, Any]:
    """Return the lines with a subtotal for each workspace, if there are several, and the total."""
    columns, total = LINES.columns, month_end.total
    bodies = []
    is_one = len(month_end.blocks) == 1
    for block in month_end.blocks:
        rows = [_line(each, columns) for each in block.lines]
        if not is_one:
            rows += _foot(columns, block.lines, block.subtotal, f"Total {block.name}", "subtotal")
        bodies.append({"name": names.display(block.name), "rows": rows})
    parts = month_end.blocks[0].lines if is_one else [each.subtotal for each in month_end.blocks]
    foot = _foot(columns, parts, total, f"Total {month_end.words}", "grand")
    adjusted = {"agent_name": "Adjustments of earlier months", **month_end.adjustments}
    both = [{name: total[name] for name in month_end.adjustments}, month_end.adjustments]
    foot.append(_line(adjusted, columns))
    foot += _foot(columns, both, month_end.to_book, "Total to book", "grand")
    return {"heads": columns, "bodies": bodies, "foot": foot}


def _table(table: Table, rows: Sequence[Row]) -> dict[str, Any]:
    columns = table.columns
    foot = _foot(columns, rows, sums(rows, table.sums), "Total", "grand") if table.sums else []
    lines = [_line(row, columns) for row in rows]
    return {"heads": columns, "bodies": [{"name": "", "rows": lines}], "foot": foot}


def _bookings(month_end: MonthEnd, rows: Sequence[Row]) -> dict[str, Any]:
    """Return what to book, and how its expense, in whole cents, leads to the total to book."""
    made = _table(BOOKINGS, rows)
    to_book = month_end.to_book["billed_usd"]
    if to_book is not None and month_end.journal:
        amounts = (
            line.amount
            for entry in exported(month_end.journal)
            for line in entry.lines
            if line.role == "expense"
        )
        expense = sum(amounts, Decimal(0))
        lines = {"Of it expense, debit less credit": expense}
        if rest := numbers.rounding([expense], to_book):
            lines["Carried forward"] = rest
        lines["Total to book"] = to_book
        for label, amount in lines.items():
            kind = "grand" if label == "Total to book" else "rounding"
            made["foot"].append(
                _line({"account": label, "debit_usd": amount}, BOOKINGS.columns, kind)
            )
    return made


def _foot(
    columns: Sequence[Column], parts: Sequence[Row], total: Row, label: str, kind: str
) -> list[_Line]:
    """Return the line of a total, and above it how far the rounded parts are from it."""
    shown = {columns[0].expression: label, **total}
    foot = [_line(shown, columns, kind)]
    if rest := rounding_of(columns[1:], parts, total):
        cells = {columns[0].expression: "Rounding", **rest}
        foot.insert(0, _line(cells, columns, "rounding"))
    return foot


def _line(row: Mapping[str, Any], columns: Sequence[Column], kind: str = "") -> _Line:
    return _Line([_cell(row, each) for each in columns], kind)


def _cell(row: Mapping[str, Any], column: Column) -> str:
    """Return a figure in its unit; a name as it is displayed; nothing where the row has none."""
    if column.figures[0] not in row:
        return ""
    if column.unit == "effect":
        return drawings.effect(row[column.expression])
    value = row[column.expression] if column.kind else None
    if column.kind in {"name", "text"} and isinstance(value, str) and column.unit != "words":
        shown = names.visible(value) if column.unit == "prose" else value and names.display(value)
        return names.capitalized(shown) if column.unit == "prose" else shown
    if column.kind and value is None:
        return ""
    return text.figure(column.expression, column.unit, row)
