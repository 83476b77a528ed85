"""A setting that is wrong, in words: what it must be, what it is, and which one was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

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
    "size_limit": '"2GB"',
    "mode": '"0640"',
    "metrics": '"metrics.prom"',
    "home": '"../index.html"',
    "api_key_env": '"LEVAIN_API_KEY"',
    "workspace_id": '"3d0f4c1e-5f0a-4f2e-9a55-0c7b7c0e8a11"',
}


def in_words(error: str, tables: Mapping[str, Any], fields: Mapping[str, tuple[str, ...]]) -> str:
    """Return the problem and its place in the settings file, in words.

    `tables` are those of the file, `fields` the names of all settings by table.
    """
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
    place = f"`{name}` in {_table(table)}" if table else _table(name)
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
    value: Any = tables
    for step in re.findall(r"\w+", where):
        value = value[int(step) if isinstance(value, list) else step]
    if isinstance(value, dict | list):
        return _KINDS["object" if isinstance(value, dict) else "array"]
    return json.dumps(value, ensure_ascii=False, default=str)
