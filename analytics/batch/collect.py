"""Collect new runs of all workspaces between two batches, so that none leaves its list unseen.

A collection lands, and neither loads nor publishes. Where the unfiltered list does not join its
last snapshot, it reads agents' lists as a batch does, in a transaction that is rolled back.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack

import duckdb

from analytics.batch.batch import opened
from analytics.batch.extract import (
    ADVICE,
    Opened,
    Outcome,
    left_over,
    load_left_over,
    named,
    open_all,
    outcomes_of_refused,
    require_all,
)
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError
from analytics.extract.runs import land_new_runs, read_each_list
from analytics.format.numbers import plural
from analytics.levain import LevainError
from analytics.settings import Settings, require_a_key_set
from analytics.warehouse.damage import damage_of
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_errors
from analytics.warehouse.lock import collection_lock
from analytics.warehouse.store import WarehouseStore

_KEPT = "The next collection or batch reads it again."


def collect(settings: Settings, progress: Progress) -> list[Outcome]:
    """Collect all workspaces; AnalyticsError if one could not be read."""
    os.umask(0o077)
    require_a_key_set(settings)
    layout = Layout(settings.data_dir)
    with collection_lock(layout), opened(layout, settings, progress) as batch:
        outcomes = asyncio.run(_collect_all(batch.con, settings, layout, progress))
    require_all(outcomes)
    return outcomes


async def _collect_all(
    con: duckdb.DuckDBPyConnection, settings: Settings, layout: Layout, progress: Progress
) -> list[Outcome]:
    """Collect each workspace whose key is accepted; the errors are those of `extract_all`."""
    async with AsyncExitStack() as stack:
        found, refused = await open_all(stack, settings, progress)
        failed = outcomes_of_refused(con, found, refused, progress, lambda _: _KEPT)
        return failed + [
            await _collect_one(con, one, settings, layout, progress) for one in named(con, found)
        ]


async def _collect_one(
    con: duckdb.DuckDBPyConnection,
    one: Opened,
    settings: Settings,
    layout: Layout,
    progress: Progress,
) -> Outcome:
    """Land the new runs of a workspace.

    The warehouse keeps nothing of it: it holds whole batches, of which anybody may build marts.
    """
    own = progress.of(one.name)
    store = WarehouseStore(con, one.me.workspace_id)
    batch = one.batch(store, settings, layout, progress)
    with progress.stage("extract") as done:
        con.begin()
        try:
            store.begin(one.setting.api, one.setting.api_key_env)
            left = left_over(con, batch, layout)
            last, landed = None, set[str]()
            for load in left:
                with load_errors(load, ADVICE):
                    end, run_ids = store.lists_in(load)
                last, landed = end or last, landed | run_ids
            async with batch.at_work():
                count = await land_new_runs(batch, last, landed)
                if count is None:
                    load_left_over(batch, left)
                    count = await read_each_list(batch)
        except (LevainError, AnalyticsError, duckdb.Error) as error:
            if damage_of(error):
                raise  # the warehouse, not this workspace
            own.warn(" ".join(str(error).split("\n")))
            return Outcome(one.name, str(error), _KEPT, one.client.request_count)
        finally:
            con.rollback()
        for warning in batch.warnings:
            own.warn(warning)
        requests = one.client.request_count
        done(
            f"read {plural(count, 'new or changed run')} in {plural(requests, 'request')}", one.name
        )
        return Outcome(
            one.name, request_count=requests, new_version_count=count, warnings=batch.warnings
        )
