"""The books as they lie on disk: their entries in order, the months in force, what is wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from analytics.errors import AnalyticsError
from analytics.finance.books.entries import (
    MANIFEST,
    Closing,
    Recorded,
    Reopening,
    decode,
    path_of,
)

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

UNFINISHED = ".unfinished"
"""The ending of what a close or a reopening is still writing, or left when it was killed."""

_MONTH = re.compile(r"\d{4}-\d\d")
_REVISION = re.compile(r"r[1-9]\d*")
_REOPENING = re.compile(r"r[1-9]\d*\.reopened\.json")


class Finding(NamedTuple):
    """A thing that is wrong with the books: its path within them, and what is wrong."""

    path: str
    kind: str

    def __str__(self) -> str:
        return f"{self.path}: {self.kind}"


@dataclass(frozen=True)
class Books:
    """All entries in their order, and the closings in force by month."""

    folder: Path
    entries: Sequence[Recorded] = ()
    in_force: dict[date, Recorded] = field(default_factory=dict)

    @property
    def last_month(self) -> date | None:
        """The last closed month; None if none is closed."""
        return max(self.in_force, default=None)

    @property
    def head(self) -> str | None:
        """The hash of the newest entry."""
        return self.entries[-1].sha256 if self.entries else None

    def revisions(self, month: date) -> list[Recorded]:
        """Return the closings of a month, in force or reopened, in order."""
        return [
            each
            for each in self.entries
            if isinstance(each.entry, Closing) and each.entry.first_day == month
        ]

    def reopening(self, closing: Recorded) -> Reopening | None:
        """Return the reopening of a closing; None while it is in force."""
        for each in self.entries:
            if isinstance(each.entry, Reopening) and (each.entry.month, each.entry.revision) == (
                closing.entry.month,
                closing.entry.revision,
            ):
                return each.entry
        return None


def read_books(folder: Path) -> Books:
    """Read the entries of a folder, which need not exist.

    AnalyticsError if an entry is damaged, or is not the one that the next entry names.
    """
    books, findings = read_entries(folder)
    if findings:
        raise AnalyticsError(
            f"The books in {folder} cannot be read: {findings[0]}.\nPut them back from a backup;"
            " `analytics books verify` names all that is wrong."
        )
    return books


def read_entries(folder: Path) -> tuple[Books, list[Finding]]:
    """Return the books as far as they can be read, and what is wrong with their entries."""
    findings: list[Finding] = []
    found: list[Recorded] = []
    for file in _files(folder):
        path = file.relative_to(folder).as_posix()
        try:
            content = file.read_bytes()
            entry = decode(content)
        except OSError as error:
            findings.append(Finding(path, f"unreadable ({error.strerror})"))
        except ValueError as error:
            findings.append(Finding(path, f"changed: {error}"))
        else:
            if path_of(entry) != path:
                findings.append(Finding(path, f"misplaced: it is the entry {path_of(entry)}"))
            found.append(Recorded(entry, file, hashlib.sha256(content).hexdigest()))
    found.sort(key=lambda each: each.entry.number)
    findings += _chain(folder, found)
    return Books(folder, found, _in_force(found)), findings


def require_known(books: Books, known: Iterable[tuple[date, int, str]]) -> None:
    """Raise AnalyticsError unless the books hold all these closings: month, revision and hash.

    Nothing in the books themselves tells that the newest entries are gone.
    """
    held = {
        (each.entry.first_day, each.entry.revision, each.sha256)
        for each in books.entries
        if isinstance(each.entry, Closing)
    }
    for month, revision, _ in sorted({*known} - held):
        raise AnalyticsError(
            f"The books in {books.folder} lack {month:%Y-%m} r{revision} as it was closed.\n"
            "Put them back from a backup; `analytics books verify` names all that is wrong."
        )


def remove_unfinished(folder: Path) -> None:
    """Delete what a killed close or reopening left. The caller holds the lock of the batch."""
    import shutil

    for path in folder.glob(f"*/.*{UNFINISHED}"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _files(folder: Path) -> list[Path]:
    """Return the files that are entries by their names; a revision without its file has one too."""
    files = []
    for month in folder.glob("*/"):
        if _MONTH.fullmatch(month.name):
            for path in month.iterdir():
                if _REVISION.fullmatch(path.name):
                    files.append(path / MANIFEST)
                elif _REOPENING.fullmatch(path.name):
                    files.append(path)
    return sorted(files)


def _chain(folder: Path, entries: Sequence[Recorded]) -> list[Finding]:
    """Return a finding for each entry that does not follow from the one before it."""
    findings = []
    previous: Recorded | None = None
    for each in entries:
        number = previous.entry.number + 1 if previous else 1
        sha256 = previous.sha256 if previous else None
        path = each.file.relative_to(folder).as_posix()
        if each.entry.number != number:
            findings.append(Finding(path, f"out of order: entry {number} is not before it"))
        elif each.entry.previous_sha256 != sha256:
            before = previous.file.relative_to(folder).as_posix() if previous else "nothing"
            findings.append(Finding(path, f"does not follow: {before} is not the entry it names"))
        previous = each
    return findings


def _in_force(entries: Sequence[Recorded]) -> dict[date, Recorded]:
    months: dict[date, Recorded] = {}
    for each in entries:
        if isinstance(each.entry, Closing):
            months[each.entry.first_day] = each
        else:
            months = {
                month: closing
                for month, closing in months.items()
                if (closing.entry.month, closing.entry.revision)
                != (each.entry.month, each.entry.revision)
            }
    return months
