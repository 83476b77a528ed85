"""Extract and load all workspaces, each in its own transaction, so that failures stay separate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import duckdb

from analytics.batch.batch import Batch
from analytics.batch.identity import require_a_key, require_identity, workspace_labels
from analytics.batch.progress import Done, Progress
from analytics.errors import AnalyticsError, UsageError
from analytics.extract.extraction import Extraction
from analytics.extract.workspace import extract_workspace
from analytics.format.numbers import plural
from analytics.levain import AsyncLevain, LevainError
from analytics.levain.records import Me, typed
from analytics.machine_clock import FURTHEST, machine_time
from analytics.settings import Workspace, api_key, keys_set
from analytics.warehouse.damage import damage_of
from analytics.warehouse.landed import landed_loads, last_batch_id, of_the_future
from analytics.warehouse.load import Loaded, load_errors
from analytics.warehouse.store import WarehouseStore

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
    new_version_count: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opened:
    """A workspace whose key was accepted; `name` tells it from all others."""

    setting: Workspace
    client: AsyncLevain
    me: Me
    began_at: datetime
    name: str = ""

    def part_of(self, batch: Batch) -> Extraction:
        """Return its part of a batch, which has read nothing yet, and record its setting."""
        store = _TimedStore(batch.con, self.me.workspace_id, batch.progress)
        store.begin(self.setting.api, self.setting.api_key_env)
        return Extraction(
            client=self.client,
            store=store,
            options=batch.settings.extract,
            keep_errors=batch.settings.privacy.keep_errors,
            landing_root=batch.layout.landing,
            workspace_id=self.me.workspace_id,
            began_at=self.began_at,
            progress=batch.progress.of(self.name),
        )


Read: TypeAlias = Callable[[Batch, Opened, Done], Awaitable[Outcome]]
"""Reads a workspace in a transaction, which is rolled back in the end unless it was committed."""


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


def extract(batch: Batch) -> list[Outcome]:
    """Read and load every workspace; outcomes of failed workspaces have an error.

    UsageError before anything is stored: a key belongs to another workspace than its data, or no
    key is accepted.
    """
    return asyncio.run(read_all(batch, _extract))


async def read_all(batch: Batch, read: Read, kept: str | None = None) -> list[Outcome]:
    """Read each workspace whose key is accepted; the errors are those of `extract`.

    `kept` says what remains of one that fails; by default, its figures.
    """
    async with AsyncExitStack() as stack:
        opened, refused = await open_all(stack, batch)
        require_a_key(bool(opened), refused)
        require_identity(batch.con, [(one.setting, one.me) for one in opened])
        outcomes = [
            _failed(batch, f"{one.api_key_env} at {one.api}", error, kept or _kept(batch.con, one))
            for one, error in refused
        ]
        labels = workspace_labels(batch.con, [one.me for one in opened])
        for one in opened:
            named = replace(one, name=labels[one.me.workspace_id])
            outcomes.append(await _read_one(batch, named, read, kept))
        return outcomes


async def open_all(stack: AsyncExitStack, batch: Batch) -> tuple[list[Opened], list[Refused]]:
    """Ask whose each key is, and return the workspaces whose key was accepted, and the others.

    All are asked at once: an API that does not answer holds the lock once, not once a workspace.
    Waits before requests are sent again are told.
    """
    settings, progress = batch.settings, batch.progress

    async def ask(workspace: Workspace) -> Opened | Refused:
        try:
            client = AsyncLevain(
                api_key(workspace),
                workspace.api,
                concurrency=settings.extract.concurrency,
                requests_per_second=settings.extract.requests_per_second,
                rate_limiter=batch.limit(workspace.api) if batch.limit else None,
                other_keys=[*keys_set(settings)],
                on_retry=lambda error, seconds: progress.wait(
                    f"{error}; trying again in {seconds:.1f} s"
                ),
            )
            client.clock.is_strict = True
            await stack.enter_async_context(client)
            answer = await client.auth.read()
        except (LevainError, UsageError) as error:
            return workspace, error
        client.clock.set(answer.fetched_at)
        return Opened(workspace, client, typed(answer.record, Me), answer.fetched_at)

    found = await asyncio.gather(*map(ask, settings.workspaces))
    opened = [each for each in found if isinstance(each, Opened)]
    return opened, [each for each in found if not isinstance(each, Opened)]


async def _read_one(batch: Batch, one: Opened, read: Read, kept: str | None) -> Outcome:
    with batch.progress.stage("extract") as done:
        batch.con.begin()
        try:
            return await read(batch, one, done)
        except (LevainError, AnalyticsError, duckdb.Error) as error:
            if damage_of(error):
                raise  # a file of the batch's own, not this workspace
            failure = error
        finally:
            with suppress(duckdb.Error):  # committed; or in use, by a load after a second Ctrl-C
                batch.con.rollback()
        kept = kept or _kept(batch.con, one.setting, one.me.workspace_id)
        return _failed(batch, one.name, failure, kept, one.client.request_count)


def _failed(
    batch: Batch, name: str, error: Exception, kept: str, request_count: int = 0
) -> Outcome:
    batch.progress.of(name).warn(" ".join(str(error).split("\n")))
    return Outcome(name, str(error), kept, request_count)


async def _extract(batch: Batch, one: Opened, done: Done) -> Outcome:
    """Extract and load one workspace.

    Landing files of a failed batch stay on disk; the next batch loads them first.
    """
    seconds = batch.progress.seconds
    loaded_before = seconds.get("load", 0.0)
    part = one.part_of(batch)
    load_left_over(part, left_over(batch.con, part))
    _require_none_ahead(batch.con, part)
    await extract_workspace(part)
    batch.con.commit()
    part.warnings += _record_warnings(part)
    for warning in part.warnings:
        batch.progress.of(one.name).warn(warning)
    load_seconds = round(seconds.get("load", 0.0) - loaded_before, 3)
    outcome = Outcome(
        one.name,
        request_count=one.client.request_count,
        new_version_count=part.new_version_count,
        warnings=part.warnings,
    )
    done(
        f"read {plural(outcome.new_version_count, 'new or changed record')}"
        f" in {plural(outcome.request_count, 'request')}",
        one.name,
        request_count=outcome.request_count,
        record_count=part.record_count,
        new_version_count=outcome.new_version_count,
        quarantined_count=part.quarantined_count,
        load_seconds=load_seconds,
    )
    return outcome


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


def _record_warnings(part: Extraction) -> list[str]:
    """Return warnings about quarantined records and fields, and unknown statuses."""
    warnings = []
    if count := part.quarantined_count:
        records = plural(count, "record or field", "records or fields")
        warnings.append(
            f"{records} could not be understood and went to quarantine; the reasons: "
            'analytics sql "select * from audit.quarantined_records"'
        )
    for status, count in part.store.unknown_statuses().items():
        have, are = ("1 run has", "counts") if count == 1 else (f"{count:,} runs have", "count")
        warnings.append(f"{have} the unknown status `{status}`, and {are} as open.")
    return warnings


def left_over(con: duckdb.DuckDBPyConnection, part: Extraction) -> list[Path]:
    """Return the folders that collections or an interrupted batch landed, and no batch loaded."""
    found = con.execute(
        "select load_id from ledger.loads where workspace_id = ?", [part.workspace_id]
    ).fetchall()
    loaded = {load_id for (load_id,) in found}
    return landed_loads(part.landing_root / part.workspace_id, besides=loaded)


def load_left_over(part: Extraction, folders: Sequence[Path]) -> None:
    """Load folders that were left over."""
    for folder in folders:
        with load_errors(folder, ADVICE):
            part.count(part.store.load(folder))


def _require_none_ahead(con: duckdb.DuckDBPyConnection, part: Extraction) -> None:
    """Raise AnalyticsError if loads of a workspace's folder, or answers in them, are ahead."""
    ((first,),) = con.execute(
        "select min(load_id) from ledger.requests"
        " where workspace_id = ? and (load_id > ? or fetched_at > ?)",
        [part.workspace_id, last_batch_id(), machine_time() + FURTHEST],
    ).fetchall()
    if first:
        raise of_the_future(part.landing_root / part.workspace_id / first)


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
