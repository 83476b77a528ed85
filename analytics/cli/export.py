"""`analytics export`: files for finance and for other tools, one command for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.cli.figures import figures_of
from analytics.cli.options import Config, DataDir, Month, format_of
from analytics.cli.sources import sources

if TYPE_CHECKING:
    from analytics.finance.books.entries import Closing, Recorded
    from analytics.published.export.month import Statement
    from analytics.published.figures import Figures

export = typer.Typer(
    help="Write files for finance and for other tools.",
    no_args_is_help=True,
)


Output = Annotated[
    Path | None,
    typer.Option(
        help="Write to this file, `-` to standard output [one named for the month].",
        metavar="FILE",
    ),
]
Workspace = Annotated[str | None, typer.Option(help="Only this one: its identifier or name.")]
Revision = Annotated[
    int | None, typer.Option(min=1, help="This close of the month [the one in force].")
]
Live = Annotated[
    bool, typer.Option("--live", help="Make it from today's figures, though the month is closed.")
]


@export.command()
def month(
    month: Month,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="csv, xlsx or parquet [as --output ends, else csv].", metavar="FORMAT"
        ),
    ] = None,
    output: Output = None,
    workspace: Workspace = None,
    revision: Revision = None,
    live: Live = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write the costs of a month: a line per workspace and agent, and a total that adds up.

    Billed, surcharge, own-key cost and metered cost; of all runs cost (of listed and of unlisted
    runs), failed cost, adjustments, runs, failure rate, tokens. Every amount is exact, an unknown
    one is empty. The definitions go into a second file beside it. The spreadsheet is the workbook
    of the pack: a statement that prints on a page, and a sheet for each table.

    Of a closed month, the file is copied from the books, byte for byte. With --live, csv and
    parquet have its lines as they are today, which say that nobody approved them.

    Example: analytics export month 2026-10 --format xlsx
    """
    from analytics.published.export.files import Format
    from analytics.published.export.month import read_month
    from analytics.published.export.pack import export_workbook

    forms, name = ("csv", "xlsx", "parquet"), f"levain-{month}"
    figures = _figures(data_dir, config)
    if not live and _copied(figures, month, revision, workspace, form, forms, output, name):
        return
    if format_of(list(Format), form, output) is Format.xlsx and output != Path("-"):
        if live:
            _refuse_if_closed(figures, month, "workbook")
        target = output or Path(f"levain-{month}.xlsx")
        with figures.open() as con, _bar():
            export_workbook(con, month, workspace, target)
        typer.echo(f"wrote {target}", err=True)
        return
    with figures.open() as con:
        statement = read_month(con, month, workspace)
    _write(statement, form, forms, output, name)


@export.command()
def pack(
    month: Month,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write to this folder, or to this file if it ends in .zip [both, named for the"
            " month].",
            metavar="DIR or FILE.zip",
        ),
    ] = None,
    workspace: Workspace = None,
    revision: Revision = None,
    live: Annotated[
        bool, typer.Option("--live", help="From today's figures; refused if the month is closed.")
    ] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write every file of a month that finance books or audits it by, as a folder and a zip.

    The statement to print, the workbook, lines, bridge, budgets, allocation, accruals, invoices,
    journal, FOCUS, and the evidence: reconciliation, adjustments, checks, loads and requests with
    the SHA-256 of what was read. README.txt says what each file holds. Every file for people says
    whether the month is closed.

    Of a closed month, all files are copied from the books, byte for byte: there is no other pack
    of it, of one workspace or of today's figures.

    Example: analytics export pack 2026-10
    """
    from analytics.published.export.closed import copy_files
    from analytics.published.export.entries import find_journal
    from analytics.published.export.pack import export_pack, write_outputs

    name = f"levain-{month}"
    is_archive = output is not None and output.suffix.lower() == ".zip"
    folder = None if is_archive else output or Path(name)
    archive = output if is_archive else None if output else Path(f"{name}.zip")
    figures = _figures(data_dir, config)
    if live or workspace:
        _refuse_if_closed(figures, month, "pack")
    closing = _closing(figures, month, revision, workspace)
    if closing:
        write_outputs(partial(copy_files, closing), name, folder, archive)
    else:
        with figures.open() as con:
            with _bar():
                export_pack(con, month, workspace, folder, archive)
            journal = find_journal(con, date.fromisoformat(f"{month}-01"), [])
        if journal and not journal.is_booked:
            _warn_of_preview(month)
    for written in filter(None, (folder, archive)):
        typer.echo(f"wrote {written}{_as_closed(closing)}", err=True)


@export.command()
def focus(
    month: Month,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="cost-and-usage, billing-period, invoice-detail or all [all].", metavar="DATASET"
        ),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="1.4 or 1.2 [1.4].", metavar="VERSION")
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft-1.5", help="With the columns of FOCUS 1.5, a draft.")
    ] = False,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="csv or parquet [as --output ends, else csv].", metavar="FORMAT"
        ),
    ] = None,
    output: Output = None,
    workspace: Workspace = None,
    revision: Revision = None,
    live: Live = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write the bill of a month for FinOps tools: the datasets of FOCUS 1.4.

    Cost and Usage has a row per workspace, UTC day, agent, provider and model, and corrections of
    closed months; Billing Period whether the books have the month; Invoice Detail the lines of
    finance/invoices.csv. FOCUS 1.2 is Cost and Usage alone. Every amount is exact. Definitions go
    into a second file beside each; --output is for one dataset.

    Of a closed month, the file is copied from the books, byte for byte.

    Example: analytics export focus 2026-10
    """
    from analytics.published.export.focus.files import chosen, name_of, read_focus

    edition, datasets = chosen(dataset, version, draft=draft, is_one_file=output is not None)
    forms = ("csv", "parquet")
    figures = _figures(data_dir, config)
    for each in datasets:
        name = name_of(each, edition, month)
        if not live and _copied(figures, month, revision, workspace, form, forms, output, name):
            continue
        with figures.open() as con:
            statement = read_focus(con, month, workspace, each, edition)
        _write(statement, form, forms, output, name)
    if draft:
        typer.echo("FOCUS 1.5 is a draft: its columns may change before it is ratified.", err=True)


@export.command()
def journal(
    month: Month,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, hledger, beancount, netsuite or xero [as --output ends, else csv].",
            metavar="FORMAT",
        ),
    ] = None,
    output: Output = None,
    workspace: Workspace = None,
    revision: Revision = None,
    reverse: Annotated[
        bool,
        typer.Option("--reverse", help="Take back a --revision that was reopened, entry by entry."),
    ] = False,
    live: Live = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write the journal of a month, by account and cost center: every entry balances.

    Invoices, accruals and their reversals, adjustments of closed months, chargebacks. csv, hledger
    and beancount have every digit; netsuite and xero whole cents, with what rounding leaves carried
    forward. The journal of a month that is not closed is a preview, and says so.

    Of a closed month, the file is copied from the books, byte for byte; of one --workspace, it is
    made from the lines that the books froze.

    Example: analytics export journal 2026-10 --format hledger
    """
    from analytics.published.export.closed import find_closing, find_reopened, read_booked
    from analytics.published.export.entries import read_journal
    from analytics.published.export.journal import JournalFormat, print_journal, write_journal
    from analytics.published.export.month import workspaces_called

    chosen, name = format_of(list(JournalFormat), form, output), month
    figures = _figures(data_dir, config)
    closing = None
    if reverse:
        closing = find_reopened(figures.books, month, revision)
        name = f"{month}-r{revision}-reversed"
    elif not live:
        closing = find_closing(figures.books, month, revision)
    if closing and not reverse and workspace is None:
        _copy(closing, chosen.file_name(month), output)
        return
    if closing:
        workspace_ids = None
        if workspace is not None:
            with figures.open() as con:
                workspace_ids = workspaces_called(con, workspace)
        booked = read_booked(figures.books, closing, workspace_ids)
        read = replace(booked, is_reversed=reverse)
    else:
        with figures.open() as con:
            read = read_journal(con, month, workspace)
    if not read.is_booked:
        _warn_of_preview(month)
    if output == Path("-"):
        print_journal(read, chosen)
        return
    for written in write_journal(read, chosen, output or Path(chosen.file_name(name))):
        typer.echo(f"wrote {written}", err=True)


export.command()(sources)


def _bar() -> AbstractContextManager[object]:
    """Show a bar on a terminal while files are made that take their time."""
    from analytics.batch.progress import Progress

    return Progress().stage("export")


def _warn_of_preview(month: str) -> None:
    typer.echo(f"warning: {month} is not closed, so that its journal is a preview", err=True)


def _figures(data_dir: Path | None, config: Path | None) -> Figures:
    from analytics.settings import load_settings

    return figures_of(load_settings(data_dir, config))


def _closing(
    figures: Figures, month: str, revision: int | None, workspace: str | None
) -> Recorded[Closing] | None:
    """Return the close whose files are the exports of a month; None if the month is not closed.

    They are of all workspaces, and none other was ever booked.
    """
    from analytics.errors import UsageError
    from analytics.published.export.closed import find_closing

    closing = find_closing(figures.books, month, revision)
    if closing and workspace is not None:
        raise UsageError(
            f"{month} is closed, and its file is of all workspaces.\n"
            "Leave --workspace out, or say --live for today's figures."
        )
    return closing


def _refuse_if_closed(figures: Figures, month: str, made: str) -> None:
    """Raise UsageError for a closed month: its frozen tables make no workbook or pack of today."""
    from analytics.errors import UsageError
    from analytics.published.export.closed import find_closing

    if find_closing(figures.books, month, None):
        raise UsageError(
            f"{month} is closed, and its {made} is that of the books, of all workspaces.\n"
            f"Leave --live and --workspace out; `analytics export month {month} --live` writes"
            " today's lines as CSV."
        )


def _as_closed(closing: Recorded[Closing] | None) -> str:
    """Return what a message adds of a file that was copied from the books."""
    return f", as closed in revision {closing.entry.revision}" if closing else ""


def _copied(
    figures: Figures,
    month: str,
    revision: int | None,
    workspace: str | None,
    form: str | None,
    forms: Sequence[str],
    output: Path | None,
    name: str,
) -> bool:
    """Copy an export of a closed month from the books; False if the month is not closed."""
    from analytics.published.export.files import Format

    closing = _closing(figures, month, revision, workspace)
    if closing is None:
        return False
    chosen = format_of([Format(each) for each in forms], form, output)
    _copy(closing, f"{name}.{chosen}", output)
    return True


def _copy(closing: Recorded[Closing], name: str, output: Path | None) -> None:
    """Copy an export of the books to a file, or to standard output."""
    from analytics.published.export.closed import copy_file, print_file

    if output == Path("-"):
        print_file(closing, name)
        return
    for written in copy_file(closing, name, output or Path(name)):
        typer.echo(f"wrote {written}{_as_closed(closing)}", err=True)


def _write(
    statement: Statement, form: str | None, forms: Sequence[str], output: Path | None, name: str
) -> None:
    """Write the statement to its files or to standard output; UsageError for any other format."""
    from analytics.published.export.files import Format, print_statement, write_statement

    chosen = format_of([Format(form) for form in forms], form, output)
    if output == Path("-"):
        print_statement(statement, chosen)
        return
    for written in write_statement(statement, chosen, output or Path(f"{name}.{chosen}")):
        typer.echo(f"wrote {written}", err=True)
