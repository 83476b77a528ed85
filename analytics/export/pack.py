"""The pack of a month: one folder of every file to book it and to audit it.

It is written from the published tables alone: the same published file and the same close make the
same bytes.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from analytics.errors import UsageError
from analytics.export.entries import find_journal
from analytics.export.files import write_csv
from analytics.export.focus import write_focus
from analytics.export.journal import JournalFormat, write_journal
from analytics.export.month import PACK, month_called, read_table
from analytics.export.month_end import read_month_end
from analytics.export.statement_page import statement_page
from analytics.export.workbook import write_workbook
from analytics.finance.books.entries import MANIFEST, stored_files
from analytics.format.names import ALL
from analytics.query.output import place_of
from analytics.report.rendering import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    import duckdb

    from analytics.finance.books.entries import ClosingFacts


def pack_name(month: str) -> str:
    """Return the name of a month's pack (`2026-10`): of its folder and its workbook."""
    return f"levain-{month}"


def write_pack(
    con: duckdb.DuckDBPyConnection,
    month: date,
    folder: Path,
    closing: ClosingFacts | None,
    readiness: Mapping[str, Any] | None = None,
) -> None:
    """Write every file of a month (its first day) but the manifest into an empty folder.

    Without a close, each file for people says that the month is not closed; the statement also
    why, as `readiness` has it.
    """
    name = f"{month:%Y-%m}"
    journal = find_journal(con, month, None)
    if journal and closing:
        journal = replace(journal, is_booked=True, early_reasons=closing.early_reasons)
    month_end = read_month_end(con, month, closing, journal)
    page = folder / "statement.html"
    page.write_text(statement_page(con, month, closing, readiness or {}), encoding="utf-8")
    workbook = folder / f"{pack_name(name)}.xlsx"
    write_workbook(month_end, workbook)
    made = {
        page: "The statement: to read, and to print on A4.",
        workbook: "The statement, lines, cost centers, adjustments, accruals, journal and checks.",
    }
    for table, meaning in (
        ("lines", "The bill of each agent, owner and cost center, with every digit."),
        ("reconciliation", "The metered cost of each UTC day, taken apart, and its state."),
    ):
        file = folder / f"{table}.csv"
        write_csv(file, month_end.tables[table], is_for_people=True)
        made[file] = meaning
    if journal:
        file = folder / JournalFormat.csv.file_name(name)
        write_journal(journal, JournalFormat.csv, file)
        made[file] = "The journal, in whole cents."
    made |= write_focus(con, month, folder, closing)
    meanings = {file.name: meaning for file, meaning in made.items()}
    meanings[MANIFEST] = "Size and SHA-256 of every other file."
    if closing:
        meanings[MANIFEST] = "The close: who, when, and size and SHA-256 of every file."
        if closing.sign_off:
            meanings[closing.sign_off] = "The approval, as it was given."
    template = (PACK / "readme.txt").read_text(encoding="utf-8")
    readme = environment().overlay(autoescape=False).from_string(template)
    text = readme.render(
        month_end=month_end,
        files=meanings,
        is_closed=closing is not None,
        workspaces=read_table(con, "workspaces", month, is_closed=closing is not None).to_dicts(),
    )
    (folder / "README.txt").write_text(f"{text.rstrip()}\n", encoding="utf-8")


def export_pack(
    con: duckdb.DuckDBPyConnection,
    month: str,
    folder: Path,
    of_months: Mapping[tuple[str, date], Mapping[str, Any]],
) -> None:
    """Write the pack of a month (`2026-10`) that is not closed into a folder that is made.

    `of_months` is what pages say of months that are not closed. UsageError for a month without
    figures, and if the folder is there already.
    """
    first = month_called(con, month)
    with made_folder(folder) as unfinished:
        write_pack(con, first, unfinished, None, of_months.get((ALL, first)))
        manifest = {
            "month": month,
            "state": "not closed: provisional",
            "files": msgspec.to_builtins(stored_files(unfinished)),
        }
        text = json.dumps(manifest, indent=2, ensure_ascii=False)
        (unfinished / MANIFEST).write_text(f"{text}\n", encoding="utf-8")


@contextmanager
def made_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder, which becomes `folder` when it is complete.

    UsageError if that is there already: a file of an earlier pack could stay in it.
    """
    place = place_of(folder)
    if place.exists():
        raise UsageError(
            f"{folder} is there already, and nothing was written.\n"
            "Delete it, or name another folder with --output."
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    os.umask(0o077)
    try:
        with TemporaryDirectory(dir=place.parent, prefix=".levain-") as root:
            unfinished = Path(root) / "pack"
            unfinished.mkdir()
            yield unfinished
            unfinished.rename(place)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error
