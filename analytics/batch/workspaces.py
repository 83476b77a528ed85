"""Workspaces are opened by their keys; data are read with the key of their own workspace only."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from analytics.errors import UsageError
from analytics.format.names import told_apart
from analytics.levain import AsyncLevain, ForbiddenError, LevainError, UnauthorizedError
from analytics.levain.records import Me
from analytics.settings import CONFIG_FILE, Workspace, api_key, keys_set

if TYPE_CHECKING:  # `analytics runs` opens no file
    import duckdb

    from analytics.batch.batch import Batch

_HOW_TO_ADD = f"\nTo have it beside these data, give its workspace_id in {CONFIG_FILE}."
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Opened:
    """A workspace whose key was accepted; `name` tells it from all others."""

    setting: Workspace
    client: AsyncLevain
    me: Me
    began_at: datetime
    name: str = ""


Refused: TypeAlias = tuple[Workspace, Exception]
"""A workspace that could not be opened, and why."""


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
            answer, me = await client.auth.read()
        except (UnauthorizedError, ForbiddenError) as error:
            return workspace, key_refused(error, workspace)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are read
            return workspace, error
        client.clock.set(answer.fetched_at)
        return Opened(workspace, client, me, answer.fetched_at)

    found = await asyncio.gather(*map(ask, settings.workspaces))
    opened = [each for each in found if isinstance(each, Opened)]
    return opened, [each for each in found if not isinstance(each, Opened)]


def require_any(opened: Sequence[Opened], refused: Sequence[Refused]) -> None:
    """Raise UsageError if no workspace can be read, and only keys and settings are to blame."""
    if not opened and all(isinstance(error, UsageError) for _, error in refused):
        raise UsageError("\n".join(dict.fromkeys(str(error) for _, error in refused)))


def key_refused(error: LevainError, workspace: Workspace) -> UsageError:
    """Return the error of a key that the API does not accept."""
    return UsageError(
        f"The API at {workspace.api} does not accept the key in {workspace.api_key_env}"
        f" ({error.cause}).\n"
        "Check that it was copied whole, has not been revoked, and may be used from here."
    )


def require_named(me: Me, setting: Workspace) -> None:
    """Raise UsageError if a key belongs to another workspace than its setting names."""
    if setting.workspace_id not in (None, me.workspace_id):
        raise UsageError(
            f"The key in {setting.api_key_env} belongs to workspace {me.workspace_name} "
            f"({me.workspace_id}), but workspace_id in the settings is {setting.workspace_id}.\n"
            "Correct workspace_id or leave it out, or put that workspace's key into the variable."
        )


def workspace_labels(con: duckdb.DuckDBPyConnection, opened: Iterable[Me] = ()) -> dict[str, str]:
    """Return the name of each workspace by id, the id if it has none, as messages have it.

    `opened` are those that may not be stored yet, or under another name.
    """
    known = dict(
        con.execute("select workspace_id, workspace_name from ledger.workspaces").fetchall()
    )
    known |= {me.workspace_id: me.workspace_name for me in opened}
    return told_apart({identity: name or identity for identity, name in known.items()})


def identity_errors(
    con: duckdb.DuckDBPyConnection, opened: Sequence[tuple[Workspace, Me]]
) -> list[UsageError | None]:
    """Return an error for each key that belongs to another workspace than its setting names.

    If that names none, it is the workspace of the data under the setting. A rebuild does not
    restore these settings: a stored workspace that no key has opened since is then expected from
    the next new key. Of several keys of one workspace only that is right which these name.
    """
    stored = con.execute(
        "select workspace_id, workspace_name, api, api_key_env from ledger.workspaces order by 1"
    ).fetchall()
    known = {(api, env): (each, name) for each, name, api, env in stored}
    held = {each for each, *_ in stored}
    awaited = [
        (each, name)
        for each, name, _, env in stored
        if env is None and each not in {me.workspace_id for _, me in opened}
    ]

    def require_identity(setting: Workspace, me: Me) -> None:
        env, found = setting.api_key_env, me.workspace_id
        if not _SAFE_ID.fullmatch(found):
            raise UsageError(f"{setting.api} gives a workspace id that is no id: {found!r}.")
        require_named(me, setting)
        new = awaited[0] if awaited and found not in held else (found, None)
        expected, label = known.get((setting.api, env), new)
        if setting.workspace_id is None and found != expected:
            raise UsageError(
                f"The key in {env} belongs to workspace {me.workspace_name} ({found}), "
                "but the data under this setting is that of "
                f"{label or 'another workspace'} ({expected}).\n"
                "Put that workspace's key back, or read the other one into another --data-dir."
                + (_HOW_TO_ADD if expected == new[0] else "")
            )

    errors: list[UsageError | None] = [None] * len(opened)
    rivals, certain = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for index, (setting, me) in enumerate(opened):
        try:
            require_identity(setting, me)
        except UsageError as error:
            errors[index] = error
            continue
        rivals[me.workspace_id].append(index)
        if setting.workspace_id or (setting.api, setting.api_key_env) in known:
            certain[me.workspace_id].append(index)
    for found, indexes in rivals.items():
        names = [opened[index][0].api_key_env for index in indexes]
        for index in indexes:
            if len(indexes) > 1 and certain[found] != [index]:
                errors[index] = UsageError(
                    f"{' and '.join(names)} hold keys of the same workspace ({found})."
                    if len({*names}) > 1
                    else f"{CONFIG_FILE} names {names[0]} twice: a workspace is read once a batch."
                )
    return errors


def landing_gone(batch: Batch) -> Iterator[str]:
    """Yield a warning for each workspace that was read but whose landing folder is gone."""
    found = batch.con.execute("select distinct workspace_id from ledger.loads order by 1")
    for (workspace_id,) in found.fetchall():
        if not (folder := batch.layout.landing / workspace_id).is_dir():
            yield (
                f"{folder} is gone: no rebuild can make these data anew unless it is put back from"
                " a backup"
            )


def not_in_the_settings(batch: Batch) -> Iterator[str]:
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
