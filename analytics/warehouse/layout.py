"""The paths of files in the data directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from analytics import files
from analytics.files import UNFINISHED

_LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of a data directory."""

    root: Path
    books_of: Path | None = None
    """The data directory that holds books and publications, if it is another one."""

    @property
    def books(self) -> Path:
        """The closed months, which cannot be made again: a folder a month."""
        return (self.books_of or self.root) / "books"

    @property
    def publications(self) -> Path:
        """Moment and last loads of each publication, which cannot be made again."""
        return (self.books_of or self.root) / "publications"

    @property
    def landing(self) -> Path:
        """Each record as the API sent it, by workspace and load."""
        return self.root / "landing"

    @property
    def warehouse(self) -> Path:
        """The batch's own file."""
        return self.root / "warehouse.duckdb"

    @property
    def next_warehouse(self) -> Path:
        """The warehouse that is written anew, until it is complete."""
        return self.root / "warehouse.next.duckdb"

    @property
    def marts(self) -> Path:
        """The build file: the batch's marts before they are published."""
        return self.root / "build.duckdb"

    @property
    def next_marts(self) -> Path:
        """The build file that is written anew, until it is complete."""
        return self.root / "build.next.duckdb"

    @property
    def published(self) -> Path:
        """The published file, which everybody may read at any time: a link into `batches`."""
        return self.root / "analytics.duckdb"

    @property
    def site(self) -> Path:
        """The published reports: a link into `batches`."""
        return self.root / "site"

    @property
    def batches(self) -> Path:
        """A folder of what is published, and the link `now` to it."""
        return self.root / "published"

    @property
    def staged(self) -> Path:
        """The folder of what this batch publishes, until it does."""
        return self.batches / f"next{UNFINISHED}"

    @property
    def staged_file(self) -> Path:
        """The copy of the build file that is to be published."""
        return self.staged / self.published.name

    @property
    def staged_site(self) -> Path:
        """The reports of this batch until they are published."""
        return self.staged / self.site.name

    @property
    def leftovers(self) -> tuple[Path, ...]:
        """Whatever interrupted work can leave, by names that stay for no later one.

        What a batch writes when it no longer holds the lock is none: another may be at work.
        """
        names = (
            "build.next.duckdb", "build.next.duckdb.wal", "warehouse.next.duckdb",
            "warehouse.next.duckdb.wal", "rebuild.unfinished", "trial.unfinished",
        )  # fmt: skip
        return (
            *(self.root / name for name in names),
            *self.root.glob(f".{self.alerts.name}.*{UNFINISHED}"),
            *self.landing.glob(f"*/*{UNFINISHED}"),
            *self.books.glob(f"*/.*{UNFINISHED}"),
            *self.publications.glob(f"*{UNFINISHED}"),
        )

    @property
    def alerts(self) -> Path:
        """The ledger of findings that were sent, which cannot be made again."""
        return self.root / "alerts.json"

    @property
    def last_batch(self) -> Path:
        """The result of the last batch, for `analytics status`."""
        return self.root / "last-batch.json"

    @property
    def metrics(self) -> Path:
        """The state of the last batch, for Prometheus."""
        return self.root / "metrics.prom"

    @property
    def rebuilding(self) -> Layout:
        """The folder of a rebuild's warehouse, marts and reports until they are complete."""
        return Layout(self.root / "rebuild.unfinished", books_of=self.root)

    def is_of_batch(self, path: Path) -> bool:
        """Return True for a path at which only the batch and the books may write."""
        own = (
            self.landing, self.warehouse, self.marts, self.published, self.site, self.batches,
            self.books, self.publications, self.alerts, self.last_batch, self.lock,
        )  # fmt: skip
        is_made_by_a_close = any(part.endswith(UNFINISHED) for part in path.parts)
        return not is_made_by_a_close and any(path.is_relative_to(each) for each in own)

    @property
    def lock(self) -> Path:
        """The lock file, held by a running batch."""
        return self.root / ".lock"


def logs_of(file: Path) -> list[Path]:
    """Return the logs beside a DuckDB file, which a program leaves or has that writes to it.

    DuckDB has those of a file that a link leads to beside that.
    """
    places = dict.fromkeys((file, files.real(file)))
    logs = [each.with_name(each.name + ending) for each in places for ending in _LOGS]
    return [log for log in logs if os.path.lexists(log)]


def is_of_a_batch(path: Path) -> bool:
    """Return True for a resolved path that belongs to the batch of some data directory."""
    return any(
        layout.lock.exists() and layout.landing.is_dir() and layout.is_of_batch(path)
        for layout in map(Layout, path.parents)
    )
