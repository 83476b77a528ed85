"""Publish: what is finished takes the place of what was published before, by rename."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import duckdb

from analytics.errors import AnalyticsError
from analytics.warehouse.layout import Layout


def publish(layout: Layout, mode: int) -> None:
    """Put the finished marts and the staged site in place, readable as `mode` says.

    Readers that are at work keep what they have opened.
    """
    _let_in(layout.root, mode)
    _replace_file(layout.marts, layout.published, mode)
    if layout.staged_site.is_dir():
        _open_up(layout.staged_site, mode)
        _replace_folder(layout.staged_site, layout.site)


def note_publication(con: duckdb.DuckDBPyConnection) -> None:
    """Keep which loads the attached marts hold, as published with them if not before."""
    con.execute("""
        update ledger.loads set published_at = now()
        where published_at is null
            and (workspace_id, load_id) in (select workspace_id, load_id from audit.loads)
    """)


def _let_in(folder: Path, mode: int) -> None:
    """Let readers into a folder that may be somebody else's: what it allows already, it keeps."""
    allowed = stat.S_IMODE(folder.stat().st_mode)
    if (wanted := allowed | _folder_mode(mode)) != allowed:
        folder.chmod(wanted)


def _replace_file(source: Path, target: Path, mode: int) -> None:
    """Copy in a child process: to open and close the file here would drop DuckDB's lock on it."""
    copy = target.with_name(target.name + ".next")
    done = subprocess.run(
        ["cp", "--", source, copy],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        copy.unlink(missing_ok=True)
        raise AnalyticsError(f"{source} cannot be copied to {copy}: {done.stderr.strip()}")
    copy.chmod(mode)
    _sync(copy)
    copy.replace(target)
    _sync(target.parent)


def _replace_folder(source: Path, target: Path) -> None:
    """Two renames: a folder cannot take another's place in one. What fails between is put back."""
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    try:
        source.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _open_up(folder: Path, mode: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(_folder_mode(mode) if path.is_dir() else mode)


def _folder_mode(mode: int) -> int:
    """Whoever may read a file may enter its folder."""
    return mode | (mode & 0o444) >> 2


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
