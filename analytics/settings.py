"""The settings of `analytics.toml`, and what options and the environment say besides.

This is the only module that reads the environment.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from string import whitespace
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from analytics import DEFAULT_API
from analytics.errors import UsageError
from analytics.settings_file import KEY_TEXT, read_tables
from analytics.wrong_settings import (
    WrongSettingsError,
    converted,
    refusals,
    require_timezone,
)

CONFIG_FILE = "analytics.toml"
DEFAULT_DATA_DIR = "data"
API_KEY_ENV = "LEVAIN_API_KEY"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE_OF_SECRETS = re.compile(r"[A-Z_][A-Z0-9_]*")  # small letters may be a secret itself
_BETWEEN_URLS = re.compile(r"[\s,]+(?=\w+://)")
"""A comma may also stand within an address."""

_SIZE = r"([1-9][0-9]{0,5}(\.[0-9]+)? ?[MG]|[1-9][0-9]{0,2}(\.[0-9]+)? ?T)i?B"
"""DuckDB would give a larger limit back in PiB, a unit that it does not parse."""

Size = Annotated[str, msgspec.Meta(pattern=f"^{_SIZE}$")]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a settings file."""


class Workspace(Table, frozen=True):
    """A workspace to read: the name of the variable that holds its key, and its API's address."""

    api_key_env: Annotated[str, msgspec.Meta(min_length=1)]
    api: str = ""
    workspace_id: Annotated[str, msgspec.Meta(min_length=1)] | None = None


class Reporting(Table, frozen=True):
    """`timezone` (an IANA name) sets the days and months of reports."""

    timezone: str = "UTC"


class Extract(Table, frozen=True):
    """Limits on reading the API; `0` means no limit where it is allowed."""

    history_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 90
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    requests_per_second: Annotated[float, msgspec.Meta(ge=0)] = 0


class Privacy(Table, frozen=True):
    """Storage of texts."""

    keep_errors: bool = True


class Publish(Table, frozen=True):
    """`mode`, octal, of published files; `url` is where people open the site, for links to it."""

    mode: Annotated[str, msgspec.Meta(pattern="^0?6[04]{2}$")] = "0600"
    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$")] = ""


class Controls(Table, frozen=True):
    """A check against the vendor blocks publishing only above so many dollars, and one percent."""

    block_above_usd: Annotated[float, msgspec.Meta(ge=0)] = 10


class Sql(Table, frozen=True):
    """Seconds that one query of a user may take."""

    timeout_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=86_400)] = 60


class Alerts(Table, frozen=True):
    """`urls_env` is the NAME of the variable with the addresses that findings are sent to.

    Addresses stand one after the other, with spaces, line breaks or commas between them.
    """

    urls_env: str = ""


class Batch(Table, frozen=True):
    """Memory of DuckDB in a batch, such as "500MB"; empty follows the machine."""

    memory_limit: Annotated[str, msgspec.Meta(pattern=f"^({_SIZE})?$")] = ""


class Finance(Table, frozen=True):
    """`grace_days`: days that the figures must reach beyond a month's end before it is closed.

    What invoices of a month differ from its bill by less than `materiality_usd` is rounding.
    """

    grace_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 3
    materiality_usd: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,10})?$")] = "0.01"


class _File(Table, frozen=True):
    workspaces: list[Workspace] = []
    reporting: Reporting = Reporting()
    extract: Extract = Extract()
    privacy: Privacy = Privacy()
    publish: Publish = Publish()
    controls: Controls = Controls()
    sql: Sql = Sql()
    batch: Batch = Batch()
    finance: Finance = Finance()
    alerts: Alerts = Alerts()


class Settings(_File, frozen=True, kw_only=True):
    """All settings, resolved. `project` is the folder of the settings file, if there is one."""

    project: Path
    file: Path
    data_dir: Path


def load_settings(data_dir: Path | None = None, config: Path | None = None) -> Settings:
    """Load all settings; UsageError names a wrong one and its correction."""
    named = config or _path_of("ANALYTICS_CONFIG")
    path = named or Path(CONFIG_FILE)
    file, problems = converted(path, read_tables(path, is_named=bool(named)), _File, _fields())
    api = default_api()
    workspaces = file.workspaces or [Workspace(api_key_env=API_KEY_ENV)]
    data = data_dir_of(data_dir)
    problems += refusals(
        partial(_require_variable, path, file.alerts),
        *(partial(with_api, workspace, api) for workspace in workspaces),
    )
    if problems:  # the time zone of settings that are right is looked up where it is needed
        problems += refusals(partial(require_timezone, file.reporting.timezone))
        raise WrongSettingsError(*dict.fromkeys(problems))
    return Settings(
        project=path.parent,
        file=path,
        data_dir=data,
        workspaces=[with_api(workspace, api) for workspace in workspaces],
        **{name: getattr(file, name) for name in _File.__struct_fields__ if name != "workspaces"},
    )


def has_display() -> bool:
    """Return True where a browser can show a page."""
    return sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )


def require_a_key_set(settings: Settings) -> None:
    """Raise UsageError if no workspace has a key."""
    if not any(keys_set(settings)):
        api_key(settings.workspaces[0])


def default_api() -> str:
    """Return the base URL of workspaces that name none, as it was given."""
    return os.environ.get("LEVAIN_API") or DEFAULT_API


def has_key(workspace: Workspace) -> bool:
    """Return True if the workspace's variable holds anything."""
    return bool(os.environ.get(workspace.api_key_env, "").strip())


def api_key(workspace: Workspace) -> str:
    """Return the workspace's key; UsageError if its variable is not set, or holds anything else."""
    key = os.environ.get(workspace.api_key_env, "").strip()
    if not key:
        raise UsageError(
            f"No API key: the variable {workspace.api_key_env} is not set.\n"
            f"Set it to a workspace's API key, or name another variable in {CONFIG_FILE}."
        )
    if not (key.startswith("levain_") and key.isascii() and key.isprintable()):
        raise UsageError(
            f"The variable {workspace.api_key_env} holds no API key of Levain, and is not sent:"
            " a key begins with levain_, and has ASCII characters alone.\n"
            f"Set it to the key as the dashboard shows it, or name another one in {CONFIG_FILE}."
        )
    return key


def keys_set(settings: Settings) -> Iterator[str]:
    """Yield the key of each workspace that has one."""
    for workspace in settings.workspaces:
        with suppress(UsageError):
            yield api_key(workspace)


def alert_urls(settings: Settings) -> list[str]:
    """Return the addresses that findings are sent to; UsageError if their variable is not set."""
    if not (name := settings.alerts.urls_env):
        return []
    text = os.environ.get(name, "").strip(whitespace + ",")
    if not text:
        raise UsageError(
            f"No finding is sent: the variable {name}, which urls_env in [alerts] names, is not"
            " set.\nSet it to addresses of Apprise, or remove urls_env."
        )
    return _BETWEEN_URLS.split(text)


def limit_frames(threads: int) -> None:
    """Let Polars use so many threads, unless POLARS_MAX_THREADS says it; before its first use."""
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))


def data_dir_of(data_dir: Path | None) -> Path:
    """Return the data directory: of the option, of its variable, or the default.

    UsageError if DuckDB cannot open its path.
    """
    data = data_dir or _path_of("ANALYTICS_DATA_DIR") or Path(DEFAULT_DATA_DIR)
    try:
        str(data).encode()
    except UnicodeEncodeError:
        raise UsageError(
            "The path of the data directory is not UTF-8, as DuckDB needs it to be.\n"
            "Name another one with --data-dir, or go into its folder and name it from there."
        ) from None
    return data


def _path_of(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(text) if text else None


def with_api(workspace: Workspace, api: str) -> Workspace:
    """Return a workspace with the base URL of its API, by default `api`."""
    return msgspec.structs.replace(workspace, api=base_url(workspace.api or api))


def base_url(text: str) -> str:
    """Return the base URL of an API, without a slash at its end; UsageError if it is none."""
    url = text.rstrip("/")
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
        raise UsageError(
            f"`{url}` is not the base URL of an API: it must start with https:// (or http://)."
        )
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise UsageError(f"`{url}` is not the base URL of an API: {error}.") from error
    if "?" in url or "#" in url or not url.isprintable():
        raise UsageError(
            f"`{url}` is not the base URL of an API: it has a `?`, a `#`, or a character that"
            " cannot be shown."
        )
    if urlsplit(url).path.endswith("/api/v1"):
        raise UsageError(
            f"`{url}` is not the base URL of an API: /api/v1 is added to it.\n"
            f"Write `{url.removesuffix('/api/v1')}`."
        )
    return url


def variable_name(text: str) -> str:
    """Return the name of a variable; UsageError if it is none, which never repeats a key."""
    if KEY_TEXT.search(text):
        raise UsageError(
            "That is an API key. Keys belong in the environment: name the variable that holds it."
        )
    if not _VARIABLE.fullmatch(text):
        raise UsageError(
            f"`{text}` is not the name of a variable: letters, digits and underscores,"
            f" such as {API_KEY_ENV}."
        )
    return text


def _fields() -> dict[str, tuple[str, ...]]:
    """Return the names of the settings by table; those of the file itself stand under no name."""
    return {"": _File.__struct_fields__, "workspaces": Workspace.__struct_fields__} | {
        name: type(table).__struct_fields__
        for name in _File.__struct_fields__
        if isinstance(table := getattr(_File(), name), Table)
    }


def _require_variable(path: Path, alerts: Alerts) -> None:
    if alerts.urls_env and not _VARIABLE_OF_SECRETS.fullmatch(alerts.urls_env):
        raise UsageError(
            f"{path}: urls_env in [alerts] is not the name of a variable in capitals.\n"
            "Addresses belong in the environment: put them into a variable, and its NAME here."
        )
