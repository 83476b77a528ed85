"""`analytics config`: each setting with its source, the keys tried, and what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from analytics.cli import printed
from analytics.cli.connection import identify
from analytics.custom.validation import check_project
from analytics.errors import AnalyticsError, BusyError, UsageError
from analytics.finance.load import not_repeated, read_finance
from analytics.levain import Me
from analytics.published.pages import page_problems
from analytics.settings import (
    Origin,
    Settings,
    Workspace,
    alert_urls,
    api_key,
    has_key,
    load_settings,
)
from analytics.settings import read_origins as read_settings
from analytics.terminal import escaped
from analytics.wrong_settings import WrongSettingsError, refusals, require_timezone


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace's key, never shown; id and name of the workspace are None if it was not tried."""

    api_key_env: str
    api: str
    state: Literal["set", "not set", "malformed"]
    workspace_id: str | None = None
    workspace_name: str | None = None
    problem: str | None = None


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """All settings and keys, and each problem with its remedy."""

    settings: list[Origin] = []
    keys: list[Key] = []
    problems: list[str]


def read(data_dir: Path | None, config: Path | None, *, offline: bool) -> Configuration:
    """Read and validate everything that a batch would need; problems are listed, not raised."""
    try:
        settings = load_settings(data_dir, config)
        origins = read_settings(data_dir, config)
    except WrongSettingsError as error:
        return Configuration(problems=[*error.args])
    except UsageError as error:
        return Configuration(problems=[str(error)])
    keys = [_key(workspace, offline=offline) for workspace in settings.workspaces]
    opened = {
        key.workspace_id: (
            workspace,
            Me(workspace_id=key.workspace_id, workspace_name=key.workspace_name),
        )
        for workspace, key in zip(settings.workspaces, keys, strict=True)
        if key.workspace_id
    }
    problems = [
        *problems_of(settings),
        *_key_problems(keys),
        *data_problems(settings, opened.values()),
    ]
    return Configuration(settings=origins, keys=keys, problems=problems)


def problems_of(settings: Settings) -> Iterator[str]:
    """Yield each problem of settings and of the user's files, apart from keys."""
    of_finance = read_finance(settings.project).problems
    yield from refusals(
        lambda: require_timezone(settings.reporting.timezone),
        lambda: alert_urls(settings),
    )
    yield from not_repeated(check_project(settings), of_finance)
    yield from of_finance
    yield from page_problems(settings)


def data_problems(settings: Settings, opened: Collection[tuple[Workspace, Me]]) -> Iterator[str]:
    """Yield that a key is of another workspace than the data, if these can be read now."""
    import duckdb

    from analytics.batch.identity import require_identity
    from analytics.warehouse.database import OFFLINE, quoted
    from analytics.warehouse.holders import at_rest
    from analytics.warehouse.layout import Layout

    layout = Layout(settings.data_dir)
    try:
        with (
            suppress(BusyError, duckdb.Error, OSError),
            at_rest(layout),
            duckdb.connect(config=OFFLINE) as con,
        ):
            con.execute(f"attach '{quoted(layout.warehouse)}' as warehouse (read_only)")
            con.execute("use warehouse")
            require_identity(con, [*opened])
    except UsageError as error:
        yield str(error)


def _key(workspace: Workspace, *, offline: bool) -> Key:
    key = Key(api_key_env=workspace.api_key_env, api=workspace.api, state="set")
    try:
        api_key(workspace)
    except UsageError as error:
        state: Literal["not set", "malformed"] = "malformed" if has_key(workspace) else "not set"
        return msgspec.structs.replace(key, state=state, problem=str(error))
    if offline:
        return key
    try:
        me = identify(workspace)
    except AnalyticsError as error:
        return msgspec.structs.replace(key, problem=str(error))
    return msgspec.structs.replace(
        key, workspace_id=me.workspace_id, workspace_name=me.workspace_name
    )


def _key_problems(keys: list[Key]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for key in keys:
        if key.problem:
            yield key.problem
        identity = key.workspace_id or key.api_key_env
        if identity in seen:
            yield (
                f"{seen[identity]} and {key.api_key_env} name the same workspace.\n"
                "A workspace is read once a batch: remove one [[workspaces]]."
            )
        seen.setdefault(identity, key.api_key_env)


def print_text(found: Configuration) -> None:
    """Print everything as text."""
    if found.settings:
        rows = [(each.name, _shown(each.value), each.source) for each in found.settings]
        printed.print_table(rows, "Setting", "Value", "Source")
        print()
        printed.print_table(map(_key_row, found.keys), "Key", "State", "Workspace")
        print()
    if not found.problems:
        print("Everything is in order.")
        return
    print("1 problem:" if len(found.problems) == 1 else f"{len(found.problems)} problems:")
    for problem in found.problems:
        first, *more = problem.split("\n")
        print(*(f"- {escaped(first)}", *(f"  {escaped(line)}" for line in more)), sep="\n")


def _key_row(key: Key) -> tuple[str, str, str]:
    if key.workspace_id:
        return key.api_key_env, key.state, f"{key.workspace_name or ''} ({key.workspace_id})"
    return key.api_key_env, key.state, "not accepted" if key.problem and key.state == "set" else ""


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool(flag):
            return "true" if flag else "false"
        case _:
            return str(value)
