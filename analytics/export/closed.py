"""Files of closed months: those of the pack are copied from the books, byte for byte."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from analytics.errors import UsageError
from analytics.export.entries import Journal
from analytics.finance.books.entries import DATA, first_day
from analytics.finance.books.reading import unchanged
from analytics.query.books import closing_of
from analytics.query.output import replacing
from analytics.transform.cents import Entry, entries_of, in_cents

if TYPE_CHECKING:
    from analytics.finance.books.entries import Closing, Recorded
    from analytics.finance.books.reading import Books


def find_closing(books: Books, month: str) -> Recorded[Closing] | None:
    """Return the closing in force of a month; None if it is open."""
    try:
        return books.in_force.get(first_day(month))
    except ValueError:  # the export says so of a text that is no month
        return None


def find_reopened(books: Books, month: str, revision: int) -> Recorded[Closing]:
    """Return a revision of a month that was reopened; UsageError if it was not."""
    closing = closing_of(books, month, revision)
    if books.reopening(closing) is None:
        raise UsageError(
            f"--reverse takes back a revision that was reopened, and revision {revision} of"
            f" {month} is in force.\n`analytics books` shows them."
        )
    return closing


def read_booked(
    books: Books,
    closing: Recorded[Closing],
    workspace_ids: Sequence[str] | None,
) -> Journal:
    """Read the journal of a close from its frozen lines.

    Lines that were frozen without cents get them as the months before leave them. Of all workspaces
    if none are named. AnalyticsError for frozen lines that were changed.
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
        entries=[entry for entry in in_cents(entries) if entry.month == this.first_day],
        early_reasons=this.early_reasons,
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
    lines = pl.read_parquet(unchanged(closing, f"{DATA}/journal_lines.parquet"))
    if workspace_ids is not None:
        lines = lines.filter(pl.col("workspace_id").is_in(workspace_ids))
    return entries_of(
        (
            row["booked_month"],
            row["entry_id"],
            closing.entry.revision,
            True,
            row["workspace_id"],
            names.get(row["workspace_id"], row["workspace_id"]),
            *(row[name] for name in ("entry_date", "kind", "narration", "reverses_entry_id")),
            *(row[name] for name in ("role", "account", "cost_center", "usage_month")),
            row["debit_usd"] - row["credit_usd"],
            row.get("booked_usd"),
            row["memo"],
        )
        for row in lines.sort("entry_date", "entry_id", "line_number").iter_rows(named=True)
    )


def copy_pack(closing: Recorded[Closing], folder: Path) -> None:
    """Copy the files of a pack, its manifest included, into a folder that exists."""
    for name in closing.entry.files:
        if "/" not in name:
            shutil.copyfile(unchanged(closing, name), folder / name)
    shutil.copyfile(closing.file, folder / closing.file.name)


def copy_files(closing: Recorded[Closing], names: Collection[str], folder: Path) -> None:
    """Copy files of a pack into a folder that exists."""
    for name in names:
        with unchanged(closing, name).open("rb") as source, replacing(folder / name) as file:
            shutil.copyfileobj(source, file)
