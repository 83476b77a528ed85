"""Settings that are wrong, in words: what each must be, what it is, and which one was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from analytics.errors import UsageError
from analytics.terminal import escaped

_File = TypeVar("_File")

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text in quotes",
    "array": "a list",
    "object": "a table",
}
_BOUNDS = {">=": "at least", "<=": "at most"}
_SAMPLES = {
    "memory_limit": '"2GB"',
    "mode": '"0640"',
    "url": '"https://agents.example.com"',
    "materiality_usd": '"0.01"',
    "api_key_env": '"LEVAIN_API_KEY"',
    "workspace_id": '"3d0f4c1e-5f0a-4f2e-9a55-0c7b7c0e8a11"',
}


class WrongSettingsError(UsageError):
    """Settings are wrong; each argument is a problem."""

    def __str__(self) -> str:
        return "\n".join(self.args)


def converted(
    path: Path, tables: dict[str, Any], kind: type[_File], fields: Mapping[str, tuple[str, ...]]
) -> tuple[_File, list[str]]:
    """Return the settings of a file, with the default of each that is wrong, and the problems.

    `tables` are those of the file; `fields` are the names of all settings by table.
    """
    tables = _plain(tables)  # loses what is wrong
    problems: dict[str, str] = {}
    seen: set[str] = set()
    while True:
        try:
            file = msgspec.convert(tables, kind)
        except msgspec.ValidationError as error:
            if (text := str(error)) in seen:
                raise WrongSettingsError(*problems.values()) from error
            seen.add(text)
            problem = f"{path}: {_in_words(text, tables, fields)}."
            problems.setdefault(_take_out(text, tables), problem)
        else:
            return file, [*problems.values()]


def refusals(*checks: Callable[[], object]) -> Iterator[str]:
    """Yield the message of each check that raises UsageError."""
    for check in checks:
        try:
            check()
        except UsageError as error:
            yield str(error)


def require_timezone(name: str) -> None:
    """Raise UsageError if the time zone of reports is unknown."""
    import duckdb  # not all commands need it

    unknown = UsageError(
        f"`{name}` is no time zone (timezone in [reporting]).\n"
        "Use an IANA name such as UTC, Europe/Berlin or America/New_York."
    )
    # DuckDB computes all days. It knows more names than IANA has, such as JST.
    with duckdb.connect(config={"threads": 1}) as con:
        if not con.execute("select 1 from pg_timezone_names() where name = ?", [name]).fetchone():
            raise unknown
    try:
        ZoneInfo(name)
    except ZoneInfoNotFoundError:
        raise unknown from None


def _plain(value: Any, levels: int = 3) -> Any:
    """Return the tables of a file with no backtick in a name, as msgspec quotes names by them.

    Names in the tables of a list are those of the third level; none below it is that of a setting.
    """
    if levels and isinstance(value, dict):
        return {
            escaped(name.replace("`", "'")): _plain(each, levels - 1)
            for name, each in value.items()
        }
    if levels and isinstance(value, list):
        return [_plain(each, levels - 1) for each in value]
    return value


def _take_out(error: str, tables: dict[str, Any]) -> str:
    """Take what is wrong out of the tables, or put in what is missing; return its place."""
    what, _, where = error.partition(" - at `$")
    where = where.strip(".`")
    if field := re.match("Object .* field `(.*)`", what):
        table, name = where, field[1]
    else:
        table, _, name = where.rpartition(".")
    holder = _value_at(table, tables)
    if not isinstance(holder, dict):  # its table is one of a list, whose places stay as they are
        return where
    if "missing required" in what:
        holder[name] = "_"
    else:
        holder.pop(name, None)
    return f"{table}.{name}"


def _in_words(error: str, tables: Mapping[str, Any], fields: Mapping[str, tuple[str, ...]]) -> str:
    """Return the problem and its place in the settings file, in words."""
    what, _, where = error.partition(" - at `$")
    where = where.strip(".`")
    wanted = re.match(
        r"Expected `(\w+)(?: \| null)?`(?: ([<>]=) ([\d.]+)| (of length|matching))?", what
    )
    if wanted is None:
        what = what.replace("Object contains unknown field", "there is no setting")
        what = what.replace("Object missing required field", "there must be a setting")
        place = f" in {_table(where)}" if where else ""
        unknown = re.search(r"no setting `(.*)`", what)
        return f"{what}{place}{_nearest(unknown[1], where, fields) if unknown else ''}"
    kind, bound, limit, form = wanted.groups()
    table, _, name = where.rpartition(".")
    if table:
        place = f"`{name}` in {_table(table)}"
    else:
        place = _table(name) if kind in ("array", "object") else f"`{name}`"
    must = _KINDS[kind] + (f", {_BOUNDS[bound]} {float(limit):g}" if bound else "")
    must += f" like {_SAMPLES[name]}" if form else ""
    return f"{place} must be {must}, not {_given(where, tables)}"


def _nearest(unknown: str, where: str, tables: Mapping[str, tuple[str, ...]]) -> str:
    """Return the setting that was probably meant: of the same table, else of another one."""
    here = where.partition("[")[0]
    for table in (here, *tables):
        if near := get_close_matches(unknown, tables[table], n=1):
            heading = "[[workspaces]]" if table == "workspaces" else f"[{table}]"
            place = f" in {heading}" if table not in ("", here) else ""
            return f" (did you mean `{near[0]}`{place}?)"
    return f" (there are: {', '.join(tables[here])})"


def _table(where: str) -> str:
    """Return a table's heading in the file: `workspaces[1]` is the second of its kind."""
    name, _, index = where.rstrip("]").partition("[")
    return f"[[{name}]] number {int(index) + 1}" if index else f"[{name}]"


def _given(where: str, tables: Mapping[str, Any]) -> str:
    """Return the value at a place."""
    value = _value_at(where, tables)
    if isinstance(value, dict | list):
        return _KINDS["object" if isinstance(value, dict) else "array"]
    return json.dumps(value, ensure_ascii=False, default=str)


def _value_at(where: str, tables: Mapping[str, Any]) -> Any:
    value: Any = tables
    for step in re.findall(r"\w+", where):
        value = value[int(step) if isinstance(value, list) else step]
    return value
