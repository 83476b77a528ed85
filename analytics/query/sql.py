"""`analytics sql`: one SELECT of the published figures, as a table or a file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from analytics import files
from analytics.bounded.limits import Limits
from analytics.bounded.runner import Answer, Runner, UserQuery
from analytics.errors import UsageError
from analytics.query import spreadsheet
from analytics.query.output import replacing, replacing_text
from analytics.query.published import as_published, unreadable
from analytics.terminal import NO_WIDTH, console, escaped, escaped_json, escaped_text

if TYPE_CHECKING:
    from rich.table import Table

    from analytics.warehouse.layout import Layout

MOST_ROWS = 10_000_000
"""Rows of an answer: ten times what a spreadsheet holds, and a query by mistake ends there."""

MOST_BYTES = "2GB"
"""Size of a file with an answer, so that one by mistake does not fill a disk."""

_SHOWN_ROWS = 200
_LONGEST_CELL = 200
"""Characters of a value on a terminal, unless its user has chosen how to print it."""
_LEAST = 0.001
"""A fraction below it keeps three digits on a terminal, any other four places."""

_PART = 1 << 16
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


class Format(StrEnum):
    """Output formats."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"
    xlsx = "xlsx"


def first_rows(layout: Layout, project: Path, runner: Runner, sql: str, rows: int) -> Answer:
    """Return the first rows of a SELECT on the published file; if it has more, `count` is one more.

    They are whole numbers, floats and texts, which have every digit of a decimal. UsageError for a
    statement that is wrong, not allowed, or reaches a limit; AnalyticsError for a file that cannot
    be read.
    """
    with as_published(layout.published_file) as file:
        return _answered(layout, project, runner.first(file, UserQuery("", "", sql), rows))


def write_answer(
    layout: Layout,
    project: Path,
    seconds: float,
    sql: str,
    form: Format,
    output: Path | None,
    *,
    expanded: bool | None = None,
) -> None:
    """Write the rows of a SELECT to a file or to standard output; errors are those of `first_rows`.

    `expanded` writes a table as one line for each value; None does so if the table is wider than
    the terminal.
    """
    if expanded and form is not Format.table:
        raise UsageError(f"--expanded is for a table, not for {form}: leave one of them out.")
    is_binary = form in {Format.parquet, Format.xlsx}
    if is_binary and (output is None or files.is_device(output)):
        name = form.value.capitalize()
        raise UsageError(f"{name} is not for a terminal or a pipe: name a file with --output.")
    if form is Format.table:
        with Runner(Limits(seconds), layout.root) as runner:
            answer = first_rows(layout, project, runner, sql, _SHOWN_ROWS)
        with _text(output) as out:
            _write_table(answer, out, expanded)
        return
    is_workbook = form is Format.xlsx
    most = spreadsheet.MOST_ROWS if is_workbook else MOST_ROWS
    limits = Limits(seconds, rows=most, size=MOST_BYTES)
    with as_published(layout.published_file) as file, Runner(limits, layout.root) as runner:
        made = runner.folder / f"answer.{Format.csv if is_workbook else form}"
        answer = runner.make(file, UserQuery("", "", sql), made)
        if is_workbook and answer.error == limits.too_long:
            answer = replace(answer, error=spreadsheet.TOO_LARGE)
        columns = _answered(layout, project, answer).columns
        if not answer.count:
            print("0 rows.", file=sys.stderr)
        if is_binary and output:
            content = spreadsheet.workbook_of(made, columns) if is_workbook else made.open("rb")
            with content, replacing(output) as target:
                shutil.copyfileobj(content, target)
            return
        with made.open(encoding="utf-8", newline="") as source, _text(output) as out:
            while part := source.read(_PART):
                is_json = form is Format.json
                out.write(escaped_json(part, out.encoding) if is_json else escaped_text(part))


def _answered(layout: Layout, project: Path, answer: Answer) -> Answer:
    """Return an answer; its error is raised."""
    if answer.is_of_file:
        raise unreadable(layout.published_file, answer.error or "")
    if answer.error:
        from analytics.query.questions import explained  # which loads DuckDB

        raise UsageError(f"The query has no answer: {explained(answer.error, project)}")
    return answer


def _text(output: Path | None) -> AbstractContextManager[TextIO]:
    return replacing_text(output) if output else nullcontext(sys.stdout)


def _write_table(answer: Answer, out: TextIO, expanded: bool | None) -> None:
    from rich.text import Text

    names, rows = [name for name, _ in answer.columns], answer.rows
    shown = whole = [["" if each is None else str(each) for each in row] for row in rows]
    if out.isatty() and expanded is None:
        shown = [[_shortened(*each) for each in zip(row, text, strict=True)]
                 for row, text in zip(rows, whole, strict=True)]  # fmt: skip
    shower = console(out, soft_wrap=not out.isatty())
    are_numbers = [
        kind.partition("(")[0].removeprefix("U") in _NUMBERS for _, kind in answer.columns
    ]
    table = _table(names, are_numbers, shown)
    if expanded is None:
        natural = shower.measure(table, options=shower.options.update(width=NO_WIDTH))
        expanded = natural.maximum > shower.width
    if expanded and not shown:
        shower.print(Text("\n".join(map(escaped, names)), style="dim"))
    elif expanded:
        for number, row in enumerate(shown, start=1):
            shower.print(f"row {number}", style="bold")
            shower.print(_record(names, row))
    else:
        shower.print(table)
    if not rows:
        print("0 rows.", file=sys.stderr)
    if shown != whole:
        print(
            "Long cells and fractions are shortened; -x or --format csv gives all of them.",
            file=sys.stderr,
        )
    if answer.count > len(rows):
        print(
            f"The first {len(rows)} rows are shown; --format csv or json gives all.",
            file=sys.stderr,
        )


def _shortened(value: Any, text: str) -> str:
    """Return the text of a value as a table has it: a rate rounded, for money is no float."""
    if isinstance(value, float):
        rounded = f"{value:.4f}" if abs(value) >= _LEAST else f"{value:.3g}"
        return min(text, rounded, key=len)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


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
