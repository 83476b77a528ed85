"""The settings: command line, environment, `analytics.toml`, defaults, in this order.

This is the only module that reads the environment.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from analytics.errors import UsageError
from analytics.levain.client import DEFAULT_API

CONFIG_FILE = "analytics.toml"
DEFAULT_DATA_DIR = "data"
API_KEY_ENV = "LEVAIN_API_KEY"

_KEY_TEXT = re.compile(r"levain_\w{8,}")

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text in quotes",
    "array": "a list",
    "object": "a table",
}
_BOUNDS = {">=": "at least", "<=": "at most"}
_SAMPLES = {"mode": '"0640"', "api_key_env": '"LEVAIN_API_KEY"'}

NotNegative = Annotated[int, msgspec.Meta(ge=0)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of `analytics.toml`."""


class Workspace(_Table, frozen=True):
    """A workspace to read: the name of the variable that holds its key, and its API's address."""

    api_key_env: Annotated[str, msgspec.Meta(min_length=1)]
    api: str = ""
    workspace_id: str | None = None


class Reporting(_Table, frozen=True):
    """`timezone` (an IANA name) sets the days and months of reports."""

    timezone: str = "UTC"


class Extract(_Table, frozen=True):
    """Limits on reading the API; `0` means no limit where it is allowed."""

    history_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 90
    settle_hours: Annotated[int, msgspec.Meta(ge=0, le=8760)] = 48
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    requests_per_second: Annotated[float, msgspec.Meta(ge=0)] = 0
    details_per_batch: NotNegative = 0


class Privacy(_Table, frozen=True):
    """Storage of texts."""

    keep_errors: bool = True


class Publish(_Table, frozen=True):
    """The octal mode of published files; only the owner may write. `site` false: no pages."""

    mode: Annotated[str, msgspec.Meta(pattern="^0?6[04]{2}$")] = "0600"
    site: bool = True


class Controls(_Table, frozen=True):
    """Checks against the vendor block publishing only above both thresholds."""

    block_above_usd: Annotated[float, msgspec.Meta(ge=0)] = 10
    block_above_percent: Annotated[float, msgspec.Meta(ge=0)] = 1


class _File(_Table, frozen=True):
    workspaces: list[Workspace] = []
    reporting: Reporting = Reporting()
    extract: Extract = Extract()
    privacy: Privacy = Privacy()
    publish: Publish = Publish()
    controls: Controls = Controls()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, resolved."""

    data_dir: Path
    workspaces: list[Workspace]
    reporting: Reporting
    extract: Extract
    privacy: Privacy
    publish: Publish
    controls: Controls


def load_settings(data_dir: Path | None = None, config: Path | None = None) -> Settings:
    """Load all settings; UsageError names a wrong one and its correction."""
    path = config or _path_of("ANALYTICS_CONFIG")
    file = _read_file(path or Path(CONFIG_FILE), must_exist=path is not None)
    api = os.environ.get("LEVAIN_API") or DEFAULT_API
    workspaces = file.workspaces or [Workspace(api_key_env=API_KEY_ENV)]
    return Settings(
        data_dir=data_dir or _path_of("ANALYTICS_DATA_DIR") or Path(DEFAULT_DATA_DIR),
        workspaces=[_with_api(workspace, api) for workspace in workspaces],
        reporting=file.reporting,
        extract=file.extract,
        privacy=file.privacy,
        publish=file.publish,
        controls=file.controls,
    )


def api_keys(settings: Settings) -> list[tuple[Workspace, str]]:
    """Return each workspace with its key; UsageError if a variable is not set."""
    return [(workspace, api_key(workspace)) for workspace in settings.workspaces]


def api_key(workspace: Workspace) -> str:
    """Return the workspace's key; UsageError if its variable is not set."""
    key = os.environ.get(workspace.api_key_env, "").strip()
    if not key:
        raise UsageError(
            f"No API key: the variable {workspace.api_key_env} is not set.\n"
            f"Set it to a workspace's API key, or name another variable in {CONFIG_FILE}."
        )
    if not key.isascii() or not key.isprintable():
        raise UsageError(
            f"The variable {workspace.api_key_env} holds characters that no API key has.\n"
            "Set it to the key as the dashboard shows it."
        )
    return key


def _path_of(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(text) if text else None


def _with_api(workspace: Workspace, api: str) -> Workspace:
    url = (workspace.api or api).rstrip("/")
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
        raise UsageError(
            f"`{url}` is not the base URL of an API: it must start with https:// (or http://)."
        )
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise UsageError(f"`{url}` is not the base URL of an API: {error}.") from error
    return msgspec.structs.replace(workspace, api=url)


def _read_file(path: Path, *, must_exist: bool) -> _File:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if must_exist:
            raise UsageError(f"There is no settings file {path}.") from None
        return _File()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The settings file {path} cannot be read: {error}.") from error
    if _KEY_TEXT.search(text):
        raise UsageError(
            f"{path} holds an API key. Keys belong in the environment:\n"
            "put the key into a variable, and the variable's NAME into api_key_env."
        )
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    try:
        return msgspec.convert(tables, _File)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {_in_words(str(error), tables)}.") from error


def _in_words(error: str, tables: dict[str, Any]) -> str:
    """Return the problem and its place in the settings file, in words."""
    what, _, where = error.partition(" - at `$")
    where = where.strip(".`")
    wanted = re.match(r"Expected `(\w+)`(?: ([<>]=) ([\d.]+)| (of length|matching))?", what)
    if wanted is None:
        what = what.replace("Object contains unknown field", "there is no setting")
        what = what.replace("Object missing required field", "there must be a setting")
        return f"{what} in {_table(where)}" if where else what
    kind, bound, limit, form = wanted.groups()
    table, _, name = where.rpartition(".")
    place = f"`{name}` in {_table(table)}" if table else _table(name)
    must = _KINDS[kind] + (f", {_BOUNDS[bound]} {float(limit):g}" if bound else "")
    must += f" like {_SAMPLES[name]}" if form else ""
    return f"{place} must be {must}, not {_given(where, tables)}"


def _table(where: str) -> str:
    """Return a table's heading in the file: `workspaces[1]` is the second of its kind."""
    name, _, index = where.rstrip("]").partition("[")
    return f"[[{name}]] number {int(index) + 1}" if index else f"[{name}]"


def _given(where: str, tables: dict[str, Any]) -> str:
    """Return the value at a place."""
    value: Any = tables
    for step in re.findall(r"\w+", where):
        value = value[int(step) if isinstance(value, list) else step]
    if isinstance(value, dict | list):
        return _KINDS["object" if isinstance(value, dict) else "array"]
    return json.dumps(value, ensure_ascii=False, default=str)
