"""A whole batch: extract, load, transform, check, report, publish, alerts."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import duckdb
import uvloop

from analytics.batch import stages
from analytics.batch.alerts import send_findings
from analytics.batch.extract import Outcome, extract_all
from analytics.batch.last_batch import LastBatch, write_last_batch
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, BusyError
from analytics.levain.retries import retry_hooks
from analytics.settings import Settings, Workspace, api_keys
from analytics.warehouse.database import interrupts, open_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Handle SIGTERM within the block like Ctrl-C, so that the work ends in good order."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def batch(settings: Settings) -> Iterator[tuple[Layout, duckdb.DuckDBPyConnection]]:
    """Lock the data directory and open its warehouse; new files are readable by the owner only."""
    os.umask(0o077)
    layout = Layout(settings.data_dir)
    with batch_lock(layout), open_warehouse(layout) as con, interrupts():
        stages.require_timezone(con, settings.reporting.timezone)
        yield layout, con


@contextmanager
def batch_on_data(settings: Settings) -> Iterator[tuple[Layout, duckdb.DuckDBPyConnection]]:
    """Do the same for existing data; AnalyticsError if there are none, and no folder is created."""
    layout = Layout(settings.data_dir)
    nothing = AnalyticsError(
        f"Nothing has been read into {layout.root} yet.\n"
        "Run `analytics nightly` or `analytics extract` first, or name the data with --data-dir."
    )
    if not layout.warehouse.exists():
        raise nothing
    with batch(settings) as (layout, con):
        if not con.execute("select 1 from ledger.workspaces limit 1").fetchone():
            raise nothing
        yield layout, con


def extract(settings: Settings, progress: Progress) -> list[Outcome]:
    """Run the first stage alone; AnalyticsError if a workspace could not be read."""
    keys = api_keys(settings)
    with batch(settings) as (layout, con):
        outcomes = _extract(con, keys, settings, layout, progress)
    require_all(outcomes)
    return outcomes


def nightly(settings: Settings, progress: Progress, *, force: bool = False) -> list[Outcome]:
    """Run all stages; a workspace that failed while others were published has an error.

    AnalyticsError if nothing was published.
    """
    started_at = datetime.now(UTC)
    layout = Layout(settings.data_dir)
    try:
        keys = api_keys(settings)
        with batch(settings) as (layout, con):
            outcomes = _extract(con, keys, settings, layout, progress)
            if all(outcome.error for outcome in outcomes):
                require_all(outcomes)
            warnings = stages.publish_loaded(
                con, settings, layout, progress, _warnings(outcomes), force=force
            )
            warnings += send_findings(settings, layout, progress)
    except BusyError:
        raise
    except BaseException as error:  # `status` must not show the batch before
        # An error of writing (a full disk, no data yet) must not hide this one.
        with suppress(OSError):
            write_last_batch(layout, LastBatch.failed(started_at, error, progress.seconds))
        if isinstance(error, KeyboardInterrupt):
            progress.warn("stopped; what was published before still stands")
        raise
    unread = _unread(outcomes)
    write_last_batch(
        layout,
        LastBatch.failed(started_at, unread, progress.seconds)
        if unread
        else LastBatch.done(started_at, outcomes, warnings, progress.seconds),
    )
    return outcomes


def _extract(
    con: duckdb.DuckDBPyConnection,
    keys: list[tuple[Workspace, str]],
    settings: Settings,
    layout: Layout,
    progress: Progress,
) -> list[Outcome]:
    with (
        retry_hooks(
            lambda retry: progress.wait(
                f"{retry.caused_by}; trying again in {retry.wait_for:.1f} s"
            )
        ),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(extract_all(con, keys, settings, layout, progress))


def _warnings(outcomes: list[Outcome]) -> list[str]:
    failed = [
        f"{outcome.name} could not be read. {outcome.kept}" for outcome in outcomes if outcome.error
    ]
    return failed + [
        f"{outcome.name}: {warning}" for outcome in outcomes for warning in outcome.warnings
    ]


def require_all(outcomes: list[Outcome]) -> None:
    """Raise AnalyticsError if a workspace could not be read, with its remaining figures."""
    if unread := _unread(outcomes):
        raise unread


def _unread(outcomes: list[Outcome]) -> AnalyticsError | None:
    failed = [outcome for outcome in outcomes if outcome.error]
    if not failed:
        return None
    return AnalyticsError(
        f"{len(failed)} of {len(outcomes)} workspaces could not be read; "
        "what was published of them before still stands.\n"
        + "\n".join(f"{each.name}: {each.error}\n  {each.kept}" for each in failed)
    )
