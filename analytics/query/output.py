"""The answer to a query, as a table, CSV, JSON or Parquet, with every digit."""

from __future__ import annotations

import io
import sys
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from analytics import files
from analytics.errors import AnalyticsError, UsageError
from analytics.query.statements import Answers, Query
from analytics.terminal import escaped, escaped_json, escaped_text
from analytics.warehouse.layout import is_of_a_batch

if TYPE_CHECKING:
    from rich.table import Table

SHOWN_ROWS = 200
_NO_WIDTH = 10_000
_LONGEST_CELL = 200
"""Characters of a value on a terminal, unless its user has chosen how to print it."""


class Format(StrEnum):
    """Output formats."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def write(
    answers: Answers,
    sql: str,
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
    if form is Format.parquet and (output is None or files.is_device(output)):
        raise UsageError("Parquet is not for a terminal or a pipe: name a file with --output.")
    if output is None:
        _write_text(answers, Query(sql, form), sys.stdout, expanded)
        return
    if form is Format.parquet:
        with replacing(output) as file:
            for answer in answers(Query(sql, form)):
                file.write(b64decode(answer["base64"]))
        return
    with replacing_text(output) as text:
        _write_text(answers, Query(sql, form), text, expanded)


def _write_text(answers: Answers, query: Query, out: TextIO, expanded: bool | None) -> None:
    for answer in answers(query):
        if query.form == Format.table:
            _write_table(answer, out, expanded)
        elif query.form == Format.csv:
            out.write(escaped_text(answer["text"]))
        else:
            out.write(escaped_json(answer["text"], out.encoding or "utf-8"))


@contextmanager
def replacing(output: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file that replaces `output` when complete; a device is written directly."""
    require_free(output)
    is_device = files.is_device(output)
    try:
        with output.open("wb") if is_device else files.replacing(files.real(output)) as file:
            yield file
    except OSError as error:
        raise AnalyticsError(f"{output} cannot be written: {error.strerror}.") from error


@contextmanager
def replacing_text(output: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Do the same for text, whose line breaks stay as they are."""
    with replacing(output) as file, io.TextIOWrapper(file, encoding, newline="") as text:
        yield text


def require_free(output: Path) -> None:
    """Raise UsageError for a path that belongs to the batch, its books or its pages."""
    if is_of_a_batch(files.real(output)):
        raise UsageError(
            f"{output} belongs to the data of the batch, and nothing was written.\n"
            "Name a place outside with --output."
        )


def _write_table(answer: dict[str, Any], out: TextIO, expanded: bool | None) -> None:
    from rich.console import Console
    from rich.text import Text

    names, rows = answer["names"], answer["rows"]
    shown = whole = rows[:SHOWN_ROWS]
    if out.isatty() and expanded is None:
        shown = [[_shortened(value) for value in row] for row in whole]
    width = None if out.isatty() else _NO_WIDTH
    console = Console(
        file=out, width=width, highlight=False, markup=False, soft_wrap=not out.isatty()
    )
    table = _table(names, answer["is_number"], shown)
    if expanded is None:
        natural = console.measure(table, options=console.options.update(width=_NO_WIDTH))
        expanded = natural.maximum > console.width
    if expanded and not shown:
        console.print(Text("\n".join(map(escaped, names)), style="dim"))
    elif expanded:
        for number, row in enumerate(shown, start=1):
            console.print(f"row {number}", style="bold")
            console.print(_record(names, row))
    else:
        console.print(table)
    if not rows:
        print("0 rows.", file=sys.stderr)
    if shown != whole:
        print("Long cells are shortened; -x or --format csv gives all of them.", file=sys.stderr)
    if len(rows) > SHOWN_ROWS:
        print(
            f"The first {SHOWN_ROWS} rows are shown; --format csv or json gives all.",
            file=sys.stderr,
        )


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST_CELL else f"{value[: _LONGEST_CELL - 1]}…"


def _table(names: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]]) -> Table:
    """Return a line for each row."""
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", box=None, pad_edge=False)
    for name, is_number in zip(names, numeric, strict=True):
        table.add_column(
            Text(escaped(name)), justify="right" if is_number else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(escaped(value)) for value in row))
    return table


def _record(names: Sequence[str], row: Sequence[str]) -> Table:
    """Return a line for each value of a row."""
    from rich.table import Table
    from rich.text import Text

    record = Table.grid(padding=(0, 2, 0, 0))
    record.add_column(overflow="fold", style="dim")
    record.add_column(overflow="fold")
    for name, value in zip(names, row, strict=True):
        record.add_row(Text(escaped(name)), Text(escaped(value)))
    return record
