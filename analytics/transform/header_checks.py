"""Checks that the headers of models declare: keys, references, values, and columns without nulls.

key: workspace_id, run_id             one row for each
ref agent_id: dim_agents              each row's workspace and agent_id are in marts.dim_agents
values line_type: agent, platform     no other value, and no null
not_null: is_open, has_bill           no null in these columns
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analytics.transform.models import LAYERS, PUBLISHED, Header, Model, SqlModel
from analytics.warehouse.database import quoted

_KEYS = (
    "keys_are_unique_and_known",
    "Each row has a key of its own without a null; kinds and states are known ones.",
)
_NOT_NULL = (
    "flags_are_never_null",
    "No flag is null that queries filter by both ways: both would leave out its row.",
)


def header_checks(model: Model) -> Iterator[tuple[tuple[str, str], SqlModel]]:
    """Yield each check that a header declares, as the SELECT of what contradicts it.

    Before it stand name and claim of the check of all tables of which it is a part. Of our own
    tables, no column of a key may be null either. Internal tables are checked for nulls only: the
    published tables that are made from them have the other checks.
    """
    header, name, relation = model.header, model.name, model.relation

    def check(claim: str, meaning: str, columns: str, contradicts: str, *targets: str) -> SqlModel:
        is_narrow = claim != "key_is_unique" or header.narrow in header.key
        described = Header(f"{meaning}.", narrow=header.narrow if is_narrow else None)
        reads = frozenset({relation, *(f"marts.{each}" for each in targets)})
        sql = f"select {columns}, count(*) as row_count from {relation} {contradicts}"
        return SqlModel("checks", f"{name}_{claim}", model.file, described, reads, sql)

    if header.not_null:
        columns = _names(header.not_null)
        is_null = " or ".join(f"{each} is null" for each in columns.split(", "))
        meaning = f"No {' or '.join(header.not_null)} of {name} is null"
        yield _NOT_NULL, check("has_no_null", meaning, columns, f"where {is_null} group by all")
    if model.layer in LAYERS and model.layer not in PUBLISHED:
        return
    if header.key:
        key = _names(header.key)
        nulls = [f"{each} is null" for each in key.split(", ") if model.layer in PUBLISHED]
        is_null = " or ".join(nulls) or "false"
        twice = f"group by {key} having row_count > 1 or {is_null}"
        meaning = f"{name} holds one row per {', '.join(header.key)}"
        yield _KEYS, check("key_is_unique", meaning, key, twice)
    for column, values in header.values.items():
        known = ", ".join(f"'{quoted(value)}'" for value in values)
        where = f"where ({_names([column])} in ({known})) is not true group by all"
        meaning = f"Every {column} of {name} is one of {', '.join(values)}"
        yield _KEYS, check(f"{column}_is_known", meaning, _names([column]), where)
    for column, target in header.refs.items():
        key = _names(dict.fromkeys(["workspace_id", column]))
        join = f"anti join marts.{target} using ({key}) group by all"
        meaning = f"Every {column} of {name} is in {target}"
        things = target.partition("_")[2]
        of_all = f"{things}_are_in_{target}", f"The {things} of all tables are in {target}."
        yield of_all, check(f"{column}_is_in_{target}", meaning, key, join, target)


def _names(columns: Iterable[str]) -> str:
    """Return names of columns as SQL, also where they are words of the language."""
    return ", ".join(f'"{each}"' for each in columns)
