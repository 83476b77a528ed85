"""The figures that a command reads: the published file, and the books that it rests on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
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

    def open(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open the published file as `open_published` does."""
        return open_published(self.layout.published)
