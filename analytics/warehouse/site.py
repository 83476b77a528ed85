"""A site on the disk: its manifest, and how its files are replaced where its folder cannot be.

That is so where `site` is a link to the folder of a web server, or a mount point: only the files
within can change. The new ones are written to a folder within it first, from which each replaces
its predecessor by a rename, the manifest last; an interruption is completed from there.
"""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from analytics import disk
from analytics.disk import folder_mode, remove, set_modes, sync_file_system
from analytics.errors import AnalyticsError
from analytics.files import read_bytes

MANIFEST = "manifest.json"
_STAGED = ".next"


class Manifest(msgspec.Struct):
    """The SHA-256 of each file, and a digest of the inputs of those that can be taken over.

    `as_of` is the cut-off of the figures.
    """

    as_of: str = ""
    files: dict[str, str] = {}
    inputs: dict[str, str] = {}


def read_manifest(site: Path) -> Manifest:
    """Return the manifest of a site; an empty one if it cannot be read, whatever stands there."""
    try:
        return msgspec.json.decode(read_bytes(site / MANIFEST, site), type=Manifest)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return Manifest()


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Give a file a second name; copy it where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def require_writable(site: Path) -> None:
    """Raise AnalyticsError for a site of another user: who cannot write there moves no folder."""
    if site.is_dir() and not os.access(site, os.W_OK | os.X_OK):
        raise _not_replaced(site, os.strerror(errno.EACCES), str(site))


def _not_replaced(site: Path, cause: str | None, place: str | None) -> AnalyticsError:
    return AnalyticsError(
        f"The pages in {site} cannot be replaced: {cause}: {place}.\n"
        "Nothing was published. Let the batch write there; of a link, the folder must exist."
    )


def stage_within(site: Path, new: Path, mode: int) -> None:
    """Write the files of the folder `new` that differ from those of a site beside them, flushed.

    AnalyticsError if they cannot be written, or could not replace what stands there.
    """
    staged = site / _STAGED
    try:
        if not site.is_symlink():
            site.mkdir(exist_ok=True)
        remove(staged)
        staged.mkdir()
        for path in _folders(new):
            (site / path).mkdir(exist_ok=True)
            (site / path).chmod(folder_mode(mode))
            (staged / path).mkdir()
        for path in _files(new):
            _require_no_folder(site / path)
            if path.name == MANIFEST or not _is_same(new / path, site / path):
                link_or_copy(new / path, staged / path)
        set_modes(staged, mode)
        sync_file_system(staged)
    except OSError as error:
        raise _not_replaced(site, error.strerror, error.filename) from error


def discard_staged(site: Path) -> None:
    """Remove the files that were staged within a site, which stays as it is."""
    remove(site / _STAGED)


def replace_staged(site: Path) -> None:
    """Replace the files of a site by those that were staged within it, if any were.

    Files of the site before that the new one lacks are removed, and no others.
    """
    staged = site / _STAGED
    if (staged / MANIFEST).is_file():
        for path in _files(staged):
            if path.name != MANIFEST:
                (staged / path).replace(site / path)
        _remove_files(site, {*_names(site)} - {*_names(staged)})
        (staged / MANIFEST).replace(site / MANIFEST)
        sync_file_system(site)
    remove(staged)


def _require_no_folder(path: Path) -> None:
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def _is_same(new: Path, old: Path) -> bool:
    try:
        return filecmp.cmp(new, old, shallow=False)
    except OSError:
        return False


def _folders(top: Path) -> Iterator[PurePosixPath]:
    """Yield the path of each folder below another, relative to it, after those that hold it."""
    for folder, names, _ in os.walk(top):
        yield from (PurePosixPath(Path(folder, name).relative_to(top)) for name in names)


def _files(top: Path) -> Iterator[PurePosixPath]:
    """Yield the path of each file below a folder, relative to it."""
    for folder, _, names in os.walk(top):
        yield from (PurePosixPath(Path(folder, name).relative_to(top)) for name in names)


def _names(site: Path) -> Iterator[PurePosixPath]:
    """Yield the paths that a manifest names, but for those that lead out of its site."""
    for path in map(PurePosixPath, read_manifest(site).files):
        if path.parts and ".." not in path.parts and not path.is_absolute():
            yield path


def _remove_files(site: Path, paths: Iterable[PurePosixPath]) -> None:
    """Remove files, and folders that hold no others."""
    for path in paths:
        with suppress(OSError, ValueError):  # nothing, or a folder, or no name that a file can have
            if disk.real((site / path).parent).is_relative_to(disk.real(site)):
                (site / path).unlink()
                for folder in path.parents[:-1]:
                    (site / folder).rmdir()
