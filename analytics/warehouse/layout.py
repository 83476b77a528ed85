"""What lies where in the data directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of a data directory."""

    root: Path

    @property
    def landing(self) -> Path:
        """Each record as the API gave it, by workspace and load."""
        return self.root / "landing"

    @property
    def warehouse(self) -> Path:
        """The batch's own file."""
        return self.root / "warehouse.duckdb"

    @property
    def marts(self) -> Path:
        """The batch's marts."""
        return self.root / "build.duckdb"

    @property
    def published(self) -> Path:
        """The file that everybody may read, at any time."""
        return self.root / "analytics.duckdb"

    @property
    def site(self) -> Path:
        """The published reports."""
        return self.root / "site"

    @property
    def staged_site(self) -> Path:
        """The reports of this batch, until they are published."""
        return self.root / "site.next"

    @property
    def last_batch(self) -> Path:
        """How the last batch went, for `analytics status`."""
        return self.root / "last-batch.json"

    @property
    def rebuilding(self) -> Layout:
        """Where a rebuild puts warehouse, marts and reports together, until they are whole."""
        return Layout(self.root / "rebuild.unfinished")

    @property
    def lock(self) -> Path:
        """Held by the batch that is at work."""
        return self.root / ".lock"
