"""The files of `finance/` as they were when figures were published, kept by their content."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.files import copy_file
from analytics.finance import accounts, allocation, budgets, invoices, owners
from analytics.finance.fields import LARGEST_FILE
from analytics.finance.load import FOLDER
from analytics.warehouse.publications import KeptFile, keep_file, kept_file

if TYPE_CHECKING:
    import duckdb

    from analytics.warehouse.layout import Layout

READ = frozenset(
    (owners.FORM.file, invoices.FORM.file, budgets.FORM.file, allocation.FILE, accounts.FILE)
)
"""The files that figures are made with, by their paths within the project."""


def keep_files(con: duckdb.DuckDBPyConnection, layout: Layout, project: Path) -> None:
    """Keep the files that were loaded, unless one of the same content is kept."""
    rows = con.execute("select name, sha256 from finance.files where sha256 is not null").fetchall()
    for name, sha256 in rows:
        path = project / FOLDER / name
        if f"{FOLDER}/{name}" not in READ:
            continue
        with suppress(OSError, ValueError):  # it was taken away since it was loaded
            if path.stat().st_size <= LARGEST_FILE:
                keep_file(layout, path, project, sha256)


@contextmanager
def project_of(layout: Layout, files: Sequence[KeptFile]) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder with these files of `finance/`, and the names of those that were not kept."""
    missing = []
    with tempfile.TemporaryDirectory(prefix="analytics-") as name:
        finance = Path(name) / FOLDER
        finance.mkdir()
        for file in files:
            if file.sha256 is None or f"{FOLDER}/{file.name}" not in READ:
                continue
            copy = finance / file.name
            try:
                kept = kept_file(layout, file.sha256)
                is_kept = copy_file(kept, kept.parent, copy) == file.sha256
            except (OSError, ValueError):
                is_kept = False
            if not is_kept:
                copy.unlink(missing_ok=True)
                missing.append(file.name)
        yield Path(name), missing
