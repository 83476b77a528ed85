"""A file of the batch's own that cannot be read is set aside, said, and made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import duckdb

from analytics.batch.progress import Progress
from analytics.batch.rebuild import rebuild_warehouse
from analytics.settings import Settings
from analytics.warehouse.damage import DamagedError, aside_of, damage_of, damaged
from analytics.warehouse.database import interrupts, open_warehouse, remove_database
from analytics.warehouse.layout import Layout
from analytics.warehouse.publications import recover_publication
from analytics.wrong_settings import require_timezone

T = TypeVar("T")


@contextmanager
def opened(layout: Layout, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse; DamagedError for damage, and for lack of what was published.

    DuckDB does not say which file is damaged: one that was found without its name is taken for the
    warehouse.
    """
    try:
        with open_warehouse(layout) as con, interrupts():
            require_timezone(settings.reporting.timezone)
            recover_publication(con, layout)
            yield con
    except DamagedError:
        raise
    except Exception as error:
        if cause := damage_of(error):
            raise damaged(layout.warehouse, cause) from error
        raise


def run_healed(
    layout: Layout,
    settings: Settings,
    progress: Progress,
    work: Callable[[duckdb.DuckDBPyConnection], T],
) -> tuple[T, list[str]]:
    """Run `work` on the warehouse, and once more after both files were made anew.

    Return its result, and what was made anew, which was printed as a warning.
    """
    try:
        with opened(layout, settings) as con:
            return work(con), []
    except DamagedError as damage:
        if damage.file not in (layout.warehouse, layout.marts):
            raise
        error = damage
    aside = aside_of(layout.warehouse)
    text = (
        f"{error.file} is damaged ({error.cause}): the warehouse is kept as {aside.name}, and made"
        f" anew from {layout.landing}"
    )
    progress.warn(text)
    rebuild_warehouse(layout, progress, error.cause, aside)
    remove_database(layout.marts)
    with opened(layout, settings) as con:
        return work(con), [text]
