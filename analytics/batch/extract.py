"""Extract and load all workspaces, each in its own transaction, so that failures stay separate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import duckdb

from analytics.batch.identity import require_a_key, require_identity, workspace_labels
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, UsageError
from analytics.extract.batch import WorkspaceBatch
from analytics.extract.workspace import extract_workspace
from analytics.format.numbers import plural
from analytics.levain import AsyncLevain, LevainError
from analytics.levain.rate_limiter import RateLimiter
from analytics.levain.records import Me, typed
from analytics.machine_clock import FURTHEST, machine_time
from analytics.settings import Settings, Workspace, api_key, keys_set
from analytics.warehouse.damage import damage_of
from analytics.warehouse.landed import landed_loads, last_batch_id, of_the_future
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import Loaded, load_errors
from analytics.warehouse.store import WarehouseStore

Limit: TypeAlias = Callable[[str], RateLimiter]
"""Returns the rate limiter of the API with this address."""


ADVICE = "Move it out of the way and run again; what it held will be read anew."
"""Advice for a landing folder that cannot be loaded."""

Refused: TypeAlias = tuple[Workspace, LevainError | UsageError]
"""A workspace that could not be opened, and why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one workspace's batch.

    `error` is None on success; else `kept` names the figures of the workspace that remain.
    """

    name: str
    error: str | None = None
    kept: str = ""
    request_count: int = 0
    record_count: int = 0
    new_version_count: int = 0
    quarantined_count: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opened:
    """A workspace whose key was accepted; `name` tells it from all others."""

    setting: Workspace
    client: AsyncLevain
    me: Me
    began_at: datetime
    name: str = ""

    def batch(
        self, store: WarehouseStore, settings: Settings, layout: Layout, progress: Progress
    ) -> WorkspaceBatch:
        """Return a batch of it, which has read nothing yet."""
        return WorkspaceBatch(
            client=self.client,
            store=store,
            options=settings.extract,
            keep_errors=settings.privacy.keep_errors,
            landing_root=layout.landing,
            workspace_id=self.me.workspace_id,
            began_at=self.began_at,
            progress=progress.of(self.name),
        )


class _TimedStore(WarehouseStore):
    """Adds the seconds of each load to those of the stage `load`."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, workspace_id: str, progress: Progress
    ) -> None:
        super().__init__(con, workspace_id)
        self._progress = progress

    def load(self, folder: Path) -> Loaded:
        """Load a landing folder."""
        with self._progress.stage("load"):
            loaded = super().load(folder)
        self._progress.detail(f"loaded {folder}: {loaded.record_count:,} records")
        return loaded


async def extract_all(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    limit: Limit | None = None,
) -> list[Outcome]:
    """Extract every workspace; outcomes of failed workspaces have an error.

    `limit` gives the rate limiter of an API, in place of one for each workspace by the settings.

    UsageError before anything is stored: a key belongs to another workspace than its data, or no
    key is accepted.
    """
    async with AsyncExitStack() as stack:
        opened, refused = await open_all(stack, settings, progress, limit)
        failed = outcomes_of_refused(con, opened, refused, progress, lambda one: _kept(con, one))
        return failed + [
            await _extract_one(con, one, settings, layout, progress) for one in named(con, opened)
        ]


async def open_all(
    stack: AsyncExitStack, settings: Settings, progress: Progress, limit: Limit | None = None
) -> tuple[list[Opened], list[Refused]]:
    """Ask whose each key is, and return the workspaces whose key was accepted, and the others.

    All are asked at once: an API that does not answer holds the lock once, not once a workspace.
    """

    async def ask(workspace: Workspace) -> Opened | Refused:
        try:
            client = _client_of(workspace, settings, progress, limit)
            await stack.enter_async_context(client)
            answer = await client.auth.read()
        except (LevainError, UsageError) as error:
            return workspace, error
        client.clock.set(answer.fetched_at)
        return Opened(workspace, client, typed(answer.record, Me), answer.fetched_at)

    found = await asyncio.gather(*map(ask, settings.workspaces))
    opened = [each for each in found if isinstance(each, Opened)]
    return opened, [each for each in found if not isinstance(each, Opened)]


def _client_of(
    workspace: Workspace, settings: Settings, progress: Progress, limit: Limit | None
) -> AsyncLevain:
    """Return a client of a workspace's API, of no wrong time; UsageError without its key.

    Its waits before requests are sent again are told.
    """
    client = AsyncLevain(
        api_key(workspace),
        workspace.api,
        concurrency=settings.extract.concurrency,
        requests_per_second=settings.extract.requests_per_second,
        rate_limiter=limit(workspace.api) if limit else None,
        other_keys=[*keys_set(settings)],
        on_retry=lambda error, seconds: progress.wait(f"{error}; trying again in {seconds:.1f} s"),
    )
    client.clock.is_strict = True
    return client


def named(con: duckdb.DuckDBPyConnection, opened: Sequence[Opened]) -> list[Opened]:
    """Return the opened workspaces with the names that messages tell them apart by."""
    labels = workspace_labels(con, [one.me for one in opened])
    return [replace(one, name=labels[one.me.workspace_id]) for one in opened]


def outcomes_of_refused(
    con: duckdb.DuckDBPyConnection,
    opened: Sequence[Opened],
    refused: Sequence[Refused],
    progress: Progress,
    kept: Callable[[Workspace], str],
) -> list[Outcome]:
    """Warn of workspaces that could not be opened; `kept` says which of their figures remain.

    UsageError if a key belongs to another workspace than its data, or no key is accepted.
    """
    require_a_key(bool(opened), refused)
    require_identity(con, [(one.setting, one.me) for one in opened])
    failed = [Outcome(_name_of(setting), str(error), kept(setting)) for setting, error in refused]
    for outcome in failed:
        progress.of(outcome.name).warn(" ".join(str(outcome.error).split("\n")))
    return failed


async def _extract_one(
    con: duckdb.DuckDBPyConnection,
    one: Opened,
    settings: Settings,
    layout: Layout,
    progress: Progress,
) -> Outcome:
    """Extract and load one workspace in one transaction.

    Landing files of a failed batch stay on disk; the next batch loads them first.
    """
    loaded_before = progress.seconds.get("load", 0.0)
    with progress.stage("extract") as done:
        name, own = one.name, progress.of(one.name)
        store = _TimedStore(con, one.me.workspace_id, progress)
        con.begin()
        try:
            batch = one.batch(store, settings, layout, progress)
            store.begin(one.setting.api, one.setting.api_key_env)
            load_left_over(batch, left_over(con, batch, layout))
            _require_none_ahead(con, layout.landing / one.me.workspace_id)
            await extract_workspace(batch)
        except (LevainError, AnalyticsError, duckdb.Error) as error:
            con.rollback()
            if damage_of(error):
                raise  # a file of the batch's own, not this workspace
            own.warn(" ".join(str(error).split("\n")))
            kept = _kept(con, one.setting, one.me.workspace_id)
            return Outcome(name, str(error), kept, one.client.request_count)
        except BaseException:
            with suppress(duckdb.Error):  # a load that a second Ctrl-C left at work has it in use
                con.rollback()
            raise
        con.commit()
        batch.warnings += _record_warnings(batch)
        for warning in batch.warnings:
            own.warn(warning)
        load_seconds = progress.seconds.get("load", 0.0) - loaded_before
        done(
            f"read {plural(batch.new_version_count, 'new or changed record')}"
            f" in {plural(one.client.request_count, 'request')}",
            name,
            request_count=one.client.request_count,
            record_count=batch.record_count,
            new_version_count=batch.new_version_count,
            quarantined_count=batch.quarantined_count,
            load_seconds=load_seconds,
        )
        return Outcome(
            name,
            request_count=one.client.request_count,
            record_count=batch.record_count,
            new_version_count=batch.new_version_count,
            quarantined_count=batch.quarantined_count,
            warnings=batch.warnings,
        )


def _kept(
    con: duckdb.DuckDBPyConnection, setting: Workspace, workspace_id: str | None = None
) -> str:
    """Return a sentence on the remaining figures of a workspace that could not be read."""
    row = con.execute(
        "select workspace_id, last_batch_at from ledger.workspaces"
        " where workspace_id = ? or (api = ? and api_key_env = ?)",
        [workspace_id or setting.workspace_id, setting.api, setting.api_key_env],
    ).fetchone()
    if row is None:
        of_rebuild = "select 1 from ledger.workspaces where api_key_env is null"
        if con.execute(of_rebuild).fetchone():
            return "Any figures that it had before the rebuild stay as they are."
        return "It has no figures yet."
    identity, last_batch_at = row
    name = workspace_labels(con)[identity]
    return f"{name} keeps its figures up to {last_batch_at:%Y-%m-%d %H:%M} UTC."


def _record_warnings(batch: WorkspaceBatch) -> list[str]:
    """Return warnings about quarantined records and fields, and unknown statuses."""
    warnings = []
    if count := batch.quarantined_count:
        records = plural(count, "record or field", "records or fields")
        warnings.append(
            f"{records} could not be understood and went to quarantine; the reasons: "
            'analytics sql "select * from audit.quarantined_records"'
        )
    for status, count in batch.store.unknown_statuses().items():
        have, are = ("1 run has", "counts") if count == 1 else (f"{count:,} runs have", "count")
        warnings.append(f"{have} the unknown status `{status}`, and {are} as open.")
    return warnings


def left_over(con: duckdb.DuckDBPyConnection, batch: WorkspaceBatch, layout: Layout) -> list[Path]:
    """Return the folders that collections or an interrupted batch landed, and no batch loaded."""
    loaded = {
        load_id
        for (load_id,) in con.execute(
            "select load_id from ledger.loads where workspace_id = ?", [batch.workspace_id]
        ).fetchall()
    }
    return landed_loads(layout.landing / batch.workspace_id, besides=loaded)


def load_left_over(batch: WorkspaceBatch, folders: Sequence[Path]) -> None:
    """Load folders that were left over."""
    for folder in folders:
        with load_errors(folder, ADVICE):
            batch.count(batch.store.load(folder))


def _require_none_ahead(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Raise AnalyticsError if loads of a workspace's folder, or answers in them, are ahead."""
    ((first,),) = con.execute(
        "select min(load_id) from ledger.requests"
        " where workspace_id = ? and (load_id > ? or fetched_at > ?)",
        [folder.name, last_batch_id(), machine_time() + FURTHEST],
    ).fetchall()
    if first:
        raise of_the_future(folder / first)


def _name_of(workspace: Workspace) -> str:
    """Return the name of a workspace that only its setting is known of."""
    return f"{workspace.api_key_env} at {workspace.api}"


def require_all(outcomes: list[Outcome]) -> None:
    """Raise AnalyticsError if a workspace could not be read, with its remaining figures."""
    if error := unread(outcomes):
        raise error


def unread(outcomes: list[Outcome]) -> AnalyticsError | None:
    """Return the error that names the workspaces that could not be read, if any."""
    failed = [outcome for outcome in outcomes if outcome.error]
    if not failed:
        return None
    return AnalyticsError(
        f"{len(failed)} of {len(outcomes)} workspaces could not be read; "
        "what was published of them before still stands.\n"
        + "\n".join(f"{each.name}: {each.error}\n  {each.kept}" for each in failed)
    )
