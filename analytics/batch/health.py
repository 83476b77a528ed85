"""Checks of a data directory and of the machine below it, for `analytics doctor`.

Nothing is written but one probe file, which is removed. While a batch is at work, its files are
left alone.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import duckdb
import msgspec

from analytics import __version__, disk
from analytics.batch.last_batch import LastBatch, read_last_batch
from analytics.batch.leftovers import KEEP_DAYS, leftovers, size_of
from analytics.disk import sync
from analytics.errors import AnalyticsError, BusyError
from analytics.finance.books.reading import CLOSINGS, read_books
from analytics.finance.books.verifying import verify
from analytics.format import numbers
from analytics.transform.build_state import compare_build_file
from analytics.warehouse.damage import log_of
from analytics.warehouse.database import (
    OFFLINE,
    open_errors,
    open_marts,
    quoted,
    require_version,
)
from analytics.warehouse.holders import Holder, at_rest, holder_of, user_of
from analytics.warehouse.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from analytics.warehouse.layout import Layout

State = Literal["ok", "note", "problem"]

_HUNG = timedelta(hours=24)
_OLD = timedelta(hours=48)
_SPARE = 100_000_000
"""Bytes beside those of the files that a batch may write anew: landing files, logs, spilled rows"""

_REMOTE = ("nfs", "cifs", "smb", "9p", "fuse", "afs", "ceph", "lustre", "gluster")


class Check(msgspec.Struct, frozen=True):
    """A check: `note` for what needs no hand, `problem` for what does, with the remedy."""

    name: str
    state: State
    finding: str
    remedy: str = ""


def release() -> Check:
    """Tell the versions of this program and of what it stands on."""
    import polars

    return Check(
        "release",
        "ok",
        f"levain-analytics {__version__}, data version {SCHEMA_VERSION}, Python"
        f" {platform.python_version()}, DuckDB {duckdb.__version__}, Polars {polars.__version__}",
    )


def directory_checks(layout: Layout, now: datetime) -> Iterator[Check]:
    """Yield all checks of a data directory; one where there is none yet, or it cannot be used."""
    try:
        unusable = _unusable(layout.root)
        if not unusable:
            size = numbers.size(size_of(layout.root))
            usable = [
                Check("data directory", "ok", f"{layout.root}, {size}"),
                _file_system(layout.root),
                _disk(layout),
            ]
    except OSError as error:
        unusable = _no_directory(
            f"{error.filename or layout.root}: {error.strerror}",
            "Let the user of the batch read and write there, or name another --data-dir.",
        )
    if unusable:
        yield unusable
        return
    yield from usable
    yield _lock(holder_of(layout), now)
    of_warehouse: list[Check] = []
    of_rows: list[Check] = []
    of_next: list[Check] = []
    with suppress(BusyError), at_rest(layout):
        of_warehouse += _warehouse(layout)
        of_rows += _published_rows(layout)
        of_next.append(_next_batch(layout, now))
    yield from of_warehouse
    yield _published(layout)
    yield from of_rows
    yield from _landing(layout)
    yield _last_batch(read_last_batch(layout), now)
    yield _books(layout)
    yield from of_next


def _no_directory(finding: str, remedy: str) -> Check:
    return Check("data directory", "problem", finding, remedy)


def _unusable(root: Path) -> Check | None:
    """Return why a batch cannot use a data directory, or that it is not there yet."""
    if root.is_symlink() and not root.exists():
        return _no_directory(
            f"{root} is a link to {root.readlink()}, which is not there",
            "Mount the disk that it is on, or let the link lead to another folder.",
        )
    if not root.exists():
        return Check("data directory", "note", f"{root} is not there: the first batch makes it")
    if not root.is_dir():
        return _no_directory(f"{root} is no folder", "Name another --data-dir.")
    if os.statvfs(root).f_flag & os.ST_RDONLY:
        return _no_directory(
            f"{root} is on a file system that is mounted read-only",
            "Mount it for writing, or name another --data-dir.",
        )
    if closed := _closed_to_us(root):
        files = numbers.plural(len(closed), "file or folder", "files and folders")
        return _no_directory(
            f"{files} cannot be used by this user, the first is {closed[0]}",
            f"They are of another user, such as root: `chown -R $(id -u) {root}`.",
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


def _file_system(folder: Path) -> Check:
    """Try on a probe file all that a batch needs: sync, rename over another file, locks."""
    kind = _kind_of(folder) or "it"
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as name:
        probe, other = Path(name) / "probe", Path(name) / "other"
        other.write_bytes(b"before")
        with probe.open("wb") as file, other.open("rb") as reader:
            file.write(b"after")
            file.flush()
            os.fsync(file.fileno())
            probe.replace(other)
            sync(Path(name))
            fails = reader.read() != b"before" or other.read_bytes() != b"after"
        if fails:
            return Check(
                "file system",
                "problem",
                f"{kind} does not replace a file in one step",
                "Keep the data directory on a local disk.",
            )
        with other.open("rb") as one, other.open("rb") as two:
            fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                text = f"{kind} syncs, renames and locks"
                if not kind.startswith(_REMOTE):
                    return Check("file system", "ok", text)
                seen = f"{text} on this machine; whether on others too cannot be seen from here"
                return Check("file system", "note", seen)
    return Check(
        "file system",
        "problem",
        f"{kind} lets two processes hold one lock",
        "Keep the data directory on a local disk: two batches at once would spoil it.",
    )


def _kind_of(folder: Path) -> str:
    """Return the name of the file system that holds a folder, empty where nothing tells it."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    real = disk.real(folder)
    found = [
        (len(where), kind)
        for _, where, kind, *_ in (line.split(" ") for line in mounts.splitlines())
        if real.is_relative_to(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), where))
    ]
    return max(found)[1] if found else ""


def _disk(layout: Layout) -> Check:
    """Compare the free space with that of a batch which makes all files anew."""
    found = os.statvfs(layout.root)
    free = found.f_bavail * found.f_frsize
    files = (layout.warehouse, layout.marts, layout.marts, layout.site)
    needed = _SPARE + sum(size_of(each) for each in files if each.exists())
    text = (
        f"{numbers.size(free)} are free; a batch that makes all anew needs {numbers.size(needed)}"
    )
    if free >= needed and (found.f_favail > 10_000 or not found.f_files):
        return Check("disk", "ok", text)
    if free >= needed:
        text = f"only {found.f_favail:,} more files can be made"
    return Check(
        "disk", "problem", text, "Make room; `analytics prune` says what may go from here."
    )


def _lock(holder: Holder | None, now: datetime) -> Check:
    if holder is None:
        return Check("lock", "ok", "no batch is at work")
    since = numbers.duration((now - holder.since).total_seconds())
    text = f"{holder.kind} is at work: process {holder.process}, for {since}"
    if now - holder.since < _HUNG:
        return Check("lock", "note", text)
    return Check("lock", "problem", text, "Look at that process, and end it if it hangs.")


def _warehouse(layout: Layout) -> Iterator[Check]:
    """Yield that the warehouse can be opened, and whether its layout is that of this release."""
    file = layout.warehouse
    if not file.exists():
        return
    if (process := user_of(file)) is not None:
        yield _in_use(file, process, "It keeps the next batch out: close it there.")
        return
    try:
        with duckdb.connect(config=OFFLINE) as con, open_errors(file):
            con.execute(f"attach '{quoted(file)}' as warehouse (read_only)")
            con.execute("use warehouse")
            require_version(con, layout)
    except (AnalyticsError, duckdb.Error) as error:
        yield _unreadable(file.name, file, error)
    else:
        yield Check(file.name, "ok", f"{numbers.size(file.stat().st_size)}, of this release")


def _published(layout: Layout) -> Check:
    """Tell whether the published file can be read, and whether somebody may write to it."""
    file = layout.published
    if not file.exists():
        return Check("published file", "note", "nothing has been published yet")
    log = log_of(file)
    process = user_of(file, writing=True)
    if process is not None or log.exists():
        who = f"process {process}" if process else "a program"
        left = f", and left {log.name}" if log.exists() else ""
        return Check(
            "published file",
            "problem",
            f"{who} opened {file} for writing{left}",
            "Close it there, and open the file read-only; the next batch publishes it anew.",
        )
    try:
        with open_marts(file) as con:
            ((at,),) = con.execute("select max(checked_at) from audit.check_results").fetchall()
    except (duckdb.Error, AnalyticsError) as error:
        return _unreadable("published file", file, error)
    when = f", published {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""
    return Check("published file", "ok", f"{numbers.size(file.stat().st_size)}{when}")


def _published_rows(layout: Layout) -> Iterator[Check]:
    """Tell whether all rows are those of the build; of nothing where the two cannot be compared."""
    try:
        with open_marts(layout.published) as con:
            con.execute(f"attach '{quoted(layout.warehouse)}' as warehouse (read_only)")
            count, changed = compare_build_file(con)
    except (duckdb.Error, AnalyticsError):  # the checks of the two files say so
        return
    if changed:
        more = f", and {len(changed) - 1} more" if len(changed) > 1 else ""
        finding = f"{changed[0]}{more}: another program has changed rows"
        remedy = "The next batch publishes them anew; until then, trust no figure of this file."
        yield Check("published rows", "problem", finding, remedy)
    elif count:
        yield Check("published rows", "ok", f"{count} tables as they were built")


def _landing(layout: Layout) -> Iterator[Check]:
    """Tell whether each load of the published figures is there; of none, where they are unread."""
    try:
        with open_marts(layout.published) as con:
            loads = con.execute(
                "select distinct workspace_id, load_id from audit.landing_files order by all"
            ).fetchall()
    except (duckdb.Error, AnalyticsError):  # the check of the published file says so
        return
    folders = [layout.landing / workspace_id / load_id for workspace_id, load_id in loads]
    if gone := [each for each in folders if not each.is_dir()]:
        more = f", and {len(gone) - 1:,} more" if len(gone) > 1 else ""
        remedy = "Put them back from a backup; no `analytics rebuild` is possible without them."
        yield Check("landing", "problem", f"{gone[0]} is gone{more}", remedy)
    else:
        yield Check("landing", "ok", f"{numbers.plural(len(loads), 'load')} of what is published")


def _unreadable(name: str, file: Path, error: Exception) -> Check:
    if isinstance(error, AnalyticsError):
        finding, _, remedy = str(error).partition("\n")
        return Check(name, "problem", finding, remedy)
    finding = f"{file} cannot be read: {str(error).splitlines()[0]}"
    return Check(name, "problem", finding, "`analytics nightly` makes it anew.")


def _in_use(file: Path, process: int, remedy: str) -> Check:
    who = f"process {process}" if process else "another process"
    return Check(file.name, "problem", f"{who} has {file} open", remedy)


def _last_batch(last: LastBatch | None, now: datetime) -> Check:
    name = "last batch"
    if last is None:
        return Check(name, "note", "none has left its result")
    text = f"ended {last.ended_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if last.ended_at > now + timedelta(minutes=5):
        return Check(name, "problem", f"{text}, which is to come", "Set the machine's clock.")
    if last.exit_code:
        first = last.messages[0] if last.messages else ""
        remedy = "`analytics status` has all of it, and the runbook what to do."
        return Check(name, "problem", f"{text} with exit {last.exit_code}: {first}", remedy)
    if now - last.ended_at > _OLD:
        age = numbers.duration((now - last.ended_at).total_seconds())
        return Check(name, "problem", f"{text}, {age} ago", "See whether its schedule still runs.")
    seconds = numbers.duration((last.ended_at - last.started_at).total_seconds())
    return Check(name, "ok", f"{text}, well, after {seconds}")


def _books(layout: Layout) -> Check:
    """Verify the books as `analytics books` does."""
    known = []
    if layout.published.exists():
        try:
            with open_marts(layout.published) as con:
                known = con.execute(f"{CLOSINGS} audit.closings").fetchall()
        except (duckdb.Error, AnalyticsError):  # the check of the published file says so
            known = []
    if findings := verify(layout.books, known):
        more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
        remedy = "Put them back from a backup; `analytics books` names all."
        return Check("books", "problem", f"{findings[0]}{more}", remedy)
    count = len(read_books(layout.books).closings)
    if not count:
        return Check("books", "ok", "no month is closed")
    closings = numbers.plural(count, "closing")
    return Check("books", "ok", f"{closings}, every byte as it was closed")


def _next_batch(layout: Layout, now: datetime) -> Check:
    """Tell what the next batch puts right by itself."""
    parts = []
    if log_of(layout.warehouse).exists():
        parts.append("takes over what a stopped batch had stored")
    if not layout.warehouse.exists() and any(layout.landing.glob("*/*")):
        parts.append("loads all landing folders, as there is no warehouse")
    elif not layout.marts.exists() and layout.warehouse.exists():
        parts.append("builds all marts, as there is no build file")
    if layout.publishing.exists():
        parts.append("completes a publication that was cut off")
    if layout.staged_site.exists():
        parts.append("replaces pages that were not published")
    if found := leftovers(layout, now, KEEP_DAYS):
        total = numbers.size(sum(each.byte_count for each in found))
        count = numbers.plural(len(found), "leftover")
        parts.append(f"finds {count} of {total}, which `analytics prune` removes")
    if not parts:
        return Check("next batch", "ok", "it has nothing to put right")
    return Check("next batch", "note", "it " + ", ".join(parts))
