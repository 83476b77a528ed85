"""`analytics export`: files for finance, one command for each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.cli.options import Here, Month, command, format_of
from analytics.cli.printed import say

if TYPE_CHECKING:
    import duckdb

    from analytics.finance.books.entries import Closing, Recorded
    from analytics.finance.books.reading import Books
    from analytics.warehouse.layout import Layout

export = typer.Typer(
    help="Write files for finance.",
    no_args_is_help=True,
)

_FILES = {".zip", ".csv", ".xlsx", ".parquet"}
"""Endings that no folder has."""


@command(export)
def pack(
    here: Here,
    month: Month,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Make this folder [one named for the month, as levain-2026-10].", metavar="DIR"
        ),
    ] = None,
) -> None:
    """Write the files that finance books or audits a month by, into one folder.

    The statement to print, a workbook, the lines with every digit, the journal in whole cents, the
    reconciliation by day, FOCUS, and a manifest with the SHA-256 of each. README.txt says what each
    file holds. Every file for people says whether the month is closed.

    The files of a closed month are copied from the books, byte for byte; those of an open one are
    made of today's figures.

    Example: analytics export pack 2026-10
    """
    from analytics.batch.progress import Progress
    from analytics.batch.readiness import of_open_months
    from analytics.export.closed import copy_pack, find_closing
    from analytics.export.pack import export_pack, made_folder, pack_name
    from analytics.machine_clock import machine_time
    from analytics.query.books import published_books

    layout = here.layout
    folder = _folder(output) or Path(pack_name(month))
    books = published_books(layout)
    if closing := find_closing(books, month):
        with made_folder(folder) as unfinished:
            copy_pack(closing, unfinished)
    else:
        with _figures(layout, books) as con, Progress().stage("export"):
            of_months = of_open_months(con, books, here.settings, machine_time())
            export_pack(con, month, folder, of_months)
    _warn_if_open(month, closing)
    _say_written(folder, closing)


@command(export)
def focus(
    here: Here,
    month: Month,
    output: Annotated[
        Path | None,
        typer.Option(help="Write into this folder [the working directory].", metavar="DIR"),
    ] = None,
) -> None:
    """Write the bill of a month for FinOps tools: the three datasets of FOCUS 1.4, as CSV.

    Cost and Usage has a row per workspace, UTC day, agent, provider and model, and corrections of
    closed months; Billing Period whether the books have the month; Invoice Detail the lines of
    finance/invoices.csv. Every amount is exact.

    The files of a closed month are copied from the books, byte for byte; those of an open one are
    made of today's figures.

    Example: analytics export focus 2026-10
    """
    from analytics.export.closed import copy_files, find_closing
    from analytics.export.focus import Dataset, file_name, write_focus
    from analytics.export.month import month_called
    from analytics.query.books import published_books
    from analytics.query.output import place_of

    layout = here.layout
    folder = _folder(output) or Path()
    names = [file_name(dataset, month) for dataset in Dataset]
    books = published_books(layout)
    if closing := find_closing(books, month):
        place_of(folder).mkdir(parents=True, exist_ok=True)
        copy_files(closing, names, folder)
    else:
        with _figures(layout, books) as con:
            first = month_called(con, month)
            place_of(folder).mkdir(parents=True, exist_ok=True)
            write_focus(con, first, folder)
    _warn_if_open(month, closing)
    for name in names:
        _say_written(folder / name, closing)


@command(export)
def journal(
    here: Here,
    month: Month,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="csv or hledger [as --output ends, else csv].", metavar="FORMAT"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write to this file, `-` to standard output [one named for the month].",
            metavar="FILE",
        ),
    ] = None,
    workspace: Annotated[
        str | None, typer.Option(help="Only this one: its identifier or name.")
    ] = None,
    reverse: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Take back this revision, which was reopened, entry by entry.",
            metavar="REVISION",
        ),
    ] = None,
) -> None:
    """Write the journal of a month, by account and cost center: every entry balances.

    Invoices, accruals and their reversals, adjustments of closed months. Amounts are whole cents,
    and what rounding leaves is carried forward. The journal of a closed month is made of the lines
    that the books froze; that of an open one is a preview of today's figures, and says so.

    Example: analytics export journal 2026-10 --format hledger
    """
    from analytics.errors import UsageError
    from analytics.export.closed import find_closing, find_reopened, read_booked
    from analytics.export.entries import read_journal
    from analytics.export.journal import JournalFormat, journal_text, write_journal
    from analytics.export.month import workspaces_called
    from analytics.query.books import published_books
    from analytics.query.published import open_published

    chosen, name = format_of(list(JournalFormat), form, output), month
    layout = here.layout
    books = published_books(layout)
    if reverse is None:
        closing = find_closing(books, month)
    else:
        closing = find_reopened(books, month, reverse)
        name = f"{month}-r{reverse}-reversed"
    if closing:
        with open_published(layout.published_file) as con:
            of = None if workspace is None else workspaces_called(con, workspace)
        booked = read_booked(books, closing, of)
        read = replace(booked, is_reversed=reverse is not None)
        if not read.entries:
            raise UsageError(f"The close of {month} booked nothing, so that it has no journal.")
    else:
        with _figures(layout, books) as con:
            read = read_journal(con, month, workspace)
    _warn_if_open(month, closing)
    if output == Path("-"):
        print(journal_text(read, chosen), end="")
        return
    file = output or Path(chosen.file_name(name))
    write_journal(read, chosen, file)
    _say_written(file, closing)


def _folder(output: Path | None) -> Path | None:
    """Return the folder that --output names; UsageError for a name that is one of a file."""
    from analytics.errors import UsageError

    if output is not None and (output == Path("-") or output.suffix.lower() in _FILES):
        raise UsageError(
            f"{output} names a file, and several files are written.\n"
            "Name a folder with --output; `zip -r` makes an archive of it."
        )
    return output


@contextmanager
def _figures(layout: Layout, books: Books) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file, for a month that is not closed.

    UsageError if it was made before the newest close or reopening: its entries might be final ones.
    """
    from analytics.batch.readiness import require_published_books
    from analytics.query.published import open_published

    with open_published(layout.published_file) as con:
        require_published_books(con, books)
        yield con


def _warn_if_open(month: str, closing: Recorded[Closing] | None) -> None:
    if closing is None:
        say(
            f"warning: {month} is not closed: these are today's figures, and its journal is a"
            " preview"
        )


def _say_written(written: Path, closing: Recorded[Closing] | None) -> None:
    """Say what was written, and whether it is of the books."""
    of = ""
    if closing:
        state = "closed early" if closing.entry.is_early else "closed"
        of = f", as {state} in revision {closing.entry.revision}"
    say(f"wrote {written}{of}")
