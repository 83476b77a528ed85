"""Publish: finished files replace the published ones by rename."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import duckdb

from analytics.errors import AnalyticsError
from analytics.warehouse.layout import Layout


def publish(layout: Layout, mode: int, *, site: bool = True) -> None:
    """Publish the finished marts and the staged site, with the permissions of `mode`.

    Without `site`, remove the site. Readers keep the files that they have open.
    """
    add_read_bits(layout.root, mode)
    _replace_file(layout.marts, layout.published, mode)
    if not site:
        shutil.rmtree(layout.site, ignore_errors=True)
    elif layout.staged_site.is_dir():
        set_modes(layout.staged_site, mode)
        _replace_folder(layout.staged_site, layout.site)


def record_publication(con: duckdb.DuckDBPyConnection) -> None:
    """Record which loads the attached marts contain, as published now if not before."""
    con.execute("""
        update ledger.loads set published_at = now()
        where published_at is null
            and (workspace_id, load_id) in (select workspace_id, load_id from audit.loads)
    """)


def add_read_bits(folder: Path, mode: int) -> None:
    """Add the read and enter bits that `mode` implies; keep all permissions that the folder has."""
    allowed = stat.S_IMODE(folder.stat().st_mode)
    if (wanted := allowed | _folder_mode(mode)) != allowed:
        folder.chmod(wanted)


def _replace_file(source: Path, target: Path, mode: int) -> None:
    """Copy in a child process: closing the file in this one would release DuckDB's lock on it."""
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
    sync(copy)
    copy.replace(target)
    sync(target.parent)


def _replace_folder(source: Path, target: Path) -> None:
    """Replace a folder by two renames, since one cannot; undo the first if the second fails."""
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


def set_modes(folder: Path, mode: int) -> None:
    """Let everybody read a folder whom `mode` lets read its files."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(_folder_mode(mode) if path.is_dir() else mode)


def _folder_mode(mode: int) -> int:
    """Add the enter bit for everybody who may read."""
    return mode | (mode & 0o444) >> 2


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Wait until a folder and all that it holds are on the disk."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)
