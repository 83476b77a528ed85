"""Exports of closed months: written once by the close, and copied byte for byte ever after."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from analytics.errors import AnalyticsError, UsageError
from analytics.files import hash_file
from analytics.finance.books.entries import DATA, first_day
from analytics.format import days
from analytics.published.books import closing_of
from analytics.published.export.definitions import Definition
from analytics.published.export.entries import Entry, Journal, entries_of, find_journal
from analytics.published.export.files import Format, write_statement
from analytics.published.export.focus.columns import Edition
from analytics.published.export.focus.files import datasets_of, name_of, read_focus
from analytics.published.export.journal import JournalFormat, part_of, write_journal
from analytics.published.export.month import read_month, workspaces_called
from analytics.published.output import replacing

if TYPE_CHECKING:
    import duckdb

    from analytics.finance.books.entries import Closing, ClosingFacts, Recorded
    from analytics.finance.books.reading import Books
    from analytics.published.export.month import Statement

EXPORTS = "exports"
"""Folder of the exports that the pack does not hold, within a closing's folder."""


def write_exports(
    con: duckdb.DuckDBPyConnection, month: date, folder: Path, closing: ClosingFacts
) -> None:
    """Write the exports of a month that is being closed, in each format that the pack lacks."""
    held = {path.name for path in folder.rglob("*")}
    exports = folder / EXPORTS
    exports.mkdir()
    name = f"{month:%Y-%m}"
    if journal := find_journal(con, month, workspaces_called(con, None)):
        journal = dataclasses.replace(journal, is_booked=True)
        for layout in JournalFormat:
            if (file := layout.file_name(name)) not in held:
                write_journal(journal, layout, exports / file)
    statements = {f"levain-{name}": read_month(con, name, None)}
    statements |= {
        name_of(dataset, edition, name): read_focus(
            con, name, None, dataset, edition, closing.closed_at
        )
        for edition in Edition
        for dataset in datasets_of(edition)
    }
    for stem, statement in statements.items():
        for form in (Format.csv, Format.parquet):
            if (file := f"{stem}.{form}") not in held:
                write_statement(as_closed(statement, closing), form, exports / file)


def as_closed(statement: Statement, closing: ClosingFacts) -> Statement:
    """Return a statement that says that its month is closed, and whether early."""
    lines = statement.lines
    if "status" in lines.columns:
        lines = lines.with_columns(pl.lit("closed").alias("status"))
    facts = [
        f"Revision {closing.revision}, closed {days.instant_in_words(closing.closed_at)}",
        f"prepared by {closing.prepared_by}",
        f"approved by {closing.approved_by}" if closing.approved_by else "approved by nobody",
        *(f"closed early, as {reason}" for reason in closing.early_reasons),
    ]
    meaning = f"{'; '.join(facts)}. A later change is an adjustment of the next open month."
    return dataclasses.replace(
        statement,
        lines=lines,
        definitions=[Definition("Closed", "", meaning), *statement.definitions],
    )


def find_closing(books: Books, month: str, revision: int | None) -> Recorded[Closing] | None:
    """Return the closing in force of a month, or the revision that is named; None if it is open.

    UsageError if there is no such revision.
    """
    if revision is not None:
        return closing_of(books, month, revision)
    try:
        return books.in_force.get(first_day(month))
    except ValueError:  # the export says so of a text that is no month
        return None


def find_reopened(books: Books, month: str, revision: int | None) -> Recorded[Closing]:
    """Return a revision of a month that was reopened; UsageError if it was not, or is not named."""
    closing = closing_of(books, month, revision)
    if revision is None or books.reopening(closing) is None:
        raise UsageError(
            "--reverse takes back a revision that was reopened: name one with --revision.\n"
            "`analytics books` shows them."
        )
    return closing


def read_booked(
    books: Books, closing: Recorded[Closing], workspace_ids: Sequence[str] | None
) -> Journal:
    """Read the journal of a close from its frozen lines, and those of the months before it.

    Of all workspaces if none are named. AnalyticsError for frozen lines that were changed.
    """
    this = closing.entry
    entries: list[Entry] = []
    for each in sorted(books.closings, key=lambda each: each.entry.first_day):
        reopening = books.reopening(each)
        was_in_force = each.entry.number <= this.number and (
            reopening is None or reopening.number > this.number
        )
        if was_in_force and each.entry.first_day <= this.first_day:
            entries += _frozen_entries(each, workspace_ids, _workspace_names(books, each))
    return Journal(
        this.first_day,
        is_booked=True,
        entries=[entry for entry in entries if entry.month == this.first_day],
        earlier=[entry for entry in entries if entry.month < this.first_day],
    )


def _workspace_names(books: Books, closing: Recorded[Closing]) -> dict[str, str]:
    """Return the names of workspaces by identifier, as a close knew them.

    One that was gone by then has the name of the last close before that knew it.
    """
    return {
        workspace.workspace_id: workspace.workspace_name
        for each in books.closings
        if each.entry.number <= closing.entry.number
        for workspace in each.entry.workspaces
    }


def _frozen_entries(
    closing: Recorded[Closing], workspace_ids: Sequence[str] | None, names: Mapping[str, str]
) -> list[Entry]:
    """Return the entries of workspaces that a close froze, in the order of their days."""
    lines = pl.read_parquet(_unchanged(closing, Path(DATA) / "journal_lines.parquet"))
    if workspace_ids is not None:
        lines = lines.filter(pl.col("workspace_id").is_in(workspace_ids))
    return entries_of(
        (
            row["month"],
            row["entry_id"],
            closing.entry.revision,
            row["workspace_id"],
            names.get(row["workspace_id"], row["workspace_id"]),
            *(row[name] for name in ("entry_date", "kind", "narration", "reverses_entry_id")),
            *(row[name] for name in ("role", "account", "cost_center", "usage_month")),
            row["debit_usd"] - row["credit_usd"],
            row["memo"],
        )
        for row in lines.sort("entry_date", "entry_id", "line_number").iter_rows(named=True)
    )


def copy_file(closing: Recorded[Closing], name: str, output: Path) -> list[Path]:
    """Copy an export of the books, with its definitions and further parts; return the copies."""
    stored = _stored(closing, name)
    copies = {stored: output}
    beside = stored.with_name(f"{stored.stem}-definitions.csv")
    if stored.suffix != ".xlsx" and beside.as_posix() in closing.entry.files:
        copies[beside] = output.with_name(f"{output.stem}-definitions.csv")
    copies |= {
        part: part_of(output, number)
        for number, part in enumerate(_further_parts(closing, stored), start=2)
    }
    for path, target in copies.items():
        with _unchanged(closing, path).open("rb") as source, replacing(target) as file:
            shutil.copyfileobj(source, file)
    return [*copies.values()]


def copy_files(closing: Recorded[Closing], folder: Path) -> None:
    """Copy every file of a close, its manifest included, into a folder that exists."""
    for path in map(Path, closing.entry.files):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_unchanged(closing, path), folder / path)
    shutil.copyfile(closing.file, folder / closing.file.name)


def print_file(closing: Recorded[Closing], name: str) -> None:
    """Write an export of the books to standard output.

    UsageError for a binary one, and for one of several files.
    """
    if name.endswith((".parquet", ".xlsx")):
        raise UsageError(f"{name} is not for a terminal: name a file with --output.")
    stored = _stored(closing, name)
    if _further_parts(closing, stored):
        raise UsageError(f"{name} is of several files: name the first one with --output.")
    sys.stdout.write(_unchanged(closing, stored).read_bytes().decode("utf-8"))


def _stored(closing: Recorded[Closing], name: str) -> Path:
    """Return the path of an export within the closing's folder."""
    entry = closing.entry
    for path in map(Path, entry.files):
        if path.name == name:
            return path
    if name in {layout.file_name(entry.month) for layout in JournalFormat}:
        raise UsageError(f"The close of {entry.month} booked nothing, so that it has no journal.")
    raise UsageError(
        f"The books hold no {name}.\n--live makes it from today's figures;"
        f" `{closing.file}` lists what was closed."
    )


def _further_parts(closing: Recorded[Closing], first: Path) -> list[Path]:
    """Return the paths of the second file of an export and of those after it."""
    numbered = (part_of(first, number) for number in count(2))
    return [*takewhile(lambda part: part.as_posix() in closing.entry.files, numbered)]


def _unchanged(closing: Recorded[Closing], path: Path) -> Path:
    """Return a file of the books; AnalyticsError unless it has the bytes that were closed."""
    folder = closing.file.parent
    try:
        is_unchanged = hash_file(folder / path, folder) == (
            closing.entry.files[path.as_posix()].sha256
        )
    except (OSError, ValueError):
        is_unchanged = False
    if not is_unchanged:
        raise AnalyticsError(
            f"{folder / path} is not as it was closed.\nPut it back from a backup;"
            " `analytics books` names all that is wrong."
        )
    return folder / path
