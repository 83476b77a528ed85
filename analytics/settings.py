"""The settings of `analytics.toml`, and what options and the environment say besides.

A settings file says where keys are sent: it is ours, and holds none.

All that a batch takes from the environment is read here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from string import whitespace
from typing import Annotated, TextIO, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from analytics import DEFAULT_API
from analytics.errors import UsageError
from analytics.toml import Document, Table, matching, meant, shown

CONFIG_FILE = "analytics.toml"
DEFAULT_DATA_DIR = "data"
API_KEY_ENV = "LEVAIN_API_KEY"

_KEY = re.compile(r"levain_\w{8,}")
_LARGEST = 1_000_000  # bytes of a file

_BETWEEN_URLS = re.compile(r"[\s,]+(?=\w+://)")
"""A comma may also stand within an address."""

_SIZE = r"([1-9][0-9]{0,5}(\.[0-9]+)? ?[MG]|[1-9][0-9]{0,2}(\.[0-9]+)? ?T)i?B"
"""DuckDB would give a larger limit back in PiB, a unit that it does not parse."""

Size = Annotated[str, matching(_SIZE, 'a text like "2GB"')]
_Variable = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_]*", f"the NAME of a variable, such as {API_KEY_ENV}", is_secret=True
    ),
]
_VariableOfSecrets = Annotated[  # small letters may be a secret itself
    str,
    matching(r"|[A-Z_][A-Z0-9_]*", "the NAME of a variable, in capitals alone", is_secret=True),
]
_SiteUrl = Annotated[  # it may hold a password, as that of an API may
    str,
    matching(
        r"(https?://[^\s/?#]+(/[^\s?#]*)?)?",
        'an address like "https://agents.example.com"',
        is_secret=True,
    ),
]

T = TypeVar("T", bound=Table)


def _base_url(text: str) -> str:
    """Return the base URL of an API, without a slash at its end.

    ValueError if it is none, which does not repeat it: it may hold a password.
    """
    url = text.rstrip("/")
    if url and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
        raise ValueError("must be the base URL of an API, and begin with https:// (or http://)")
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError("must be the base URL of an API, with a valid host and port") from None
    if "@" in urlsplit(url).netloc:
        raise ValueError("must be the base URL of an API, with no user and no password")
    if "?" in url or "#" in url or not url.isprintable():
        raise ValueError("must be the base URL of an API, with no `?`, `#` or invisible character")
    if urlsplit(url).path.endswith("/api/v1"):
        raise ValueError("must be the base URL of an API, without /api/v1, which is added to it")
    return url


def _timezone(name: str) -> str:
    """Return the name of a time zone; ValueError if it is none."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = meant(name, [*available_timezones()])
        raise ValueError(
            f"must be a time zone such as UTC or Europe/Berlin, not {shown(name)}{near}"
        ) from None
    return name


class Workspace(Table):
    """A workspace to read: the name of the variable that holds its key, and its API's address."""

    api_key_env: _Variable
    api: Annotated[str, AfterValidator(_base_url)] = ""
    workspace_id: Annotated[str, matching("(?s).+", "the identifier of a workspace")] | None = None


class Reporting(Table):
    """`timezone` (an IANA name) sets the days and months of reports."""

    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"


class Extract(Table):
    """Limits on reading the API; `0` means no limit where it is allowed."""

    history_days: Annotated[int, Field(ge=1, le=3650)] = 90
    concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    requests_per_second: Annotated[float, Field(ge=0)] = 0


class Privacy(Table):
    """Storage of texts."""

    keep_errors: bool = True


class Publish(Table):
    """`mode`, octal, of published files; `url` is where people open the site, for links to it."""

    mode: Annotated[str, matching("0?6[04]{2}", 'a text like "0640"')] = "0600"
    url: _SiteUrl = ""


class Controls(Table):
    """A check against the vendor blocks publishing only above so many dollars, and one percent."""

    block_above_usd: Annotated[float, Field(ge=0)] = 10


class Sql(Table):
    """Seconds that one query of a user may take."""

    timeout_seconds: Annotated[float, Field(ge=0.1, le=86_400)] = 60


class Alerts(Table):
    """`urls_env` is the NAME of the variable with the addresses that findings are sent to.

    Addresses stand one after the other, with spaces, line breaks or commas between them.
    """

    urls_env: _VariableOfSecrets = ""


class BatchLimits(Table):
    """Memory of DuckDB in a batch, such as "500MB"; empty follows the machine."""

    memory_limit: Annotated[str, matching(f"({_SIZE})?", 'a text like "2GB"')] = ""


class Finance(Table):
    """`grace_days`: days that the figures must reach beyond a month's end before it is closed.

    What invoices of a month differ from its bill by less than `materiality_usd` is rounding.
    """

    grace_days: Annotated[int, Field(ge=0, le=60)] = 3
    materiality_usd: Annotated[
        str, matching(r"[0-9]{1,9}(\.[0-9]{1,10})?", 'a text like "0.01"')
    ] = "0.01"


class SettingsFile(Table):
    """All tables of a settings file."""

    workspaces: list[Workspace] = []  # noqa: RUF012 - pydantic copies it
    reporting: Reporting = Reporting()
    extract: Extract = Extract()
    privacy: Privacy = Privacy()
    publish: Publish = Publish()
    controls: Controls = Controls()
    sql: Sql = Sql()
    batch: BatchLimits = BatchLimits()
    finance: Finance = Finance()
    alerts: Alerts = Alerts()


class Settings(SettingsFile):
    """All settings, resolved. `project` is the folder of the settings file, if there is one."""

    project: Path
    file: Path
    data_dir: Path


def load_settings(data_dir: Path | None = None, config: Path | None = None) -> Settings:
    """Load all settings; UsageError names each wrong one, its line and its correction."""
    named = config or _path_of("ANALYTICS_CONFIG")
    path = named or Path(CONFIG_FILE)
    file = read_settings(path, SettingsFile, is_named=bool(named))
    workspaces = file.workspaces or [Workspace(api_key_env=API_KEY_ENV)]
    resolved = dict(file) | {"workspaces": [with_api(each) for each in workspaces]}
    return Settings(project=path.parent, file=path, data_dir=data_dir_of(data_dir), **resolved)


def read_settings(path: Path, kind: type[T], *, is_named: bool) -> T:
    """Read a settings file; UsageError if it cannot be read, holds a key, or is wrong.

    One that the user named must exist; one that was found must be ours, or root's.
    """
    return parse_settings(str(path), _text_of(path, is_named=is_named), kind)


def parse_settings(file: str, text: str, kind: type[T]) -> T:
    """Return the settings of a text; UsageError names each wrong one."""
    if key := _KEY.search(text):
        raise UsageError(
            f"{file}:{text.count(chr(10), 0, key.start()) + 1}: this is an API key. Keys belong in"
            " the environment:\nput the key into a variable, and the variable's NAME into"
            " api_key_env."
        )
    return Document(file, text).read(kind)


def _text_of(path: Path, *, is_named: bool) -> str:
    """Return the text of a file; of one that is not there none, unless the user named it."""
    if not is_named and path.exists() and not path.is_file():  # of a pipe, `open` may not return
        raise UsageError(f"The settings file {path} is no file.\nMove it away, or name another.")
    try:
        with path.open(encoding="utf-8-sig") as file:
            if not is_named:
                _require_ours(path, file)
            if len((text := file.read(_LARGEST + 1)).encode()) > _LARGEST:
                raise UsageError(f"The settings file {path} is larger than 1 MB.")
            return text
    except FileNotFoundError:
        if path.is_symlink():
            raise UsageError(
                f"The settings file {path} is a link to {path.readlink()}, which is not there.\n"
                "Let it lead to a file, or remove it for the default settings."
            ) from None
        if is_named:
            raise UsageError(
                f"There is no settings file {path}.\n"
                "Name one that is there, or write one with `analytics init`."
            ) from None
        return ""
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"The settings file {path} is not UTF-8: line {line} has the byte"
            f" 0x{error.object[error.start]:02X}.\nSave it as UTF-8."
        ) from None
    except OSError as error:
        raise UsageError(f"The settings file {path} cannot be read: {error}.") from error


def _require_ours(path: Path, file: TextIO) -> None:
    """Raise UsageError for a file, opened from a path, that another user wrote or could write.

    It says where keys are sent. The folder is not judged: who replaces the file there owns what
    takes its place, or the link to it.
    """
    found = os.fstat(file.fileno())
    if {found.st_uid, path.lstat().st_uid} - {0, os.geteuid()}:
        reason, remedy = "belongs to another user", ""
    elif found.st_mode & 0o022:
        reason, remedy = "can be written by other users", f"Run `chmod go-w {path}`. "
    else:
        return
    raise UsageError(
        f"The settings file {path} {reason}, and says where API keys are sent.\n"
        f"{remedy}If you trust it as it is, name it by --config."
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
    """Return the base URL of workspaces that name none; UsageError if LEVAIN_API is none."""
    try:
        return _base_url(os.environ.get("LEVAIN_API") or DEFAULT_API)
    except ValueError as error:
        raise UsageError(f"The variable LEVAIN_API {error}.") from None


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

    UsageError if DuckDB cannot open its path, or if that leads through a link to nothing.
    """
    data = data_dir or _path_of("ANALYTICS_DATA_DIR") or Path(DEFAULT_DATA_DIR)
    try:
        str(data).encode()
    except UnicodeEncodeError:
        raise UsageError(
            "The path of the data directory is not UTF-8, as DuckDB needs it to be.\n"
            "Name another one with --data-dir, or go into its folder and name it from there."
        ) from None
    for path in (data, *data.parents):
        if path.is_symlink() and not path.exists():
            raise UsageError(
                f"The data directory {data} cannot be used: {path} is a link to {path.readlink()},"
                " which is not there.\nMount or make that folder, or name another one with"
                " --data-dir."
            )
    return data


def _path_of(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(text) if text else None


def with_api(workspace: Workspace) -> Workspace:
    """Return a workspace with the base URL of its API, by default that of the environment."""
    return workspace if workspace.api else workspace.model_copy(update={"api": default_api()})


def require_timezone(settings: Settings) -> None:
    """Raise UsageError if DuckDB, which computes all days, does not know the time zone."""
    import duckdb  # not all commands need it

    name = settings.reporting.timezone
    with duckdb.connect(config={"threads": 1}) as con:
        if not con.execute("select 1 from pg_timezone_names() where name = ?", [name]).fetchone():
            raise UsageError(
                f"DuckDB does not know the time zone `{name}` (timezone in [reporting]).\n"
                "Use another IANA name, such as UTC, Europe/Berlin or America/New_York."
            )
