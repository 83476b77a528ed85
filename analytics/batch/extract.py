"""Extract and load all workspaces, each in its own transaction, so that failures stay separate."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import duckdb
import uvloop

from analytics.batch.batch import Batch
from analytics.batch.failures import failure_of
from analytics.batch.workspaces import (
    Opened,
    identity_errors,
    open_all,
    require_any,
    workspace_labels,
)
from analytics.errors import AnalyticsError
from analytics.extract.extraction import Extraction
from analytics.extract.workspace import extract_workspace
from analytics.format.numbers import plural
from analytics.levain import LevainError
from analytics.settings import Workspace
from analytics.warehouse.damage import damage_of
from analytics.warehouse.landed import landed_loads
from analytics.warehouse.load import Loaded, load_errors, load_folder
from analytics.warehouse.moved_runs import shared_runs
from analytics.warehouse.provisional_runs import unknown_statuses
from analytics.warehouse.store import Store

ADVICE = "Move it out of the way and run again; what it held will be read anew."
"""Advice for a landing folder that cannot be loaded."""


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


Read: TypeAlias = Callable[[Extraction], Awaitable[int]]
"""Reads a workspace, and returns how many records or runs it has read that are new or have changed.

The transaction is rolled back in the end, unless it was committed.
"""


def extract(batch: Batch) -> list[Outcome]:
    """Read and load every workspace; outcomes of failed workspaces have an error.

    UsageError before anything is stored: no key opens its workspace.
    """
    outcomes = uvloop.run(read_all(batch, _extract, "record", again=shared_runs))
    workspaces = batch.con.execute("select workspace_id from ledger.workspaces").fetchall()
    if twice := {run for (each,) in workspaces for run in shared_runs(Store(batch.con, each))}:
        batch.warn(
            f"figures count {plural(len(twice), 'run')} twice until the workspace can be read that"
            " their agent left"
        )
    return outcomes


async def read_all(
    batch: Batch,
    read: Read,
    noun: str,
    kept: str | None = None,
    again: Callable[[Store], object] = lambda _: None,
) -> list[Outcome]:
    """Read each workspace that its key opens; the errors are those of `extract`.

    The `noun` names what is counted. `kept` says what remains of one that fails; by default, its
    figures. A workspace is read once more if `again` returns True after the others were read.
    """
    async with AsyncExitStack() as stack:
        answered, refused = await open_all(stack, batch)
        errors = identity_errors(batch.con, [(one.setting, one.me) for one in answered])
        judged = [*zip(answered, errors, strict=True)]
        refused += [(one.setting, error) for one, error in judged if error]
        opened = [one for one, error in judged if not error]
        require_any(opened, refused)
        outcomes = [
            _failed(batch, f"{one.api_key_env} at {one.api}", error, kept or _kept(batch.con, one))
            for one, error in refused
        ]
        labels = workspace_labels(batch.con, [one.me for one in opened])
        opened = [replace(one, name=labels[one.me.workspace_id]) for one in opened]
        found = [await _read_one(batch, one, read, noun, kept) for one in opened]
        for place, one in enumerate(opened[:-1]):
            if not found[place].error and again(Store(batch.con, one.me.workspace_id)):
                warnings = found[place].warnings
                found[place] = await _read_one(batch, one, read, noun, kept)
                found[place].warnings[:0] = warnings
        return outcomes + found


async def _read_one(batch: Batch, one: Opened, read: Read, noun: str, kept: str | None) -> Outcome:
    seconds = batch.progress.seconds
    with batch.progress.stage("extract") as done:
        loaded_before = seconds.get("load", 0.0)
        batch.con.begin()
        try:
            part = _part_of(batch, one)
            count = await read(part)
        except Exception as error:  # whatever it is, it costs no other workspace its figures
            if damage_of(error):
                raise  # a file of the batch's own, not this workspace
            failure = error
        else:
            for warning in part.warnings:
                batch.progress.of(one.name).warn(warning)
            requests = one.client.request_count
            load_seconds = round(seconds.get("load", 0.0) - loaded_before, 3)
            done(
                f"read {plural(count, f'new or changed {noun}')} in {plural(requests, 'request')}",
                one.name,
                request_count=requests,
                record_count=part.record_count,
                new_version_count=part.new_version_count,
                quarantined_count=part.quarantined_count,
                load_seconds=load_seconds,
            )
            return Outcome(
                one.name,
                request_count=requests,
                new_version_count=count,
                warnings=part.warnings,
            )
        finally:
            with suppress(duckdb.Error):  # committed; or in use, by a load after a second Ctrl-C
                batch.con.rollback()
        kept = kept or _kept(batch.con, one.setting, one.me.workspace_id)
        return _failed(batch, one.name, failure, kept, one.client.request_count)


def _part_of(batch: Batch, one: Opened) -> Extraction:
    """Return a workspace's part of a batch, which has read nothing yet; record its setting."""
    store = Store(batch.con, one.me.workspace_id)
    store.begin(one.setting.api, one.setting.api_key_env)
    return Extraction(
        client=one.client,
        store=store,
        load=partial(_load, batch),
        options=batch.settings.extract,
        keep_errors=batch.settings.privacy.keep_errors,
        landing_root=batch.layout.landing,
        workspace_id=one.me.workspace_id,
        began_at=one.began_at,
        progress=batch.progress.of(one.name),
    )


def _load(batch: Batch, folder: Path) -> Loaded:
    """Load a landing folder, whose seconds are of the stage `load` too."""
    with batch.progress.stage("load"):
        loaded = load_folder(batch.con, folder)
    batch.progress.detail(f"loaded {folder}: {loaded.record_count:,} records")
    return loaded


def _failed(
    batch: Batch, name: str, error: Exception, kept: str, request_count: int = 0
) -> Outcome:
    cause = _cause_of(error)
    batch.progress.of(name).warn(" ".join(cause.split("\n")))
    batch.progress.of(name).detail("".join(traceback.format_exception(error)))
    return Outcome(name, cause, kept, request_count)


def _cause_of(error: Exception) -> str:
    """Return an error in words."""
    if isinstance(error, LevainError):
        return str(error)
    if not (failure := failure_of(error)).is_defect:
        return failure.text
    first_line = str(error).partition("\n")[0]
    return (
        f"This is a defect of this program ({type(error).__name__}: {first_line}).\n"
        "Please report it with the output of `analytics nightly --verbose`."
    )


async def _extract(part: Extraction) -> int:
    """Extract and load one workspace.

    Landing files of a failed batch stay on disk; the next batch loads them first.
    """
    load_left_over(part, left_over(part))
    await extract_workspace(part)
    part.store.con.commit()
    part.warnings += _record_warnings(part)
    return part.new_version_count


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
    for status, count in unknown_statuses(part.store).items():
        have, are = ("1 run has", "counts") if count == 1 else (f"{count:,} runs have", "count")
        warnings.append(f"{have} the unknown status `{status}`, and {are} as open.")
    return warnings


def left_over(part: Extraction) -> list[Path]:
    """Return the folders that collections or an interrupted batch landed, and no batch loaded."""
    loaded = {*part.store.column("select load_id from ledger.loads where {mine}")}
    return landed_loads(part.landing_root / part.workspace_id, besides=loaded)


def load_left_over(part: Extraction, folders: Sequence[Path]) -> None:
    """Load folders that were left over."""
    for folder in folders:
        with load_errors(folder, ADVICE):
            part.count(part.load(folder))


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
