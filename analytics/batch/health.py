"""All that needs a hand in a data directory before the next batch, which no batch tells.

Each problem is a text: its first line says what was found, the next ones what to do. Nothing is
written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import duckdb

from analytics.batch.last_batch import LastBatch, read_last_batch
from analytics.errors import AnalyticsError
from analytics.finance.books.reading import CLOSINGS, Known
from analytics.finance.books.verifying import verify
from analytics.format import numbers
from analytics.warehouse.database import open_marts
from analytics.warehouse.landed import loads_aside
from analytics.warehouse.layout import Layout

_OLD = timedelta(hours=48)


def problems_of_data(layout: Layout, now: datetime) -> Iterator[str]:
    """Yield each problem of a data directory, if it is there."""
    yield from _published(layout)
    if last := read_last_batch(layout):
        yield from _last_batch(last, now)


def _published(layout: Layout) -> Iterator[str]:
    """Yield what the published file rests on that is gone."""
    try:
        with open_marts(layout.published) as con:
            loads = con.execute(
                "select distinct workspace_id, load_id from audit.landing_files order by all"
            ).fetchall()
            closings = con.execute(f"{CLOSINGS} audit.closings").fetchall()
    except (duckdb.Error, AnalyticsError):  # `status` tells why its figures cannot be read
        yield from _books(layout, [])
        return
    aside = loads_aside(layout.landing)
    folders = [layout.landing.joinpath(*load) for load in loads if load not in aside]
    if gone := [each for each in folders if not each.is_dir()]:
        more = f", and {len(gone) - 1:,} more" if len(gone) > 1 else ""
        yield (
            f"{gone[0]} is gone{more}.\n"
            "Put them back from a backup; no `analytics rebuild` is possible without them."
        )
    yield from _books(layout, closings)


def _books(layout: Layout, known: Iterable[Known]) -> Iterator[str]:
    """Verify the books as `analytics books` does."""
    if findings := verify(layout.books, known):
        more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
        yield (
            f"The books in {layout.books} are not as they were closed: {findings[0]}{more}.\n"
            "Put them back from a backup; `analytics books` names all."
        )


def _last_batch(last: LastBatch, now: datetime) -> Iterator[str]:
    when = f"{last.ended_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if last.exit_code:
        told = "\n".join(last.messages)
        yield f"The last batch failed (exit {last.exit_code}) at {when}.\n{told}"
    elif now - last.ended_at > _OLD:
        age = numbers.duration((now - last.ended_at).total_seconds())
        yield f"The last batch ended at {when}, {age} ago.\nSee whether its schedule still runs."
