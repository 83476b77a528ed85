"""Publish: file and site of a batch replace those before at once, whatever is killed, and when.

No system replaces two names in one step. So both are links for a moment, through which readers find
what they found before, and one step leads both links elsewhere:

    analytics.duckdb -> publishing/now/analytics.duckdb     site -> publishing/now/site
    publishing/now -> before                                then, in one step, -> after

Afterwards file and site take the places of the links to them. A batch that is killed in between
leaves links, which the next command replaces so. Where names cannot be exchanged, as on macOS, the
site and then the file are renamed, which a kill may leave of two batches until the next command.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import duckdb

from analytics import disk
from analytics.errors import AnalyticsError
from analytics.machine_clock import machine_time
from analytics.warehouse.layout import Layout, logs_of

_IMPOSSIBLE = {
    errno.EXDEV,  # a folder of an image, below a container
    errno.EINVAL,  # no exchange on this file system, or no links
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EPERM,
}


@contextmanager
def copying(layout: Layout) -> Iterator[Callable[[], object]]:
    """Copy the finished marts meanwhile; yield what waits until the copy is on the disk.

    That raises AnalyticsError or OSError where they cannot be copied.
    """

    def copy() -> None:
        _copy(layout.marts, layout.next_published)
        disk.sync(layout.next_published)

    try:
        with ThreadPoolExecutor(1) as worker:
            yield worker.submit(copy).result
    finally:
        disk.remove(layout.next_published)


def publish(layout: Layout, mode: int, copied: Callable[[], object]) -> None:
    """Publish the copy of the marts and the staged site, with the permissions of `mode`.

    `copied` waits for the copy, and for whatever verifies it. When this returns, both are on the
    disk. With no site staged, the published one stays. Readers keep the files that they have open.
    AnalyticsError or OSError if something is in the way; then, and after any error of `copied`,
    nothing was replaced.
    """
    repair(layout, besides=layout.next_published)
    for path in (layout.published, layout.site):
        if path.is_symlink() or (path == layout.published and path.is_dir()):
            kind = "link" if path.is_symlink() else "folder"
            raise AnalyticsError(
                f"{path} is a {kind}, where what is published belongs.\n"
                "Nothing was published. Move it away, and run again."
            )
    try:
        copied()
        _prepare(layout, mode)
        _replace(layout)
    except Exception as error:
        with suppress(OSError):
            repair(layout)
        if isinstance(error, OSError) and error.errno == errno.EBUSY:
            raise AnalyticsError(
                f"{error.filename2 or error.filename} is mounted, so that nothing else can take its"
                " place.\nNothing was published. Mount its folder instead, and run again."
            ) from error
        raise
    repair(layout)


def repair(layout: Layout, *, besides: Path | None = None) -> None:
    """Complete, or undo, a publication that was interrupted, and remove what batches left.

    What lies `besides` is of the batch at work, and stays. Logs beside the published file are of
    other programs that opened it for writing: DuckDB would apply them to the next file, and fail.
    """
    for log in logs_of(layout.published):
        disk.remove(log)
    if _replace_links(layout):
        disk.sync(layout.root)
    now, after = layout.publishing / "now", layout.publishing / "after"
    site, old = after / layout.site.name, layout.publishing / "before" / layout.site.name
    if (after / layout.published.name).is_file() and _target(now) != "after":
        if old.is_dir() and not old.is_symlink():  # it was renamed, and the file was not
            disk.remove(layout.site)
            old.rename(layout.site)
        if site.is_dir() and not layout.staged_site.exists():
            site.rename(layout.staged_site)
    # A program may have followed a link to the file just before, so the file goes last.
    for left in (old, site, *layout.leftovers):
        if left != besides:
            disk.remove(left)
    if layout.staged_site.is_symlink() or not layout.staged_site.is_dir():
        disk.remove(layout.staged_site)


def record_publication(con: duckdb.DuckDBPyConnection) -> datetime:
    """Record which loads the attached marts contain, as published now if not before; return now.

    Where the machine's clock went back, now is just after the last publication.
    """
    ((moment,),) = con.execute(
        "select greatest(?, max(published_at) + interval 1 microsecond) from ledger.loads",
        [machine_time()],
    ).fetchall()
    con.execute(
        """
        update ledger.loads set published_at = ?
        where published_at is null
            and (workspace_id, load_id) in (select workspace_id, load_id from audit.loads)
        """,
        [moment],
    )
    return moment  # type: ignore[no-any-return]  # an instant


def _prepare(layout: Layout, mode: int) -> None:
    """Make file and site what they will be, in a folder beside their places, on the disk."""
    disk.add_read_bits(layout.root, mode)
    before, after = layout.publishing / "before", layout.publishing / "after"
    for folder in (layout.publishing, before, after):
        folder.mkdir()
        folder.chmod(disk.folder_mode(mode))
    layout.next_published.rename(after / layout.published.name)
    (after / layout.published.name).chmod(mode)
    if layout.staged_site.is_dir():
        disk.set_modes(layout.staged_site, mode)
        layout.staged_site.rename(after / layout.site.name)
    disk.sync_file_system(layout.publishing)


def _copy(source: Path, target: Path) -> None:
    """Copy in a child process: closing the file in this one would release DuckDB's lock on it."""
    disk.remove(target)
    with target.open("xb") as copy:  # a link that others put there would be followed
        done = subprocess.run(
            ["cat", "--", source], stdout=copy, stderr=subprocess.PIPE, text=True, check=False
        )
    if done.returncode:
        raise AnalyticsError(f"{source} cannot be copied to {target}: {done.stderr.strip()}")


def _replace(layout: Layout) -> None:
    """Replace file and site by those that were prepared."""
    new = layout.publishing / "after" / layout.site.name
    if new.is_dir():
        if _replace_at_once(layout):
            return
        _replace_links(layout)
        old = layout.publishing / "before" / layout.site.name
        disk.remove(old)
        if layout.site.exists():
            layout.site.rename(old)
        new.rename(layout.site)
    (new.parent / layout.published.name).replace(layout.published)
    disk.sync(layout.root)


def _replace_at_once(layout: Layout) -> bool:
    """Replace the file, and the site by a link to the new one; False if that cannot be done here.

    DuckDB opens what a link leads to by its own name. So the file is a link for three calls only:
    no sync lies between them, as file systems keep the order of changes of names.
    """
    publishing, file, site = layout.publishing, layout.published, layout.site
    now, after = publishing / "now", publishing / "after"
    try:
        now.symlink_to("before")
        (after / "now").symlink_to("after")
        (after / "trial").symlink_to("after")
        disk.exchange(after / "now", after / "trial")
        os.link(after / file.name, publishing / file.name)
        (publishing / "before" / file.name).symlink_to(_link_of(file))
        (publishing / "before" / site.name).symlink_to(_link_of(site))
        _put_link(publishing / "before" / site.name, site)
        for folder in (after, publishing / "before", publishing, layout.root):
            disk.sync(folder)
        _put_link(publishing / "before" / file.name, file)
    except OSError as error:
        if error.errno in _IMPOSSIBLE:
            return False
        raise
    (after / "now").replace(now)
    (publishing / file.name).replace(file)
    disk.sync(publishing)
    return True


def _put_link(link: Path, path: Path) -> None:
    """Put a link in the place of a file or folder, which takes the place of the link."""
    if os.path.lexists(path):
        disk.exchange(link, path)
    else:
        link.rename(path)


def _replace_links(layout: Layout) -> bool:
    """Replace the links to file and site by what readers find there; False if there are none."""
    links = [each for each in (layout.published, layout.site) if _target(each) == _link_of(each)]
    for link in links:
        found = layout.publishing / "now" / link.name
        if found.is_dir():
            disk.exchange(found, link)
        elif found.exists():
            spare = layout.publishing / link.name
            spare.unlink(missing_ok=True)
            os.link(found, spare)
            spare.replace(link)
        else:
            link.unlink()
    return bool(links)


def _link_of(path: Path) -> str:
    return f"publishing/now/{path.name}"


def _target(path: Path) -> str | None:
    """Return the text of a link; None for anything else."""
    return str(path.readlink()) if path.is_symlink() else None
