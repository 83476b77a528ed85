"""The files of a project folder: each is read whole, or refused with one line that says why."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from analytics.files import folder as package_folder
from analytics.files import read_text
from analytics.finance.fields import LARGEST_FILE
from analytics.format.names import shortened

KINDS = {
    "finance": ("finance", ".csv", LARGEST_FILE),
    "mart": ("queries/marts", ".sql", 1_000_000),
    "check": ("queries/checks", ".sql", 1_000_000),
    "question": ("queries/adhoc", ".sql", 1_000_000),
    "alert": ("queries/alerts", ".sql", 1_000_000),
    "page": ("reports/pages", ".sql", 1_000_000),
}
"""Of each kind of file: its folder in the project, how its name ends, and its largest size."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SHOWN_NAME = 80


@dataclass(frozen=True)
class FoundFile:
    """A file of the user as it was found: see `audit.project_files`; an error begins with it."""

    kind: str
    file: str
    name: str
    status: str
    row_count: int | None = None
    seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class UserFile:
    """A file of the user: its kind, its path within the project, its name, and its text."""

    kind: str
    file: str
    name: str
    text: str

    def found(
        self, status: str, row_count: int | None = None, seconds: float | None = None
    ) -> FoundFile:
        """Return what became of it."""
        return FoundFile(self.kind, self.file, self.name, status, row_count, seconds)

    def wrong(self, error: str, seconds: float | None = None) -> FoundFile:
        """Return that it is not used, and why."""
        return FoundFile(self.kind, self.file, self.name, "error", None, seconds, error)


def read_files(
    project: Path, kind: str, taken: Collection[str] = ()
) -> tuple[list[UserFile], list[FoundFile]]:
    """Read the files of a kind, by name; none may have a name of ours, or one that is `taken`.

    The program's own folders are none of a project, also where it runs in its own checkout.
    """
    place, ending, largest = KINDS[kind]
    top, _, below = place.partition("/")
    taken = {*taken, *(path.stem for path in (package_folder(top) / below).glob(f"*{ending}"))}
    files: list[UserFile] = []
    refused: list[FoundFile] = []
    try:
        paths = _paths(project, place, ending)
    except FileNotFoundError:
        paths = []
    except OSError as error:
        return [], [UserFile(kind, place, place, "").wrong(f"{place}: {error.strerror}")]
    for path in paths:
        shown, name = _shown(f"{place}/{path.name}"), path.stem
        try:
            _require_name(name, taken)
            files.append(UserFile(kind, shown, name, read_text(path, project, largest)))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            refused.append(UserFile(kind, shown, _shown(name), "").wrong(f"{shown}: {reason}"))
    return files, refused


def read_file(path: Path, kind: str) -> UserFile:
    """Read one file of a kind, wherever it lies; OSError or ValueError if it is no such file."""
    _require_name(path.stem, ())
    return UserFile(kind, str(path), path.stem, read_text(path, path.parent, KINDS[kind][2]))


def _paths(project: Path, place: str, ending: str) -> list[Path]:
    """Return the paths with this ending in a folder of the project, unless the folder is ours."""
    top = place.split("/")[0]
    folder, ours = project / top, package_folder(top)
    if folder.exists() and ours.exists() and folder.samefile(ours):
        return []
    return sorted(path for path in (project / place).iterdir() if path.name.endswith(ending))


def _require_name(name: str, taken: Collection[str]) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "call it by another name: a small letter, then at most 62 of a-z, 0-9 and _"
        )
    if name in taken:
        raise ValueError("call it by another name: this one is taken")


def _shown(name: str) -> str:
    """Return a file's name as text, however strange, and not too long."""
    return shortened(os.fsencode(name).decode("utf-8", "backslashreplace"), _SHOWN_NAME)
