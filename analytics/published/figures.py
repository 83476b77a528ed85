"""The figures that a command reads: as they are published, or as they were at an earlier time."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.finance.books.reading import Books, read_books, require_known
from analytics.published.books import published_closings
from analytics.published.sandbox import open_published
from analytics.warehouse.layout import Layout

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Figures:
    """The published figures, and the books that they rest on."""

    layout: Layout

    @cached_property
    def books(self) -> Books:
        """The books; AnalyticsError if they are damaged, or lack a close that was published."""
        books = read_books(self.layout.books)
        require_known(books, published_closings(self.layout))
        return books

    def file(self, reads: Collection[str] | None) -> Path:  # noqa: ARG002 - see figures of a past
        """Return the file in which they are.

        `reads` names the relations that will be read, with or without schema; None is all.
        """
        return self.layout.published

    def open(
        self, reads: Collection[str] | None
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open them as `open_published` does; `reads` as in `file`."""
        return open_published(self.file(reads))
