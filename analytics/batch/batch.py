"""A batch: what all of its stages share, and how it is begun."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import duckdb

from analytics.batch.progress import Progress
from analytics.errors import QUERY_INTERRUPTED, AnalyticsError
from analytics.finance.books.reading import Books, read_books
from analytics.levain.pace import RateLimiter
from analytics.settings import Settings, require_timezone
from analytics.transform.incremental import Update
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from analytics.warehouse.publications import recover_publication

Limit: TypeAlias = Callable[[str], RateLimiter]
"""Returns the rate limiter of the API with this address."""


@dataclass
class Batch:
    """Settings, places, the open warehouse, and what was said on the way.

    `warnings` are those that pages and `status` show, `told` others, which `status` alone has.
    `force` publishes in spite of differences from the vendor's figures; `limit` gives the rate
    limiter of an API, in place of one for each workspace by the settings; all pages lead to `home`,
    the address of a page above the site, as seen from it. `update` is what the stage `transform`
    brought up to date, if that was not all.
    """

    settings: Settings
    layout: Layout
    progress: Progress
    force: bool = False
    limit: Limit | None = None
    home: str = ""
    con: duckdb.DuckDBPyConnection = field(init=False)
    told: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    update: Update | None = None

    @contextmanager
    def opened(self) -> Iterator[Batch]:
        """Open the warehouse; the directory is locked.

        DamagedError if it cannot be used, or lacks what was published.
        """
        with open_warehouse(self.layout) as self.con, interrupts():
            require_timezone(self.settings)
            recover_publication(self.con, self.layout)
            yield self

    def warn(self, *texts: str) -> None:
        """Print warnings, and keep them."""
        for text in texts:
            self.progress.warn(text)
        self.warnings += texts

    @property
    def mode(self) -> int:
        """The permissions of what is published."""
        return int(self.settings.publish.mode, 8)

    @property
    def books(self) -> Books:
        """The closed months as they are now: a close changes them."""
        return read_books(self.layout.books)


@contextmanager
def interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt for a Ctrl-C during a query, of which DuckDB makes another error."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == QUERY_INTERRUPTED:
            raise KeyboardInterrupt from error
        raise


@contextmanager
def begun(
    settings: Settings,
    progress: Progress,
    lock: Callable[[Layout], AbstractContextManager[None]] = batch_lock,
) -> Iterator[Batch]:
    """Lock the data directory and open its warehouse; new files are readable by the owner only."""
    os.umask(0o077)
    batch = Batch(settings, Layout(settings.data_dir), progress)
    with lock(batch.layout), batch.opened():
        yield batch


@contextmanager
def begun_on_data(settings: Settings, progress: Progress) -> Iterator[Batch]:
    """Do the same for existing data; AnalyticsError if there are none, and no folder is created."""
    layout = Layout(settings.data_dir)
    nothing = AnalyticsError(
        f"Nothing has been read into {layout.root} yet.\n"
        "Run `analytics nightly` first, or name the data with --data-dir."
    )
    if not layout.warehouse.exists():
        raise nothing
    with begun(settings, progress) as batch:
        if not batch.con.execute("select 1 from ledger.workspaces limit 1").fetchone():
            raise nothing
        yield batch
