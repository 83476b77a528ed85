"""Verify the books: every byte of every file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.files import UNFINISHED, read_bytes
from analytics.finance.books.entries import MANIFEST
from analytics.finance.books.reading import (
    Books,
    Finding,
    entry_files,
    lacking,
    read_entries,
    unusable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analytics.finance.books.entries import Closing, Recorded
    from analytics.finance.books.reading import Known


def verified_books(folder: Path, known: Iterable[Known] = ()) -> Books:
    """Read the books and verify every byte of them.

    `known` are closings that were loaded or published. AnalyticsError names the first finding.
    """
    books, findings = verify(folder, known)
    if findings:
        raise unusable(folder, findings[0])
    return books


def verify(folder: Path, known: Iterable[Known] = ()) -> tuple[Books, list[Finding]]:
    """Return the books as far as they can be read, and all that is wrong with them.

    `known` are closings that were loaded or published.
    """
    books, findings = read_entries(folder)
    named = {finding.path for finding in findings}
    findings += [finding for finding in lacking(books, known) if finding.path not in named]
    findings += _additional(folder, books.closings)
    for closing in books.closings:
        findings += _files(folder, closing)
    return books, sorted(set(findings))


def _additional(folder: Path, closings: Sequence[Recorded[Closing]]) -> Iterator[Finding]:
    """Yield each file that no entry names; what a killed close left, the next command removes.

    Files of a closing whose manifest is damaged are unknown, and not told besides.
    """
    entries = entry_files(folder)
    known = {each.file.parent / name for each in closings for name in each.entry.files}
    known.update(entries)
    unread = {file.parent for file in entries if file.name == MANIFEST}
    unread -= {each.file.parent for each in closings}
    for path in folder.rglob("*"):
        within = [path, *path.parents[: path.parents.index(folder)]]
        is_left = any(each.name[0] == "." and each.name.endswith(UNFINISHED) for each in within)
        is_file = path.is_symlink() or not path.is_dir()
        if is_file and not is_left and path not in known and unread.isdisjoint(within):
            yield Finding(path.relative_to(folder).as_posix(), "additional")


def _files(folder: Path, closing: Recorded[Closing]) -> Iterator[Finding]:
    """Yield each file of a closing that is missing or changed."""
    for name, stored in closing.entry.files.items():
        file = closing.file.parent / name
        path = file.relative_to(folder).as_posix()
        try:
            content = read_bytes(file, folder)
        except FileNotFoundError:
            yield Finding(path, "missing")
        except OSError as error:
            yield Finding(path, f"unreadable ({error.strerror})")
        except ValueError as error:
            yield Finding(path, f"changed: {error}")
        else:
            inner = (file, *file.parents[: file.parents.index(folder)])
            if any(each.is_symlink() for each in inner):
                yield Finding(path, "changed: it is a link")
            elif len(content) != stored.byte_count:
                yield Finding(path, f"changed: {len(content)} bytes, not {stored.byte_count}")
            elif hashlib.sha256(content).hexdigest() != stored.sha256:
                yield Finding(path, "changed")
