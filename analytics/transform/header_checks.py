"""Checks that the headers of models declare: keys, references and values.

key: workspace_id, run_id             one row for each
ref agent_id: dim_agents              each row's workspace and agent_id are in marts.dim_agents
values line_type: agent, platform     no other value, and no null
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analytics.transform.models import PUBLISHED, Header, Model, SqlModel
from analytics.warehouse.database import quoted

_KEYS = (
    "keys_are_unique_and_known",
    "Each row has a key of its own without a null; kinds and states are known ones.",
)


def header_checks(model: Model) -> Iterator[tuple[tuple[str, str], SqlModel]]:
    """Yield each check that a header declares, as the SELECT of what contradicts it.

    Before it stand name and claim of the check of all tables of which it is a part. Of our own
    tables, no column of a key may be null either.
    """
    header, name, relation = model.header, model.name, model.relation

    def check(claim: str, meaning: str, columns: str, contradicts: str, *targets: str) -> SqlModel:
        is_narrow = claim != "key_is_unique" or header.narrow in header.key
        described = Header(f"{meaning}.", narrow=header.narrow if is_narrow else None)
        reads = frozenset({relation, *(f"marts.{each}" for each in targets)})
        sql = f"select {columns}, count(*) as row_count from {relation} {contradicts}"
        return SqlModel("checks", f"{name}_{claim}", model.file, described, reads, sql)

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
