"""Damage of the batch's own files: it is named, and healed by what was landed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import duckdb

from analytics.batch.progress import Progress
from analytics.batch.rebuild import rebuild_warehouse
from analytics.errors import AnalyticsError
from analytics.settings import Settings
from analytics.warehouse.damage import (
    DamagedError,
    aside_of,
    damage_of,
    damaged,
    log_of,
)
from analytics.warehouse.database import interrupts, open_warehouse, remove_database
from analytics.warehouse.examination import examine
from analytics.warehouse.layout import Layout
from analytics.warehouse.recovery import recover_publication
from analytics.wrong_settings import require_timezone

T = TypeVar("T")


@contextmanager
def opened(layout: Layout, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse; an error that comes from damage is raised as one that names the file."""
    try:
        with open_warehouse(layout) as con, interrupts():
            require_timezone(settings.reporting.timezone)
            yield con
    except DamagedError:
        raise
    except Exception as error:
        if damage_of(error):
            _require_whole(layout, f"{error}\n" if isinstance(error, AnalyticsError) else "")
        raise


@contextmanager
def opened_whole(
    layout: Layout, settings: Settings, *, broke_off: bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Do the same for a batch; DamagedError also for a warehouse that lacks what was published.

    After a batch that broke off, or where a log lies, the files are examined in a process of their
    own first, which costs a batch that ends well nothing.
    """
    if broke_off or log_of(layout.warehouse).exists() or log_of(layout.marts).exists():
        _require_whole(layout)
    with opened(layout, settings) as con:
        if lost := recover_publication(con, layout):
            raise damaged(layout.warehouse, f"it lacks what was published at {lost:%F %T} UTC")
        yield con


def _require_whole(layout: Layout, before: str = "") -> None:
    """Raise DamagedError, with a text before its own, for the first file that is damaged."""
    for file in (layout.warehouse, layout.marts):
        if cause := examine(file):
            error = damaged(file, cause)
            raise DamagedError(file, cause, f"{before}{error}")


def run_healed(
    layout: Layout,
    settings: Settings,
    progress: Progress,
    work: Callable[[duckdb.DuckDBPyConnection], T],
    *,
    broke_off: bool,
) -> tuple[T, list[str]]:
    """Run `work` on the warehouse, once more after each of the two files that had to be healed.

    Return its result, and what was healed, which was printed as a warning.
    """
    healed: dict[Path, str] = {}
    while True:
        try:
            with opened_whole(layout, settings, broke_off=broke_off) as con:
                return work(con), [*healed.values()]
        except DamagedError as damage:
            if damage.file in healed or damage.file not in {layout.warehouse, layout.marts}:
                raise
            error = damage
        healed[error.file] = _heal(error, layout, progress)


def _heal(damage: DamagedError, layout: Layout, progress: Progress) -> str:
    """Make a file anew, or remove it if a batch makes it anew; return what was done."""
    is_warehouse = damage.file == layout.warehouse
    if is_warehouse:
        aside = aside_of(damage.file)
        text = f"is made anew from {layout.landing}, and kept as {aside.name}"
    else:
        text = "is built anew"
    text = f"{damage.file} is damaged ({damage.cause}), and {text}"
    progress.warn(text)
    if is_warehouse:
        rebuild_warehouse(layout, progress, damage.cause, aside)
    else:
        remove_database(damage.file)
    return text
