"""All that needs a hand in a data directory, or the machine below it, before the next batch.

Each problem is a text: its first line says what was found, the next ones what to do. Nothing is
written, and while a batch is at work, its files are left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from analytics.batch.last_batch import LastBatch, read_last_batch
from analytics.errors import AnalyticsError, BusyError
from analytics.finance.books.reading import CLOSINGS, Known
from analytics.finance.books.verifying import verify
from analytics.format import numbers
from analytics.warehouse.database import OFFLINE, open_errors, open_marts, quoted, require_version
from analytics.warehouse.holders import at_rest, holder_of, user_of
from analytics.warehouse.layout import Layout, written_beside

_HUNG = timedelta(hours=24)
_OLD = timedelta(hours=48)
_SPARE = 100_000_000
"""Bytes beside those of the files that a batch may write anew: landing files, logs, spilled rows"""
_FEW_FILES = 10_000


def problems_of_data(layout: Layout, now: datetime) -> Iterator[str]:
    """Yield each problem of a data directory; one alone where it cannot be used."""
    try:
        if unusable := _unusable(layout.root):
            yield unusable
            return
        if not layout.root.exists():
            return
        yield from _disk(layout)
    except OSError as error:
        yield (
            f"{error.filename or layout.root}: {error.strerror}\n"
            "Let the user of the batch read and write there, or name another --data-dir."
        )
        return
    yield from _lock(layout, now)
    with suppress(BusyError), at_rest(layout):
        yield from [*_warehouse(layout)]
    yield from _published(layout)
    if last := read_last_batch(layout):
        yield from _last_batch(last, now)


def _unusable(root: Path) -> str | None:
    """Return why a batch cannot use a data directory."""
    if root.is_symlink() and not root.exists():
        return (
            f"{root} is a link to {root.readlink()}, which is not there.\n"
            "Mount the disk that it is on, or let the link lead to another folder."
        )
    if not root.exists():
        return None
    if not root.is_dir():
        return f"{root} is no folder.\nName another --data-dir."
    if os.statvfs(root).f_flag & os.ST_RDONLY:
        return (
            f"{root} is on a file system that is mounted read-only.\n"
            "Mount it for writing, or name another --data-dir."
        )
    if closed := _closed_to_us(root):
        files = numbers.plural(len(closed), "file or folder", "files and folders")
        return (
            f"{files} cannot be used by this user, the first is {closed[0]}.\n"
            f"They are of another user, such as root: `chown -R $(id -u) {root}`."
        )
    return None


def _closed_to_us(root: Path) -> list[Path]:
    """Return files that this user cannot read, and folders that it cannot change."""
    closed = [] if os.access(root, os.R_OK | os.W_OK | os.X_OK) else [root]
    for folder, folders, files in os.walk(root):
        for names, needed in ((folders, os.R_OK | os.W_OK | os.X_OK), (files, os.R_OK)):
            paths = (Path(folder, name) for name in names)
            closed += [path for path in paths if path.exists() and not os.access(path, needed)]
    return closed


def _disk(layout: Layout) -> Iterator[str]:
    """Hold the free space against that of a batch which makes all files anew."""
    found = os.statvfs(layout.root)
    free = found.f_bavail * found.f_frsize
    files = (layout.warehouse, layout.marts, layout.marts, layout.site)
    needed = _SPARE + sum(_size_of(each) for each in files if each.exists())
    if free < needed:
        yield (
            f"{numbers.size(free)} are free in {layout.root}; a batch that makes all anew needs"
            f" {numbers.size(needed)}.\nMake room on that disk."
        )
    elif found.f_files and found.f_favail <= _FEW_FILES:
        yield (
            f"Only {found.f_favail:,} more files can be made in {layout.root}.\n"
            "Make room on that disk."
        )


def _size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder; links are not followed.

    What a batch at work removes meanwhile counts as nothing.
    """
    files = [path]
    if path.is_dir() and not path.is_symlink():
        files = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
    total = 0
    for file in files:
        with suppress(FileNotFoundError):
            total += file.lstat().st_size
    return total


def _lock(layout: Layout, now: datetime) -> Iterator[str]:
    holder = holder_of(layout)
    if holder and now - holder.since >= _HUNG:
        since = numbers.duration((now - holder.since).total_seconds())
        yield (
            f"{holder.kind.capitalize()} is at work in {layout.root}: process {holder.process}, for"
            f" {since}.\nLook at that process, and end it if it hangs."
        )


def _warehouse(layout: Layout) -> Iterator[str]:
    """Yield what keeps a batch from opening the warehouse, if it is there."""
    file = layout.warehouse
    if not file.exists():
        return
    if (process := user_of(file)) is not None:
        who = f"Process {process}" if process else "Another process"
        yield f"{who} has {file} open.\nIt keeps the next batch out: close it there."
        return
    try:
        with duckdb.connect(config=OFFLINE) as con, open_errors(file):
            con.execute(f"attach '{quoted(file)}' as warehouse (read_only)")
            con.execute("use warehouse")
            require_version(con, layout)
    except AnalyticsError as error:
        yield str(error)
    except duckdb.Error as error:
        cause = str(error).splitlines()[0]
        yield f"{file} cannot be read: {cause}\n`analytics nightly` makes it anew."


def _published(layout: Layout) -> Iterator[str]:
    """Yield that others wrote beside the published file, and what it rests on that is gone."""
    yield from written_beside(layout.published)
    try:
        with open_marts(layout.published) as con:
            loads = con.execute(
                "select distinct workspace_id, load_id from audit.landing_files order by all"
            ).fetchall()
            closings = con.execute(f"{CLOSINGS} audit.closings").fetchall()
    except (duckdb.Error, AnalyticsError):  # `status` tells why its figures cannot be read
        yield from _books(layout, [])
        return
    folders = [layout.landing / workspace_id / load_id for workspace_id, load_id in loads]
    if gone := [each for each in folders if not each.is_dir()]:
        more = f", and {len(gone) - 1:,} more" if len(gone) > 1 else ""
        yield (
            f"{gone[0]} is gone{more}.\n"
            "Put them back from a backup; no `analytics rebuild` is possible without them."
        )
    yield from _books(layout, closings)


def _books(layout: Layout, known: Iterable[Known]) -> Iterator[str]:
    """Verify the books as `analytics books` does."""
    if findings := verify(layout.books, known):
        more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
        yield (
            f"The books in {layout.books} are not as they were closed: {findings[0]}{more}.\n"
            "Put them back from a backup; `analytics books` names all."
        )


def _last_batch(last: LastBatch, now: datetime) -> Iterator[str]:
    when = f"{last.ended_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if last.ended_at > now + timedelta(minutes=5):
        yield f"The last batch ended at {when}, which is to come.\nSet the machine's clock."
    elif last.exit_code:
        told = "\n".join(last.messages)
        yield f"The last batch failed (exit {last.exit_code}) at {when}.\n{told}"
    elif now - last.ended_at > _OLD:
        age = numbers.duration((now - last.ended_at).total_seconds())
        yield f"The last batch ended at {when}, {age} ago.\nSee whether its schedule still runs."
