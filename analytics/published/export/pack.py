"""The pack of a month: every file to book it and to audit it, in a folder or a zip archive.

It is written from the published tables alone: the same published file and the same close make the
same bytes.
"""

from __future__ import annotations

import os
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from analytics.errors import AnalyticsError, UsageError
from analytics.published.export.definitions import PackDefinition, month_end_definitions
from analytics.published.export.entries import find_journal
from analytics.published.export.files import FOR_PEOPLE, write_frame, write_rows
from analytics.published.export.focus.files import write_focus
from analytics.published.export.journal import JournalFormat, write_journal
from analytics.published.export.month import month_called, workspaces_called
from analytics.published.export.month_end import read_month_end
from analytics.published.export.month_tables import TABLES
from analytics.published.export.statement_page import statement_page
from analytics.published.export.workbook import write_workbook
from analytics.published.output import replacing, require_free

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from typing import BinaryIO, TextIO

    import duckdb

    from analytics.finance.books.entries import ClosingFacts
    from analytics.published.export.month_end import MonthEnd

_IN_THE_BOOKS = {
    "manifest.json": "The close: who, when, and the SHA-256 of every file.",
    "data/": "Frozen tables, with every digit, as Parquet.",
    "exports/": "Exports in other formats, as they were closed.",
    "finance/": "The files that the figures were made with.",
    "settings.toml": "The settings at the close; the time zone is that of the figures.",
}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that an archive can hold


def pack_name(month: date) -> str:
    """Return the name of a month's pack: of its folder, archive and workbook."""
    return f"levain-{month:%Y-%m}"


def write_pack(
    con: duckdb.DuckDBPyConnection,
    month: date,
    folder: Path,
    closing: ClosingFacts | None,
    workspace: str | None = None,
) -> None:
    """Write every file of a month (its first day) into an empty folder.

    Without a close, each file for people says that the month is not closed. UsageError for a
    workspace that there is not.
    """
    workspace_ids = workspaces_called(con, workspace)
    month_end = read_month_end(con, month, workspace_ids, closing)
    meanings = _meanings(con, month_end, workspace_ids, is_closed=closing is not None)
    made: dict[Path, str] = {}
    page = folder / "statement.html"
    page.write_text(statement_page(month_end), encoding="utf-8")
    made[page] = "The statement: to read, and to print on A4."
    workbook = folder / f"{pack_name(month)}.xlsx"
    with workbook.open("wb") as file:
        write_workbook(month_end, meanings, file)
    made[workbook] = "The same as a workbook, with a sheet for each table."
    for table in TABLES:
        if not table.file:
            continue
        with _csv_file(folder / table.file) as file:
            write_frame(file, month_end.tables[table.name])
        made[folder / table.file] = f"{table.title}."
    focus = folder / "focus"
    focus.mkdir()
    made |= write_focus(con, month, focus, workspace_ids, closing.closed_at if closing else None)
    made |= _write_journal(con, month, folder / "journal", workspace_ids, closing)
    definitions = folder / "definitions.csv"
    with _csv_file(definitions) as file:
        write_rows(file, PackDefinition._fields, meanings)
    made[definitions] = "The state of the data, and the meaning of each column."
    readme = folder / "README.txt"
    readme.write_text(
        _readme(month_end, folder, made, is_closed=closing is not None), encoding="utf-8"
    )


def write_archive(folder: Path, target: BinaryIO, name: str) -> None:
    """Write the files of a folder into a zip archive, in a folder of this name."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            path = f"{name}/{file.relative_to(folder).as_posix()}"
            archive.writestr(_entry(path), file.read_bytes())


def export_workbook(
    con: duckdb.DuckDBPyConnection, month: str, workspace: str | None, output: Path
) -> None:
    """Write the workbook of a month (`2026-10`) that is not closed, alone.

    UsageError for an unknown workspace, and for a month without figures.
    """
    workspace_ids = workspaces_called(con, workspace)
    first = month_called(con, month, workspace_ids)
    month_end = read_month_end(con, first, workspace_ids, None)
    meanings = _meanings(con, month_end, workspace_ids, is_closed=False)
    with replacing(output) as target:
        write_workbook(month_end, meanings, target)


def export_pack(
    con: duckdb.DuckDBPyConnection,
    month: str,
    workspace: str | None,
    folder: Path | None,
    archive: Path | None,
) -> None:
    """Write the pack of a month (`2026-10`) that is not closed, as `write_outputs` does.

    UsageError for an unknown workspace, and for a month without figures, too.
    """
    first = month_called(con, month, workspaces_called(con, workspace))

    def write(target: Path) -> None:
        write_pack(con, first, target, None, workspace)

    write_outputs(write, pack_name(first), folder, archive)


def write_outputs(
    write: Callable[[Path], object], name: str, folder: Path | None, archive: Path | None
) -> None:
    """Write files as a folder, as an archive, or as both; `write` puts them into an empty folder.

    UsageError if the folder is there already: a file of an earlier pack could stay in it.
    """
    for output in filter(None, (folder, archive)):
        require_free(output)
    if folder and folder.exists():
        raise UsageError(
            f"{folder} is there already, and nothing was written.\n"
            "Delete it, or name another folder with --output."
        )
    os.umask(0o077)
    with _unfinished_beside(folder or archive or Path()) as unfinished:
        write(unfinished)
        if archive:
            with replacing(archive) as target:
                write_archive(unfinished, target, name)
        if folder:
            unfinished.rename(folder)


@contextmanager
def _unfinished_beside(output: Path) -> Iterator[Path]:
    """Yield an empty folder in that of the output, which is deleted unless it was renamed."""
    try:
        with TemporaryDirectory(dir=output.parent, prefix=".levain-") as root:
            unfinished = Path(root) / "pack"
            unfinished.mkdir()
            yield unfinished
    except OSError as error:
        raise AnalyticsError(f"{output} cannot be written: {error.strerror}.") from error


def _meanings(
    con: duckdb.DuckDBPyConnection,
    month_end: MonthEnd,
    workspace_ids: Sequence[str],
    *,
    is_closed: bool,
) -> list[PackDefinition]:
    """Return the definitions of a month's tables."""
    tables = {table: month_end.tables[table.name].columns for table in TABLES}
    return month_end_definitions(con, month_end.month, workspace_ids, tables, is_closed=is_closed)


def _write_journal(
    con: duckdb.DuckDBPyConnection,
    month: date,
    folder: Path,
    workspace_ids: Sequence[str],
    closing: ClosingFacts | None,
) -> dict[Path, str]:
    """Write the journal of workspaces in every layout; return what each file holds.

    That of a month which is just being closed is no preview.
    """
    if (journal := find_journal(con, month, workspace_ids)) is None:
        return {}
    folder.mkdir()
    journal = replace(journal, is_booked=journal.is_booked or closing is not None)
    return {
        file: "The journal, with every digit."
        if form is JournalFormat.csv
        else f"The journal for {form}."
        for form in JournalFormat
        for file in write_journal(journal, form, folder / form.file_name(f"{month:%Y-%m}"))
    }


def _csv_file(path: Path) -> TextIO:
    path.parent.mkdir(exist_ok=True)
    return path.open("w", encoding=FOR_PEOPLE, newline="")


def _readme(month_end: MonthEnd, folder: Path, made: dict[Path, str], *, is_closed: bool) -> str:
    """Return a text with the facts of the month, and a line for each file."""
    facts = [f"{label}: {text}" for label, text in month_end.facts.items()]
    paths = {path.relative_to(folder).as_posix(): meaning for path, meaning in made.items()}
    files = _listed(paths)
    if is_closed:
        files += ["", "The books hold beside them:", "", *_listed(_IN_THE_BOOKS)]
    return "\n".join([f"Statement of cost, {month_end.words}", "", *facts, "", *files, ""])


def _listed(meanings: Mapping[str, str]) -> list[str]:
    width = max(map(len, meanings))
    return [f"{path:{width}}  {meanings[path]}" for path in sorted(meanings)]


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry
