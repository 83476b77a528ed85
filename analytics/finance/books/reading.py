"""The books as they lie on disk: their entries in order, the months in force, what is wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from analytics.errors import AnalyticsError
from analytics.files import hash_file, read_bytes
from analytics.finance.books.entries import (
    MANIFEST,
    Closing,
    Entry,
    Recorded,
    Reopening,
    decode,
    is_closing,
    path_of,
)

if TYPE_CHECKING:
    from pathlib import Path

Known: TypeAlias = "tuple[date, int, str, str]"
"""A closing as it was loaded or published: month, revision, state, hash of its manifest."""

CLOSINGS = "select month, revision, status, manifest_sha256 from"

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
    entries: Sequence[Recorded[Entry]] = ()

    @property
    def closings(self) -> list[Recorded[Closing]]:
        """All closings, in force or reopened, in order."""
        return [each for each in self.entries if is_closing(each)]

    @cached_property
    def _reopenings(self) -> dict[tuple[str, int], Reopening]:
        entries = [each.entry for each in self.entries]
        return {
            (entry.month, entry.revision): entry
            for entry in entries
            if isinstance(entry, Reopening)
        }

    @property
    def in_force(self) -> dict[date, Recorded[Closing]]:
        """The closing in force of each closed month."""
        return {
            each.entry.first_day: each for each in self.closings if self.reopening(each) is None
        }

    @property
    def last_month(self) -> date | None:
        """The last closed month; None if none is closed."""
        return max(self.in_force, default=None)

    @property
    def head(self) -> str | None:
        """The hash of the newest entry."""
        return self.entries[-1].sha256 if self.entries else None

    def revisions(self, month: date) -> list[Recorded[Closing]]:
        """Return the closings of a month, in force or reopened, in order."""
        return [each for each in self.closings if each.entry.first_day == month]

    def reopening(self, closing: Recorded[Closing]) -> Reopening | None:
        """Return the reopening of a closing; None while it is in force."""
        return self._reopenings.get((closing.entry.month, closing.entry.revision))


def read_books(folder: Path) -> Books:
    """Read the entries of a folder, which need not exist.

    AnalyticsError if an entry is damaged, or is not the one that the next entry names.
    """
    books, findings = read_entries(folder)
    if findings:
        raise unusable(folder, findings[0])
    return books


def read_entries(folder: Path) -> tuple[Books, list[Finding]]:
    """Return the books as far as they can be read, and what is wrong with their entries."""
    findings: list[Finding] = []
    found: list[Recorded[Entry]] = []
    for file in entry_files(folder):
        path = file.relative_to(folder).as_posix()
        try:
            content = read_bytes(file, folder)
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
    return Books(folder, found), findings


def lacking(books: Books, known: Iterable[Known]) -> list[Finding]:
    """Return a finding for each known closing or reopening that the books do not hold.

    Nothing in the books themselves tells that the newest entries are gone.
    """
    findings = []
    held = {(each.entry.first_day, each.entry.revision): each for each in books.closings}
    for month, revision, state, sha256 in known:
        path = f"{month:%Y-%m}/r{revision}"
        closing = held.get((month, revision))
        if closing is None:
            findings.append(Finding(f"{path}/{MANIFEST}", "missing"))
        elif closing.sha256 != sha256:
            findings.append(Finding(f"{path}/{MANIFEST}", "not the entry that was published"))
        elif state == "reopened" and books.reopening(closing) is None:
            findings.append(Finding(f"{path}.reopened.json", "missing"))
    return findings


def require_known(books: Books, known: Iterable[Known]) -> None:
    """Raise AnalyticsError unless the books hold all that was loaded or published of them."""
    if findings := lacking(books, known):
        raise unusable(books.folder, findings[0])


def unusable(folder: Path, finding: Finding) -> AnalyticsError:
    """Return the error for books that nothing may be built on."""
    return AnalyticsError(
        f"The books in {folder} cannot be used: {finding}.\nPut them back from a backup;"
        " `analytics books` names all that is wrong."
    )


def unchanged(closing: Recorded[Closing], name: str) -> Path:
    """Return a file of a closing; AnalyticsError unless it has the bytes that were closed."""
    folder = closing.file.parent
    try:
        problem = "changed"
        if hash_file(folder / name, folder) == closing.entry.files[name].sha256:
            return folder / name
    except KeyError:
        problem = "no file of this close"
    except OSError as error:
        problem = error.strerror or "unreadable"
    except ValueError as error:
        problem = str(error)
    raise AnalyticsError(
        f"{folder / name} of the books cannot be used: {problem}.\nPut it back from a backup;"
        " `analytics books` names all that is wrong."
    )


def entry_files(folder: Path) -> list[Path]:
    """Return the files that are entries by their names; a revision without its file has one too.

    OSError for a folder that cannot be read, where `glob` would find nothing.
    """
    files = []
    for month in folder.iterdir() if folder.exists() else ():
        if month.is_dir() and _MONTH.fullmatch(month.name):
            for path in month.iterdir():
                if _REVISION.fullmatch(path.name):
                    files.append(path / MANIFEST)
                elif _REOPENING.fullmatch(path.name):
                    files.append(path)
    return sorted(files)


def _chain(folder: Path, entries: Sequence[Recorded[Entry]]) -> list[Finding]:
    """Return a finding for each entry that does not follow from the one before it."""
    findings = []
    previous: Recorded[Entry] | None = None
    for each in entries:
        number = previous.entry.number + 1 if previous else 1
        sha256 = previous.sha256 if previous else None
        path = each.file.relative_to(folder).as_posix()
        if each.entry.number != number:
            missing = "another entry has its number"
            if each.entry.number > number:
                missing = f"entry {number}, which comes before it, is missing"
            findings.append(Finding(path, missing))
        elif each.entry.previous_sha256 != sha256:
            before = previous.file.relative_to(folder).as_posix() if previous else "no entry"
            findings.append(
                Finding(path, f"does not follow {before}: that is another entry than it names")
            )
        previous = each
    return findings
