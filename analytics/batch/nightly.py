"""A whole batch: extract, load, transform, check, custom, report, publish, alerts."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime

import duckdb

from analytics.batch import stages
from analytics.batch.batch import Batch, Limit, interrupts
from analytics.batch.extract import Outcome, extract, require_all, unread
from analytics.batch.healing import run_healed
from analytics.batch.last_batch import ended_batch, write_last_batch
from analytics.batch.metrics import write_metrics
from analytics.batch.progress import Progress
from analytics.batch.workspaces import landing_gone, not_in_the_settings
from analytics.errors import AnalyticsError, BusyError
from analytics.settings import Settings, require_a_key_set
from analytics.warehouse.database import compact_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock


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
    batch = Batch(settings, Layout(settings.data_dir), progress, force, limit, home)
    os.umask(0o077)
    try:
        require_a_key_set(settings)
        with batch_lock(batch.layout):
            outcomes = run_healed(batch, _flow)
            _compact(batch.layout, progress)
    except BusyError:
        raise
    except BaseException as error:  # `status` must not show the batch before
        with suppress(OSError, AnalyticsError):  # a full disk, say, must not hide this one
            _leave(batch, started_at, error)
        if isinstance(error, KeyboardInterrupt):
            progress.warn("stopped; what was published before still stands")
        raise
    _leave(batch, started_at, unread(outcomes))
    return outcomes


def _flow(batch: Batch) -> list[Outcome]:
    """Run all stages; return what came of each workspace."""
    for text in landing_gone(batch):
        batch.progress.warn(text)
        batch.told.append(text)
    with stages.parsing():
        outcomes = extract(batch)
    if all(outcome.error for outcome in outcomes):
        require_all(outcomes)
    batch.warnings += _warnings(outcomes)
    batch.warn(*not_in_the_settings(batch))
    stages.make_and_publish(batch)
    stages.send_findings(batch)
    return outcomes


def _compact(layout: Layout, progress: Progress) -> None:
    """Give back the free space of the warehouse; where that fails, the batch is good."""
    try:
        with interrupts():
            compact_warehouse(layout)
    except (duckdb.Error, OSError) as error:
        progress.warn(
            f"{layout.warehouse} is larger than it need be, and could not be written anew:"
            f" {str(error).splitlines()[0]}"
        )


def _leave(batch: Batch, started_at: datetime, error: BaseException | None) -> None:
    """Write how the batch ended, for monitoring and for `status`.

    Where the metrics cannot be written, the batch has ended all the same.
    """
    layout, warnings = batch.layout, [*batch.told, *batch.warnings]
    ended = ended_batch(layout, started_at, batch.progress.seconds, warnings, error)
    try:
        write_metrics(layout, ended, batch.mode)
    except OSError as problem:
        if layout.root.is_dir():
            cause = problem.strerror or problem
            batch.progress.warn(f"the metrics could not be written: {layout.metrics}: {cause}")
    write_last_batch(layout, ended)


def _warnings(outcomes: list[Outcome]) -> list[str]:
    failed = [
        f"{outcome.name} could not be read. {outcome.kept}" for outcome in outcomes if outcome.error
    ]
    return failed + [
        f"{outcome.name}: {warning}" for outcome in outcomes for warning in outcome.warnings
    ]
