"""A whole batch: extract, load, transform, check, report, publish, alerts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import duckdb

from analytics.batch import stages
from analytics.batch.alerts import send_findings
from analytics.batch.extract import (
    Limit,
    Outcome,
    extract_all,
    require_all,
    unread,
)
from analytics.batch.healing import opened, run_healed
from analytics.batch.identity import workspace_labels
from analytics.batch.last_batch import LastBatch, read_last_batch, write_last_batch
from analytics.batch.metrics import write_metrics
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, BusyError
from analytics.settings import CONFIG_FILE, Settings, require_a_key_set
from analytics.warehouse.compaction import compact_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock


@contextmanager
def batch(settings: Settings) -> Iterator[tuple[Layout, duckdb.DuckDBPyConnection]]:
    """Lock the data directory and open its warehouse; new files are readable by the owner only."""
    os.umask(0o077)
    layout = Layout(settings.data_dir)
    with batch_lock(layout), opened(layout, settings) as con:
        yield layout, con


@contextmanager
def batch_on_data(settings: Settings) -> Iterator[tuple[Layout, duckdb.DuckDBPyConnection]]:
    """Do the same for existing data; AnalyticsError if there are none, and no folder is created."""
    layout = Layout(settings.data_dir)
    nothing = AnalyticsError(
        f"Nothing has been read into {layout.root} yet.\n"
        "Run `analytics nightly` first, or name the data with --data-dir."
    )
    if not layout.warehouse.exists():
        raise nothing
    with batch(settings) as (layout, con):
        if not con.execute("select 1 from ledger.workspaces limit 1").fetchone():
            raise nothing
        yield layout, con


def extract(settings: Settings, progress: Progress) -> list[Outcome]:
    """Read and load alone; AnalyticsError if a workspace could not be read."""
    require_a_key_set(settings)
    with batch(settings) as (layout, con):
        outcomes = _extract(con, settings, layout, progress)
    require_all(outcomes)
    return outcomes


def nightly(
    settings: Settings,
    progress: Progress,
    *,
    force: bool = False,
    limit: Limit | None = None,
    home: str = "",
) -> list[Outcome]:
    """Run all stages; a workspace that failed while others were published has an error.

    `limit` is that of `extract_all`, `home` that of `report`. AnalyticsError if nothing was
    published.
    """
    started_at = datetime.now(UTC)
    layout = Layout(settings.data_dir)

    def work(con: duckdb.DuckDBPyConnection) -> tuple[list[Outcome], list[str]]:
        printed = _gone(con, layout, progress)
        with stages.parsing():
            outcomes = _extract(con, settings, layout, progress, limit)
        if all(outcome.error for outcome in outcomes):
            require_all(outcomes)
        unnamed = _not_in_the_settings(con, settings, progress)
        warnings = _warnings(outcomes) + unnamed
        printed += unnamed
        printed += stages.publish_loaded(
            con, settings, layout, progress, warnings, force=force, home=home
        )
        return outcomes, printed + send_findings(settings, layout, progress)

    os.umask(0o077)
    try:
        require_a_key_set(settings)
        with batch_lock(layout):
            (outcomes, warnings), healed = run_healed(layout, settings, progress, work)
            _compact(layout, progress)
    except BusyError:
        raise
    except BaseException as error:  # `status` must not show the batch before
        ended = LastBatch.failed(started_at, error, progress.seconds, read_last_batch(layout))
        # An error of writing (a full disk, no data yet) must not hide this one.
        with suppress(OSError, AnalyticsError):
            write_last_batch(layout, ended)
        _write_metrics(settings, layout, ended, progress)
        if isinstance(error, KeyboardInterrupt):
            progress.warn("stopped; what was published before still stands")
        raise
    ended = (
        LastBatch.failed(started_at, failure, progress.seconds, read_last_batch(layout))
        if (failure := unread(outcomes))
        else LastBatch.done(started_at, outcomes, healed + warnings, progress.seconds)
    )
    write_last_batch(layout, ended)
    _write_metrics(settings, layout, ended, progress)
    return outcomes


def _compact(layout: Layout, progress: Progress) -> None:
    """Give back the free space of the warehouse; where that fails, the batch is good."""
    try:
        compact_warehouse(layout)
    except (duckdb.Error, OSError) as error:
        progress.warn(
            f"{layout.warehouse} is larger than it need be, and could not be written anew:"
            f" {str(error).splitlines()[0]}"
        )


def _write_metrics(
    settings: Settings, layout: Layout, ended: LastBatch, progress: Progress
) -> None:
    """Write the state for monitoring; where that fails, the batch has ended all the same."""
    try:
        write_metrics(settings, layout, ended)
    except OSError as error:
        if layout.root.is_dir():
            cause = error.strerror or error
            progress.warn(f"the metrics could not be written: {layout.metrics}: {cause}")


def _extract(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    limit: Limit | None = None,
) -> list[Outcome]:
    return asyncio.run(extract_all(con, settings, layout, progress, limit))


def _gone(con: duckdb.DuckDBPyConnection, layout: Layout, progress: Progress) -> list[str]:
    """Warn of each workspace that was read but whose landing folder is gone, and return that."""
    found = con.execute("select distinct workspace_id from ledger.loads order by 1").fetchall()
    folders = [layout.landing / workspace_id for (workspace_id,) in found]
    return progress.warn_all(
        f"{folder} is gone: no rebuild can make these data anew unless it is put back from a backup"
        for folder in folders
        if not folder.is_dir()
    )


def _not_in_the_settings(
    con: duckdb.DuckDBPyConnection, settings: Settings, progress: Progress
) -> list[str]:
    """Warn of each workspace that was read and that no setting names any more; return that."""
    named = {each.api_key_env for each in settings.workspaces}
    named |= {each.workspace_id for each in settings.workspaces if each.workspace_id}
    labels = workspace_labels(con)
    found = con.execute("""
        select workspace_id, api_key_env, last_batch_at
        from ledger.workspaces
        where api_key_env is not null and last_batch_at is not null
        order by coalesce(workspace_name, workspace_id), workspace_id
    """).fetchall()
    return progress.warn_all(
        f"{labels[identity]} is not in {CONFIG_FILE}, so that its figures end at"
        f" {last:%Y-%m-%d %H:%M} UTC, and those of all workspaces then too: put it back, or forget"
        " it (docs/privacy.md)"
        for identity, variable, last in found
        if named.isdisjoint({identity, variable})
    )


def _warnings(outcomes: list[Outcome]) -> list[str]:
    failed = [
        f"{outcome.name} could not be read. {outcome.kept}" for outcome in outcomes if outcome.error
    ]
    return failed + [
        f"{outcome.name}: {warning}" for outcome in outcomes for warning in outcome.warnings
    ]
