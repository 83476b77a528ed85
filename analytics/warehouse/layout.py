"""The paths of files in the data directory."""

from __future__ import annotations

import os
from pathlib import Path

from analytics import files
from analytics.files import UNFINISHED

_LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")


class Layout:
    """The paths of a data directory; `books_of` is another one that has what is kept, if any."""

    def __init__(self, root: Path, books_of: Path | None = None) -> None:
        self.root = root
        self.lock = root / ".lock"  # held by a running batch

        # Each record as the API sent it, by workspace and load.
        self.landing = root / "landing"

        # Cannot be made again: closed months, a folder each; moment and last loads of each
        # publication; the findings that were sent.
        self.books = (books_of or root) / "books"
        self.publications = (books_of or root) / "publications"
        self.alerts = root / "alerts.json"

        # The batch's own, and each while it is written anew. The build file has the marts.
        self.warehouse = root / "warehouse.duckdb"
        self.next_warehouse = root / "warehouse.next.duckdb"
        self.marts = root / "build.duckdb"
        self.next_marts = root / "build.next.duckdb"

        # A folder of what is published, and links into it, that everybody may follow at any time.
        self.published = root / "published"
        self.published_file = root / "analytics.duckdb"
        self.site = root / "site"

        # What this batch publishes, until it does.
        self.staged = self.published / f"next{UNFINISHED}"
        self.staged_file = self.staged / self.published_file.name
        self.staged_site = self.staged / self.site.name

        # How the last batch ended: for `analytics status`, and for Prometheus.
        self.last_batch = root / "last-batch.json"
        self.metrics = root / "metrics.prom"

    @property
    def rebuilding(self) -> Layout:
        """The folder of a rebuild's warehouse, marts and reports until they are complete."""
        return Layout(self.root / "rebuild.unfinished", books_of=self.root)

    @property
    def leftovers(self) -> tuple[Path, ...]:
        """Whatever interrupted work can leave, by names that stay for no later one.

        What a batch writes when it no longer holds the lock is none: another may be at work.
        """
        made = (self.next_marts, self.next_warehouse)
        return (
            *made,
            *(path.with_name(f"{path.name}.wal") for path in made),
            self.rebuilding.root,
            self.root / f"trial{UNFINISHED}",
            *self.root.glob(f".{self.alerts.name}.*{UNFINISHED}"),
            *self.landing.glob(f"*/*{UNFINISHED}"),
            *self.books.glob(f"*/.*{UNFINISHED}"),
            *self.publications.glob(f"*{UNFINISHED}"),
        )

    def is_of_batch(self, path: Path) -> bool:
        """Return True for a path at which only the batch and the books may write."""
        databases = (
            self.warehouse, self.next_warehouse, self.marts, self.next_marts, self.published_file
        )  # fmt: skip
        own = (
            self.landing, self.published, self.site, self.books, self.publications, self.alerts,
            self.last_batch, self.metrics, self.lock, *databases,
            *(each.with_name(each.name + ending) for each in databases for ending in _LOGS),
        )  # fmt: skip
        is_made_by_a_close = any(part.endswith(UNFINISHED) for part in path.parts)
        return not is_made_by_a_close and any(path.is_relative_to(each) for each in own)


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
