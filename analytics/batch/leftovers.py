"""Files that no figure needs: left by work that was cut off, or set aside as damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from analytics.disk import remove
from analytics.errors import AnalyticsError
from analytics.warehouse.holders import at_rest

if TYPE_CHECKING:
    from analytics.warehouse.layout import Layout

# `site.next` is none: where a publication was cut off, the next command may complete it.
_CUT_OFF = (
    ("landing/*/*.unfinished", "a load that was cut off: a batch reads it anew"),
    ("books/*/.*.unfinished", "a close or a reopening that was cut off"),
    ("publications/*.unfinished", "a record of a publication that was cut off"),
    ("rebuild.unfinished", "a rebuild that was cut off"),
    ("site.unfinished", "pages that were cut off"),
    ("warehouse.next.duckdb*", "a copy of the warehouse that was cut off"),
    ("build.next.duckdb*", "marts that were cut off"),
    ("build.previous.duckdb*", "marts that a full build was compared with"),
    ("analytics.duckdb.next", "a copy of the marts that was cut off"),
    (".*.unfinished", "a small file, such as the result of a batch, that was cut off"),
    (".doctor-*", "a probe of `analytics doctor` that was cut off"),
)

KEEP_DAYS = 30
"""Days that a damaged file is kept unless the command says otherwise."""

_SET_ASIDE = (("warehouse.damaged-*", "a damaged warehouse that a batch made anew"),)


class Leftover(msgspec.Struct, frozen=True):
    """A file or folder that may go: its size in bytes, when it was last changed, and its origin."""

    path: Path
    byte_count: int
    modified_at: datetime
    origin: str


class Kept(msgspec.Struct, frozen=True):
    """A part of the data directory that stays, its size in bytes, and what needs it."""

    name: str
    byte_count: int
    needed_by: str


def leftovers(layout: Layout, now: datetime, keep_days: int) -> list[Leftover]:
    """Return what nothing needs: left by interrupted work, or set aside for over `keep_days`."""
    cut_off = [each for pattern, origin in _CUT_OFF for each in _found(layout, pattern, origin)]
    aside = [each for pattern, origin in _SET_ASIDE for each in _found(layout, pattern, origin)]
    end = now - timedelta(days=keep_days)
    return cut_off + [each for each in aside if each.modified_at <= end]


def _found(layout: Layout, pattern: str, origin: str) -> Iterator[Leftover]:
    for path in sorted(layout.root.glob(pattern)):
        changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
        yield Leftover(path, size_of(path), changed, origin)


def kept(layout: Layout) -> Iterator[Kept]:
    """Yield the parts that grow, of which nothing can be spared."""
    for folder, needed_by in (
        (layout.landing, "`rebuild` makes every figure of it, and `trace` leads to its lines"),
        (layout.books, "closed months, which nothing makes again; `books` reads every byte"),
        (
            layout.publications,
            "adjustments follow from it, also after a rebuild",
        ),
    ):
        if folder.exists():
            yield Kept(folder.name, size_of(folder), needed_by)


def prune(layout: Layout, keep_days: int, *, apply: bool) -> list[Leftover]:
    """Return the leftovers, and delete them if `apply`.

    AnalyticsError if there is no data directory; BusyError while a batch is at work, whose files
    would look like leftovers; OSError if one cannot be deleted.
    """
    if not layout.root.is_dir():
        raise AnalyticsError(f"There is no data directory {layout.root}.\nName it with --data-dir.")
    with at_rest(layout):
        found = leftovers(layout, datetime.now(UTC), keep_days)
        if apply:
            for each in found:
                remove(each.path)
        return found


def size_of(path: Path) -> int:
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
