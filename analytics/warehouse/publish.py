"""Publish: file and site of a batch replace those before at once, by one rename of one link.

    analytics.duckdb -> published/now/analytics.duckdb      site -> published/now/site
    published/now -> 20261120T060012.345678Z                then, in that rename, -> the next one

A folder below `published/` is whole before it has its name, and is never changed. DuckDB follows
the links once, and then opens a file several times. So the folder that was replaced stays until the
next batch begins, for readers who are about to open it; they keep what they have open.
"""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from analytics import files
from analytics.errors import AnalyticsError, advised
from analytics.files import UNFINISHED, link_or_copy
from analytics.warehouse.database import BUILD_FILE, open_marts, read_whole, stop
from analytics.warehouse.layout import Layout
from analytics.warehouse.publications import NAME, file_of_record, write_record

_NOW = "now"
_EARLIER = "0"
"""The folder of what lay in the places of the links; its name sorts before that of any moment."""

_NO_LINKS = {errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_TRIAL = f"trial{UNFINISHED}"
_MOUNTED = {errno.EBUSY, errno.EXDEV}


@contextmanager
def copying(layout: Layout) -> Iterator[None]:
    """Stage a copy of the build file, and read it whole, meanwhile; wait for the end of both.

    DamagedError if the file is damaged; AnalyticsError or OSError where it cannot be copied. After
    any error, nothing is staged.
    """
    opened: list[duckdb.DuckDBPyConnection] = []

    def read() -> None:
        with open_marts(layout.marts) as marts:
            opened.append(marts)
            read_whole(marts, BUILD_FILE)

    try:
        with ThreadPoolExecutor(2) as workers:
            calls = [workers.submit(read), workers.submit(_copy, layout.marts, layout.staged_file)]
            try:
                yield
                for call in calls:
                    call.result()
            except BaseException:
                if opened:
                    stop({calls[0]: opened[0]})
                raise
    except BaseException:
        files.remove(layout.staged)
        raise


def publish(layout: Layout, moment: datetime, mode: int, record: bytes | None = None) -> None:
    """Publish what is staged, with the permissions of `mode`, and write its record.

    When this returns, all of it is on the disk. AnalyticsError or OSError if something is in the
    way; then nothing was replaced. What it replaced stays until `tidy`.
    """
    folder, now = layout.published / moment.astimezone(UTC).strftime(NAME), layout.published / _NOW
    try:
        files.add_read_bits(layout.root, mode)
        layout.published.chmod(files.folder_mode(mode))
        files.set_modes(layout.staged, mode)
        files.sync_tree(layout.staged)
        layout.staged.rename(folder)
        if record is not None:
            write_record(layout, folder.name, record)
        for path in _places(layout):
            _put_link(layout, path, _target(path))
        files.sync(layout.root)
        _put_link(layout, now, folder.name)
        files.sync(layout.published)
    except Exception:
        if _current(layout) != folder.name:
            _undo(layout, folder)
            files.remove(layout.staged)
        raise
    finally:
        for path in _places(layout):  # of a fleet, one may have gone
            if path.is_symlink() and not path.exists():
                path.unlink()


def tidy(layout: Layout) -> None:
    """Remove all of `published/` but the last publication; undo one that was interrupted.

    AnalyticsError if `published` is no folder: what a link leads to is not ours to remove.
    """
    if os.path.lexists(layout.published) and (
        layout.published.is_symlink() or not layout.published.is_dir()
    ):
        kind = "link" if layout.published.is_symlink() else "file"
        raise AnalyticsError(
            f"{layout.published} is a {kind}, where batches publish.\n"
            "Nothing was changed. Move it away, and run again."
        )
    now = layout.published / _NOW
    names = ("*Z", _EARLIER, f"*{UNFINISHED}")
    folders = [each for name in names for each in layout.published.glob(name)]
    if _current(layout) not in {each.name for each in folders}:
        files.remove(now)  # a copy that has followed the link, or a link of others
        # The first one was interrupted; or it was copied without links.
        if whole := [each for each in folders if file_of_record(layout, each.name).exists()]:
            for path in _places(layout):
                if not os.path.lexists(path):
                    _put_link(layout, path, _target(path))
            _put_link(layout, now, max(whole).name)
    current = _current(layout)
    for folder in folders:
        if folder.name > current:
            _undo(layout, folder)
        elif folder.name != current:
            files.remove(folder)


def require_places(layout: Layout) -> None:
    """Raise AnalyticsError unless links can stand in the places of file and site.

    A file and a site that a copy has brought, which followed the links, go where these lead.
    """
    for path in _places(layout):
        is_other_link = path.is_symlink() and _leads_to(path) != _target(path)
        is_folder = not path.is_symlink() and path.is_dir() and path != layout.site
        if is_other_link or is_folder:
            kind = "link" if is_other_link else "folder"
            raise AnalyticsError(
                f"{path} is a {kind}, where what is published belongs.\n"
                "Nothing was published. Move it away, and run again."
            )
    layout.published.mkdir(exist_ok=True)
    if os.geteuid() not in (0, layout.published.stat().st_uid):
        raise AnalyticsError(
            f"{layout.published} belongs to another user, so that nobody else can publish there.\n"
            "Run as that user, or move it away, and run again."
        )
    try:
        _try_links(layout)
    except OSError as error:
        if error.errno in _MOUNTED:
            raise _mounted(layout.published) from error
        if error.errno not in _NO_LINKS:
            raise
        raise AnalyticsError(
            f"{layout.root} is on a file system without symbolic links ({error.strerror}), by which"
            " file and pages are replaced at once.\nName a folder of another one with --data-dir."
        ) from error
    if found := [each for each in _places(layout) if each.exists() and not each.is_symlink()]:
        _carry_over(layout, found)


def _carry_over(layout: Layout, found: list[Path]) -> None:
    """Put what is no link where the link leads, and the link in its place.

    The file goes last, and is never away: while it is there, this is done again after a kill.
    """
    folder = layout.published / (_current(layout) or _EARLIER)
    folder.mkdir(exist_ok=True)
    for each in (layout.published, folder):
        files.add_read_bits(each, stat.S_IMODE(found[-1].stat().st_mode))
    if not _current(layout):
        _put_link(layout, layout.published / _NOW, folder.name)
    for path in _places(layout):
        target = folder / path.name
        try:
            if path in found:
                files.remove(target)
                (link_or_copy if path.is_file() else Path.rename)(path, target)
            if target.exists():
                _put_link(layout, path, _target(path))
        except OSError as error:
            if error.errno not in _MOUNTED:
                raise
            raise _mounted(path) from error


def _try_links(layout: Layout) -> None:
    """Make a link, and rename it as the first publication does."""
    trial = layout.published / _TRIAL
    trial.symlink_to(_NOW)
    if any(_leads_to(path) != _target(path) for path in _places(layout)):
        trial = trial.replace(layout.root / _TRIAL)
    trial.unlink()


def _mounted(path: Path) -> AnalyticsError:
    return AnalyticsError(
        f"{path} is mounted, so that no link can take its place, or leave it.\n"
        "Nothing was published. Mount the folder above instead, and run again."
    )


def _undo(layout: Layout, folder: Path) -> None:
    files.remove(file_of_record(layout, folder.name))
    files.remove(folder)


def _copy(source: Path, target: Path) -> None:
    """Copy in a child process: closing the file in this one would release DuckDB's lock on it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # A link that others put there would be followed.
    with files.named_if_full(target), target.open("xb") as copy:
        done = subprocess.run(
            ["cat", "--", source], stdout=copy, stderr=subprocess.PIPE, text=True, check=False
        )
        os.fsync(copy.fileno())
    if done.returncode:
        raise AnalyticsError(
            advised(f"{source} cannot be copied to {target}: {done.stderr.strip()}.")
        )


def _places(layout: Layout) -> tuple[Path, Path]:
    return layout.site, layout.published_file


def _target(path: Path) -> str:
    """Return where the link in the place of file or site leads."""
    return f"published/{_NOW}/{path.name}"


def _current(layout: Layout) -> str:
    """Return the name of the folder that is published; empty for none."""
    return _leads_to(layout.published / _NOW)


def _leads_to(path: Path) -> str:
    """Return the text of a link; empty for anything else."""
    return str(path.readlink()) if path.is_symlink() else ""


def _put_link(layout: Layout, path: Path, target: str) -> None:
    """Let a name lead to a target, in one rename of what others may find."""
    if _leads_to(path) == target:
        return
    made = layout.published / f"{path.name}{UNFINISHED}"
    files.remove(made)
    made.symlink_to(target)
    made.replace(path)
