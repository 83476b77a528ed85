"""Extract and load all workspaces, each in its own transaction, so that failures stay separate."""

from __future__ import annotations

import re
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, UsageError
from analytics.extract.batch import WorkspaceBatch
from analytics.extract.landing import UNFINISHED
from analytics.extract.store import Loaded
from analytics.extract.workspace import extract_workspace
from analytics.levain import AsyncLevain, ForbiddenError, LevainError, UnauthorizedError
from analytics.levain.records import Me, typed
from analytics.settings import CONFIG_FILE, Settings, Workspace
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_errors
from analytics.warehouse.store import WarehouseStore

_HOW_TO_ADD = f"\nTo have it beside these data, give its workspace_id in {CONFIG_FILE}."
_KEY_REFUSED = (UnauthorizedError, ForbiddenError)
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


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
class _Opened:
    """A workspace whose key was accepted."""

    setting: Workspace
    client: AsyncLevain
    me: Me
    began_at: datetime


class _TimedStore(WarehouseStore):
    """Adds the seconds of each load to those of the stage `load`."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        workspace_id: str,
        settle_hours: int,
        progress: Progress,
    ) -> None:
        super().__init__(con, workspace_id, settle_hours=settle_hours)
        self._progress = progress

    def load(self, folder: Path) -> Loaded:
        """Load a landing folder."""
        with self._progress.stage("load"):
            loaded = super().load(folder)
        self._progress.detail(f"loaded {folder}: {loaded.record_count:,} records")
        return loaded


async def extract_all(
    con: duckdb.DuckDBPyConnection,
    keys: list[tuple[Workspace, str]],
    settings: Settings,
    layout: Layout,
    progress: Progress,
) -> list[Outcome]:
    """Extract every workspace with its key; outcomes of failed workspaces have an error.

    UsageError before anything is stored: a key belongs to another workspace than its data, or no
    key is accepted.
    """
    async with AsyncExitStack() as stack:
        opened: list[_Opened] = []
        refused: list[tuple[Workspace, LevainError]] = []
        for workspace, key in keys:
            try:
                client = await stack.enter_async_context(
                    AsyncLevain(
                        key,
                        workspace.api,
                        concurrency=settings.extract.concurrency,
                        requests_per_second=settings.extract.requests_per_second,
                    )
                )
                answer = await client.auth.read()
                me = typed(answer.record, Me)
            except LevainError as error:
                refused.append((workspace, error))
            else:
                opened.append(_Opened(workspace, client, me, answer.fetched_at))
        _require_a_key(opened, refused)
        _require_identity(con, opened)
        failed = [
            Outcome(_name(workspace), str(error), _kept(con, workspace))
            for workspace, error in refused
        ]
        for outcome in failed:
            progress.of(outcome.name).warn(str(outcome.error))
        return failed + [await _extract_one(con, one, settings, layout, progress) for one in opened]


def _require_a_key(opened: list[_Opened], refused: list[tuple[Workspace, LevainError]]) -> None:
    """Raise UsageError if the API refuses every key."""
    if opened or not all(isinstance(error, _KEY_REFUSED) for _, error in refused):
        return
    (workspace, error), *_ = refused
    names = ", ".join(workspace.api_key_env for workspace, _ in refused)
    raise UsageError(
        f"The API at {workspace.api} does not accept the key in {names} ({error.cause}).\n"
        "Check that it was copied whole, has not been revoked, and may be used from here."
    )


def _require_identity(con: duckdb.DuckDBPyConnection, opened: list[_Opened]) -> None:
    """Raise UsageError if a key belongs to another workspace than the data under its setting.

    A rebuild does not restore these settings. A stored workspace that no key has opened since is
    then expected from the next new key, unless the settings name another workspace.
    """
    stored = con.execute(
        "select workspace_id, workspace_name, api, api_key_env from ledger.workspaces order by 1"
    ).fetchall()
    known = {(api, env): (each, name) for each, name, api, env in stored}
    held = {each for each, *_ in stored}
    seen: dict[str, str] = {}
    awaited = [
        (each, name)
        for each, name, _, env in stored
        if env is None and each not in {one.me.workspace_id for one in opened}
    ]
    for one in opened:
        env, found = one.setting.api_key_env, one.me.workspace_id
        new = awaited[0] if awaited and found not in held else (found, None)
        expected, label = known.get((one.setting.api, env), new)
        expected = one.setting.workspace_id or expected
        if found != expected:
            raise UsageError(
                f"The key in {env} belongs to workspace {one.me.workspace_name} ({found}), "
                "but the data under this setting is that of "
                f"{label or 'another workspace'} ({expected}).\n"
                "Put that workspace's key back, or read the other one into another --data-dir."
                + (_HOW_TO_ADD if expected == new[0] else "")
            )
        if not _SAFE_ID.fullmatch(found):
            raise UsageError(f"{one.setting.api} gives a workspace id that is no id: {found!r}.")
        if seen.get(found) == env:
            raise UsageError(f"{CONFIG_FILE} names {env} twice: a workspace is read once a batch.")
        if found in seen:
            raise UsageError(f"{seen[found]} and {env} hold keys of the same workspace ({found}).")
        seen[found] = env


async def _extract_one(
    con: duckdb.DuckDBPyConnection,
    one: _Opened,
    settings: Settings,
    layout: Layout,
    progress: Progress,
) -> Outcome:
    """Extract and load one workspace in one transaction.

    Landing files of a failed batch stay on disk; the next batch loads them first.
    """
    loaded_before = progress.seconds.get("load", 0.0)
    with progress.stage("extract") as done:
        name = one.me.workspace_name or one.me.workspace_id
        own = progress.of(name)
        store = _TimedStore(con, one.me.workspace_id, settings.extract.settle_hours, progress)
        batch = WorkspaceBatch(
            client=one.client,
            store=store,
            options=settings.extract,
            keep_errors=settings.privacy.keep_errors,
            landing_root=layout.landing,
            workspace_id=one.me.workspace_id,
            began_at=one.began_at,
            progress=own,
        )
        con.begin()
        try:
            store.begin(one.setting.api, one.setting.api_key_env)
            _load_left_over(con, batch, layout)
            await extract_workspace(batch)
        except (LevainError, AnalyticsError, duckdb.Error) as error:
            con.rollback()
            own.warn(str(error))
            kept = _kept(con, one.setting, one.me.workspace_id)
            return Outcome(name, str(error), kept, one.client.request_count)
        except BaseException:
            con.rollback()
            raise
        con.commit()
        batch.warnings += _record_warnings(batch)
        for warning in batch.warnings:
            own.warn(warning)
        done(
            f"{name}: {one.client.request_count:,} requests, {batch.record_count:,} records, "
            f"{batch.new_version_count:,} new or changed, "
            f"loaded in {progress.seconds.get('load', 0.0) - loaded_before:.1f} s"
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
        "select coalesce(workspace_name, workspace_id), last_batch_at from ledger.workspaces"
        " where workspace_id = ? or (api = ? and api_key_env = ?)",
        [workspace_id or setting.workspace_id, setting.api, setting.api_key_env],
    ).fetchone()
    if row is None:
        return "It has no figures yet."
    name, last_batch_at = row
    return f"{name} keeps its figures up to {last_batch_at:%Y-%m-%d %H:%M} UTC."


def _record_warnings(batch: WorkspaceBatch) -> list[str]:
    """Return warnings about quarantined records and unknown statuses."""
    warnings = []
    if count := batch.quarantined_count:
        records = "1 record" if count == 1 else f"{count:,} records"
        warnings.append(
            f"{records} could not be understood and went to quarantine; the reasons: "
            'analytics sql "select * from audit.quarantined_records"'
        )
    for status, count in batch.store.unknown_statuses().items():
        have, are = ("1 run has", "counts") if count == 1 else (f"{count:,} runs have", "count")
        warnings.append(f"{have} the unknown status `{status}`, and {are} as open.")
    return warnings


def _load_left_over(con: duckdb.DuckDBPyConnection, batch: WorkspaceBatch, layout: Layout) -> None:
    """Load folders that an interrupted batch landed, and delete its unfinished one."""
    loaded = {
        load_id
        for (load_id,) in con.execute(
            "select load_id from ledger.loads where workspace_id = ?", [batch.workspace_id]
        ).fetchall()
    }
    for folder in sorted((layout.landing / batch.workspace_id).glob("*")):
        if folder.name.endswith(UNFINISHED):
            shutil.rmtree(folder)
        elif folder.name not in loaded:
            advice = "Move it out of the way and run again; what it held will be read anew."
            with load_errors(folder, advice):
                batch.count(batch.store.load(folder))


def _name(workspace: Workspace) -> str:
    return f"{workspace.api_key_env} at {workspace.api}"
