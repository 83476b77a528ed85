"""The figures that a command reads: as they are published, or as they were at an earlier time."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.published.sandbox import open_published
from analytics.warehouse.layout import Layout

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Figures:
    """The published figures."""

    layout: Layout

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
