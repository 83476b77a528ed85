"""The rows of a query as a table, CSV, JSON or Parquet, with every digit."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import duckdb

from analytics.errors import AnalyticsError, UsageError
from analytics.published.sandbox import usage_errors
from analytics.terminal import visible
from analytics.warehouse.layout import is_of_a_batch

if TYPE_CHECKING:
    from rich.table import Table

SHOWN_ROWS = 200
_NO_WIDTH = 10_000
_BATCH = 10_000


class Format(StrEnum):
    """Output formats."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def write(
    con: duckdb.DuckDBPyConnection,
    query: duckdb.Statement,
    form: Format,
    output: Path | None,
    *,
    expanded: bool | None = None,
) -> None:
    """Write the rows of a query to a file or to standard output; UsageError if it fails.

    `expanded` writes a table as one line for each value; None does so if the table is wider than
    the terminal.
    """
    if expanded and form is not Format.table:
        raise UsageError(f"--expanded is for a table, not for {form}: leave one of them out.")
    if output is None:
        if form is Format.parquet:
            raise UsageError("Parquet is not for a terminal: name a file with --output.")
        with usage_errors():
            _write_text(con.execute(query), sys.stdout, form, expanded)
        return
    with replacing(output) as unfinished, usage_errors():
        if form is Format.parquet:
            _write_parquet(con, query, unfinished)
        else:
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                _write_text(con.execute(query), file, form, expanded)


@contextmanager
def replacing(output: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces `output` when complete; a device is written directly."""
    target = output.resolve()
    require_free(output)
    is_device = target.exists() and not target.is_file()
    unfinished = target if is_device else target.with_name(target.name + ".unfinished")
    try:
        yield unfinished
        if not is_device:
            unfinished.replace(target)
    except OSError as error:
        raise AnalyticsError(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        if not is_device:
            unfinished.unlink(missing_ok=True)


def require_free(output: Path) -> None:
    """Raise UsageError for a path that belongs to the batch, its books or its pages."""
    if is_of_a_batch(output.resolve()):
        raise UsageError(
            f"{output} belongs to the data of the batch, and nothing was written.\n"
            "Name a place outside with --output."
        )


def _columns(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the column names; a repeated name gets a number."""
    names: list[str] = []
    for name, *_ in con.description or []:
        same = sum(1 for other in names if other == name or other.startswith(f"{name}_"))
        names.append(f"{name}_{same + 1}" if name in names else name)
    return names


def _rows(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := con.fetchmany(_BATCH):
        yield from rows


def _write_csv(con: duckdb.DuckDBPyConnection, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_columns(con))
    writer.writerows([as_text(value) for value in row] for row in _rows(con))


def _write_json(con: duckdb.DuckDBPyConnection, out: TextIO) -> None:
    names = _columns(con)
    separator = "["
    for row in _rows(con):
        record = dict(zip(names, map(_plain, row), strict=True))
        out.write(f"{separator}\n{json.dumps(record, ensure_ascii=False, allow_nan=False)}")
        separator = ","
    out.write("[]\n" if separator == "[" else "\n]\n")


def _write_table(con: duckdb.DuckDBPyConnection, out: TextIO, expanded: bool | None) -> None:
    from rich.console import Console
    from rich.text import Text

    names, rows = _columns(con), con.fetchmany(SHOWN_ROWS + 1)
    shown = rows[:SHOWN_ROWS]
    width = None if out.isatty() else _NO_WIDTH
    console = Console(
        file=out, width=width, highlight=False, markup=False, soft_wrap=not out.isatty()
    )
    table = _table(names, shown)
    if expanded is None:
        natural = console.measure(table, options=console.options.update(width=_NO_WIDTH))
        expanded = natural.maximum > console.width
    if expanded and not shown:
        console.print(Text("\n".join(map(visible, names)), style="dim"))
        print("No rows.", file=sys.stderr)
    elif expanded:
        for number, row in enumerate(shown, start=1):
            console.print(f"row {number}", style="bold")
            console.print(_record(names, row))
    else:
        console.print(table)
    if len(rows) > SHOWN_ROWS:
        print(
            f"The first {SHOWN_ROWS} rows are shown; --format csv or json gives all.",
            file=sys.stderr,
        )


def _table(names: list[str], rows: list[tuple[Any, ...]]) -> Table:
    """Return a line for each row."""
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", box=None, pad_edge=False)
    for index, name in enumerate(names):
        is_number = any(isinstance(row[index], int | float | Decimal) for row in rows)
        table.add_column(
            Text(visible(name)), justify="right" if is_number else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(visible(as_text(value))) for value in row))
    return table


def _record(names: list[str], row: tuple[Any, ...]) -> Table:
    """Return a line for each value of a row."""
    from rich.table import Table
    from rich.text import Text

    record = Table.grid(padding=(0, 2, 0, 0))
    record.add_column(overflow="fold", style="dim")
    record.add_column(overflow="fold")
    for name, value in zip(names, row, strict=True):
        record.add_row(Text(visible(name)), Text(visible(as_text(value))))
    return record


def _write_parquet(con: duckdb.DuckDBPyConnection, query: duckdb.Statement, file: Path) -> None:
    import polars
    from polars.exceptions import PanicException

    try:
        polars.DataFrame(con.sql(query)).write_parquet(file)
    except PanicException as error:
        raise UsageError("Parquet has no such type: cast the column to VARCHAR first.") from error


def _write_text(
    con: duckdb.DuckDBPyConnection, out: TextIO, form: Format, expanded: bool | None
) -> None:
    match form:
        case Format.csv:
            _write_csv(con, out)
        case Format.json:
            _write_json(con, out)
        case _:
            _write_table(con, out, expanded)


def _plain(value: Any) -> Any:
    """Return a JSON value: money as a string, digit for digit."""
    match value:
        case Decimal():
            return format(value, "f")
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def as_text(value: Any) -> str:
    """Return a value as text; null is empty."""
    match _plain(value):
        case None:
            return ""
        case bool(flag):
            return "true" if flag else "false"
        case str(text):
            return text
        case dict() | list() as nested:
            return json.dumps(nested, ensure_ascii=False)
        case number:
            return str(number)
