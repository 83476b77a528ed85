"""The workspaces of keys: data are read with the key of their own workspace only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from analytics.errors import UsageError
from analytics.format.names import told_apart
from analytics.levain import ForbiddenError, LevainError, UnauthorizedError
from analytics.levain.records import Me
from analytics.settings import CONFIG_FILE, Workspace

if TYPE_CHECKING:  # `analytics runs` opens no file
    import duckdb

_HOW_TO_ADD = f"\nTo have it beside these data, give its workspace_id in {CONFIG_FILE}."
_KEY_REFUSED = (UnauthorizedError, ForbiddenError)
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def require_a_key(
    is_open: bool, refused: Sequence[tuple[Workspace, LevainError | UsageError]]
) -> None:
    """Raise UsageError if the API refuses every key that is set."""
    asked = [(workspace, error) for workspace, error in refused if isinstance(error, LevainError)]
    if is_open or not all(isinstance(error, _KEY_REFUSED) for _, error in asked):
        return
    if not asked:
        raise refused[0][1]
    raise key_refused(asked[0][1], [workspace for workspace, _ in asked])


def key_refused(error: LevainError, workspaces: Sequence[Workspace]) -> UsageError:
    """Return the error of keys that the API does not accept."""
    names = ", ".join(workspace.api_key_env for workspace in workspaces)
    return UsageError(
        f"The API at {workspaces[0].api} does not accept the key in {names} ({error.cause}).\n"
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


def require_identity(
    con: duckdb.DuckDBPyConnection, opened: Sequence[tuple[Workspace, Me]]
) -> None:
    """Raise UsageError if a key belongs to another workspace than its setting names.

    If that names none, it is the workspace of the data under the setting. A rebuild does not
    restore these settings: a stored workspace that no key has opened since is then expected from
    the next new key.
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
        if env is None and each not in {me.workspace_id for _, me in opened}
    ]
    for setting, me in opened:
        require_named(me, setting)
        env, found = setting.api_key_env, me.workspace_id
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
        if not _SAFE_ID.fullmatch(found):
            raise UsageError(f"{setting.api} gives a workspace id that is no id: {found!r}.")
        if seen.get(found) == env:
            raise UsageError(f"{CONFIG_FILE} names {env} twice: a workspace is read once a batch.")
        if found in seen:
            raise UsageError(f"{seen[found]} and {env} hold keys of the same workspace ({found}).")
        seen[found] = env
