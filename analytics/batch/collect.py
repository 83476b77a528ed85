"""Collect new runs of all workspaces between two batches, so that none leaves its list unseen.

A collection lands, and neither loads nor publishes. Where the unfiltered list does not overlap its
last snapshot, it reads agents' lists as a batch does, in a transaction that is rolled back.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack

import duckdb

from analytics.batch.batch import opened
from analytics.batch.extract import (
    Opened,
    Outcome,
    client_of,
    load_left_over,
    named,
    outcomes_of_refused,
    require_all,
    runner_of,
)
from analytics.batch.identity import known_workspace
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, UsageError
from analytics.extract.collection import (
    Pull,
    collect_by_agent,
    land_new_runs,
    last_watermark,
    pull_list,
)
from analytics.format.numbers import plural
from analytics.levain import AsyncLevain, LevainError
from analytics.levain.records import Me, typed
from analytics.settings import Settings, Workspace, require_a_key_set
from analytics.warehouse.damage import damage_of
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import collection_lock
from analytics.warehouse.store import WarehouseStore

_KEPT = "The next collection or batch reads it again."


def collect(settings: Settings, progress: Progress) -> list[Outcome]:
    """Collect all workspaces; AnalyticsError if one could not be read."""
    os.umask(0o077)
    require_a_key_set(settings)
    layout = Layout(settings.data_dir)
    with (
        collection_lock(layout),
        opened(layout, settings, progress) as batch,
        runner_of(progress) as runner,
    ):
        outcomes = runner.run(_collect_all(batch.con, settings, layout, progress))
    require_all(outcomes)
    return outcomes


async def _collect_all(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
) -> list[Outcome]:
    """Pull all lists, and land them once each key is known to be of its own workspace.

    UsageError before anything is landed: a key belongs to another workspace than its data, or no
    key is accepted.
    """
    async with AsyncExitStack() as stack:

        async def pull(setting: Workspace) -> tuple[Opened, Pull] | LevainError | UsageError:
            try:
                client = await stack.enter_async_context(client_of(setting, settings))
                return await _pull(con, setting, client, layout)
            except (LevainError, UsageError) as error:
                return error

        # All at once: an API that does not answer must not hold the lock once a workspace.
        found = await asyncio.gather(*map(pull, settings.workspaces))
        pulled = [each for each in found if isinstance(each, tuple)]
        refused = [
            (setting, each)
            for setting, each in zip(settings.workspaces, found, strict=True)
            if not isinstance(each, tuple)
        ]
        opened = [one for one, _ in pulled]
        failed = outcomes_of_refused(con, opened, refused, progress, lambda _: _KEPT)
        pulls = [pull for _, pull in pulled]
        return failed + [
            await _collect_one(con, one, pull, settings, layout, progress)
            for one, pull in zip(named(con, opened), pulls, strict=True)
        ]


async def _pull(
    con: duckdb.DuckDBPyConnection, setting: Workspace, client: AsyncLevain, layout: Layout
) -> tuple[Opened, Pull]:
    """Read a list, and the key's workspace too unless the list proves it.

    No other workspace's list has the newest run that the last snapshot has.
    """
    pull = await pull_list(client)
    client.clock.set(pull.answer.fetched_at)
    known = known_workspace(con, setting)
    if known and pull.shows(last_watermark(layout.landing / known.workspace_id)):
        me = known
    else:
        me = typed((await client.auth.read()).record, Me)
    return Opened(setting, client, me, pull.answer.fetched_at), pull


async def _collect_one(
    con: duckdb.DuckDBPyConnection,
    one: Opened,
    pull: Pull,
    settings: Settings,
    layout: Layout,
    progress: Progress,
) -> Outcome:
    """Land the new runs of a workspace."""
    name = one.name
    with progress.stage("extract") as done:
        try:
            folder = layout.landing / one.me.workspace_id
            count = land_new_runs(pull, folder, keep_errors=settings.privacy.keep_errors)
            warnings: list[str] = []
            if count is None:
                count, warnings = await _collect_by_agent(con, one, settings, layout, progress)
        except (LevainError, AnalyticsError, duckdb.Error) as error:
            if damage_of(error):
                raise  # the warehouse, not this workspace
            progress.of(name).warn(" ".join(str(error).split("\n")))
            return Outcome(name, str(error), _KEPT, one.client.request_count)
        for warning in warnings:
            progress.of(name).warn(warning)
        requests = one.client.request_count
        done(f"read {plural(count, 'new or changed run')} in {plural(requests, 'request')}", name)
        return Outcome(name, request_count=requests, new_version_count=count, warnings=warnings)


async def _collect_by_agent(
    con: duckdb.DuckDBPyConnection,
    one: Opened,
    settings: Settings,
    layout: Layout,
    progress: Progress,
) -> tuple[int, list[str]]:
    """Read the list of each agent; return the number of new or changed runs, and warnings.

    The warehouse keeps nothing of it: it holds whole batches, of which anybody may build marts.
    """
    store = WarehouseStore(con, one.me.workspace_id)
    batch = one.batch(store, settings, layout, progress)
    con.begin()
    try:
        store.begin(one.setting.api, one.setting.api_key_env)
        load_left_over(con, batch, layout)
        count = await collect_by_agent(batch)
    finally:
        con.rollback()
    return count, batch.warnings
