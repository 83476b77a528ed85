"""A whole batch: extract, load, transform, check, report, publish, alerts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import duckdb

from analytics.batch import stages
from analytics.batch.alerts import send_findings
from analytics.batch.batch import Batch, begun
from analytics.batch.extract import (
    Limit,
    Outcome,
    extract_all,
    require_all,
    unread,
)
from analytics.batch.identity import workspace_labels
from analytics.batch.last_batch import LastBatch, read_last_batch, write_last_batch
from analytics.batch.metrics import write_metrics
from analytics.batch.progress import Progress
from analytics.batch.rebuild import run_healed
from analytics.errors import AnalyticsError, BusyError
from analytics.settings import CONFIG_FILE, Settings, require_a_key_set
from analytics.warehouse.compaction import compact_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock


def extract(settings: Settings, progress: Progress) -> list[Outcome]:
    """Read and load alone; AnalyticsError if a workspace could not be read."""
    require_a_key_set(settings)
    with begun(settings, progress) as batch:
        outcomes = _extract(batch)
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

    `force`, `limit` and `home` are those of a `Batch`. AnalyticsError if nothing was published.
    """
    started_at = datetime.now(UTC)
    layout = Layout(settings.data_dir)
    os.umask(0o077)
    try:
        require_a_key_set(settings)
        with batch_lock(layout):
            outcomes, warnings = run_healed(
                layout, settings, progress, _flow, force=force, limit=limit, home=home
            )
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
        else LastBatch.done(started_at, warnings, progress.seconds)
    )
    write_last_batch(layout, ended)
    _write_metrics(settings, layout, ended, progress)
    return outcomes


def _flow(batch: Batch) -> tuple[list[Outcome], list[str]]:
    """Run all stages; return what came of each workspace, and all warnings of the batch."""
    gone = _gone(batch)
    with stages.parsing():
        outcomes = _extract(batch)
    if all(outcome.error for outcome in outcomes):
        require_all(outcomes)
    batch.warnings += _warnings(outcomes)
    batch.warn(*_not_in_the_settings(batch))
    stages.publish_loaded(batch)
    send_findings(batch)
    return outcomes, gone + batch.warnings


def _extract(batch: Batch) -> list[Outcome]:
    return asyncio.run(
        extract_all(batch.con, batch.settings, batch.layout, batch.progress, batch.limit)
    )


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


def _gone(batch: Batch) -> list[str]:
    """Warn of each workspace that was read but whose landing folder is gone, and return that."""
    found = batch.con.execute("select distinct workspace_id from ledger.loads order by 1")
    folders = [batch.layout.landing / workspace_id for (workspace_id,) in found.fetchall()]
    return batch.progress.warn_all(
        f"{folder} is gone: no rebuild can make these data anew unless it is put back from a backup"
        for folder in folders
        if not folder.is_dir()
    )


def _not_in_the_settings(batch: Batch) -> Iterator[str]:
    """Yield a warning for each workspace that was read and that no setting names any more."""
    workspaces = batch.settings.workspaces
    named = {each.api_key_env for each in workspaces}
    named |= {each.workspace_id for each in workspaces if each.workspace_id}
    labels = workspace_labels(batch.con)
    found = batch.con.execute("""
        select workspace_id, api_key_env, last_batch_at
        from ledger.workspaces
        where api_key_env is not null and last_batch_at is not null
        order by coalesce(workspace_name, workspace_id), workspace_id
    """).fetchall()
    for identity, variable, last in found:
        if named.isdisjoint({identity, variable}):
            yield (
                f"{labels[identity]} is not in {CONFIG_FILE}, so that its figures end at"
                f" {last:%Y-%m-%d %H:%M} UTC, and those of all workspaces then too: put it back, or"
                " forget it (docs/privacy.md)"
            )


def _warnings(outcomes: list[Outcome]) -> list[str]:
    failed = [
        f"{outcome.name} could not be read. {outcome.kept}" for outcome in outcomes if outcome.error
    ]
    return failed + [
        f"{outcome.name}: {warning}" for outcome in outcomes for warning in outcome.warnings
    ]
