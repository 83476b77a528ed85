"""Entries of the books: a closing or a reopening, each a JSON file that is never changed.

    books/2026-10/r1/manifest.json     a closing: it names every other file of its folder
    books/2026-10/r1.reopened.json     the reopening of that closing

Each entry has a number and the SHA-256 of the entry before it, so that none can be changed, removed
or put in between. Its last line is the SHA-256 of all lines before: the newest entry, which no
other names, is as safe from damage.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeGuard, TypeVar

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
MANIFEST = "manifest.json"
DATA, EVIDENCE = "data", "evidence"
"""Folders of a closing's folder: of the frozen tables, and of checks and settings."""

_SEAL = b',\n  "sha256": "%s"\n}\n'


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """Totals of a closed month in US dollars; None where none of its lines has the amount."""

    metered_cost_usd: Decimal | None
    billed_usd: Decimal | None
    surcharge_usd: Decimal | None
    own_key_usd: Decimal | None


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """Size and hash of a file."""

    byte_count: int
    sha256: str


class WorkspaceState(msgspec.Struct, frozen=True, kw_only=True):
    """State of the month in a workspace when it was closed, and the last load that it holds."""

    workspace_id: str
    workspace_name: str
    status: str
    open_day_count: int
    unreconciled_day_count: int
    open_run_count: int
    provisional_run_count: int
    unknown_bill_count: int
    has_agent_bill: bool = True
    has_provider_keys: bool = True
    unexplained_usd: Decimal | None
    data_to: datetime | None
    load_id: str | None


class ClosingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The close of a month as everything that it makes says it: who, when, and in what state.

    `early_reasons` say why the month might still change; there are none unless it was closed early.
    """

    month: str
    revision: int
    closed_at: datetime
    prepared_by: str
    approved_by: str | None
    sign_off: str | None
    early_reasons: list[str]
    totals: Amounts
    workspaces: list[WorkspaceState]
    code_version: str
    duckdb_version: str

    @property
    def is_early(self) -> bool:
        """True if the month was closed although it might still change."""
        return bool(self.early_reasons)

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return first_day(self.month)


class Closing(ClosingFacts, frozen=True, kw_only=True, tag="closing", tag_field="entry"):
    """The entry of a close: its facts, and every file of its folder with size and hash."""

    format: int = FORMAT
    number: int
    previous_sha256: str | None
    files: dict[str, StoredFile]


class Reopening(msgspec.Struct, frozen=True, kw_only=True, tag="reopening", tag_field="entry"):
    """The reopening of a closed month, and why."""

    format: int = FORMAT
    number: int
    previous_sha256: str | None
    month: str
    revision: int
    reopened_at: datetime
    reopened_by: str
    reason: str


Entry: TypeAlias = Closing | Reopening
E = TypeVar("E", bound=Entry, covariant=True)


@dataclass(frozen=True)
class Recorded(Generic[E]):
    """An entry as it lies in the books: its file, and the hash of that file."""

    entry: E
    file: Path
    sha256: str


def is_closing(recorded: Recorded[Entry]) -> TypeGuard[Recorded[Closing]]:
    """Return True for a closing."""
    return isinstance(recorded.entry, Closing)


def first_day(month: str) -> date:
    """Return the first day of a month such as `2026-10`; ValueError if it is none."""
    day = date.fromisoformat(f"{month}-01")
    if f"{day:%Y-%m}" != month:
        raise ValueError(f"{month} is no month")
    return day


def path_of(entry: Entry) -> str:
    """Return the path of an entry within the books."""
    folder = f"{entry.month}/r{entry.revision}"
    return f"{folder}/{MANIFEST}" if isinstance(entry, Closing) else f"{folder}.reopened.json"


def stored_files(folder: Path) -> dict[str, StoredFile]:
    """Return size and hash of every file below a folder, by its path in it."""
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        found[file.relative_to(folder).as_posix()] = StoredFile(
            byte_count=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
    return found


def encode(entry: Entry) -> bytes:
    """Return an entry as JSON, with the hash of its lines as the last."""
    lines = msgspec.json.format(msgspec.json.encode(entry), indent=2).removesuffix(b"\n}")
    return lines + _SEAL % hashlib.sha256(lines).hexdigest().encode()


def decode(content: bytes) -> Entry:
    """Return the entry of a file; ValueError says why it is none."""
    lines, _, _ = content.rpartition(b',\n  "sha256": "')
    if lines + _SEAL % hashlib.sha256(lines).hexdigest().encode() != content:
        raise ValueError("its lines are not those of its SHA-256")
    try:
        given: int = msgspec.json.decode(content, type=_Format).format
        if given > FORMAT:
            raise ValueError(f"it is of a newer release (format {given})")
        entry: Entry = msgspec.json.decode(content, type=Entry)
    except msgspec.MsgspecError as error:
        raise ValueError(f"it is no entry of the books: {error}") from None
    first_day(entry.month)
    return entry


class _Format(msgspec.Struct, frozen=True):
    format: int
