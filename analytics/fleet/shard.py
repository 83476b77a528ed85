"""A shard's batch: its state is fetched, brought on by a batch like any other, and put back."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analytics.batch.extract import Limit
from analytics.batch.nightly import nightly
from analytics.batch.progress import Progress
from analytics.batch.rebuild import rebuild
from analytics.errors import AnalyticsError, UsageError
from analytics.fleet.generations import Generation, forget_before, head
from analytics.fleet.store import Store
from analytics.fleet.transfer import (
    fetch_all_loads,
    fetch_files,
    fetch_later_loads,
    fetch_state,
    put_back,
)
from analytics.settings import Settings
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock

_HOME = "../../index.html"
"""Address of the overview, as seen from the site of a shard."""


def run_batch(
    store: Store,
    shard: str,
    settings: Settings,
    progress: Progress,
    keep: timedelta,
    limit: Limit | None = None,
) -> Generation:
    """Run the batch of a shard in the empty folder `settings.data_dir`; return its new head.

    A batch that failed makes a generation too: what it read and said is kept, with the figures that
    were published before. BusyError if another task was quicker; StoreError if the storage fails;
    UsageError for wrong settings, before the first generation.
    """
    layout = Layout(settings.data_dir)
    before = head(store, shard)
    if before:
        fetch_later_loads(store, shard, before, layout)
        if not fetch_files(store, before, layout):
            _make_anew(store, shard, before, settings, progress)
    else:
        fetch_all_loads(store, shard, layout)  # of a first batch that could not be put back
    started_at = datetime.now(UTC)
    try:
        nightly(settings, progress, limit=limit, home=_HOME)
    except UsageError:
        if before is None:
            raise
    except AnalyticsError:  # it is in the record of the batch
        pass
    after = put_back(store, shard, before, layout, started_at)
    forget_before(store, shard, after, keep)
    return after


def import_data(store: Store, shard: str, data_dir: Path) -> Generation:
    """Make a data directory the first generation of a shard; UsageError if that has one."""
    layout = Layout(data_dir)
    if head(store, shard):
        raise UsageError(
            f"The shard {shard} has data in {store.url}.\nName another shard, or another storage."
        )
    if not layout.warehouse.exists():
        raise UsageError(f"There is no data in {data_dir}.\nName a data directory with --data-dir.")
    os.umask(0o077)
    with batch_lock(layout):
        return put_back(store, shard, None, layout, datetime.min.replace(tzinfo=UTC))


def export_data(store: Store, shard: str, target: Path) -> None:
    """Write all of a shard to a new folder, which is a data directory then.

    UsageError if the shard has no data, or the folder is not empty.
    """
    generation = head(store, shard)
    if generation is None:
        raise UsageError(
            f"The shard {shard} has no data in {store.url}.\nRun `analytics fleet nightly` first."
        )
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty.\nName a folder that is new or empty.")
    os.umask(0o077)
    layout = Layout(target)
    fetch_all_loads(store, shard, layout)
    if not fetch_files(store, generation, layout):
        raise AnalyticsError(
            f"Files of {shard} are damaged in {store.url}; {target} has what was landed.\n"
            f"Make the rest anew: analytics rebuild --data-dir {target}"
        )


def _make_anew(
    store: Store, shard: str, before: Generation, settings: Settings, progress: Progress
) -> None:
    """Make the state of a shard anew from its loads and books, as files of it are damaged."""
    progress.warn(f"files of {shard} are damaged in {store.url}; made anew from what was landed")
    layout = Layout(settings.data_dir)
    with suppress(FileNotFoundError):
        shutil.rmtree(layout.root)
    fetch_all_loads(store, shard, layout)
    fetch_state(store, before, layout)
    rebuild(settings, progress)
