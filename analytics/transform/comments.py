"""Comments on the published tables and their columns."""

from __future__ import annotations

import tomllib
from functools import cache

import duckdb

from analytics.resources import folder
from analytics.transform.measures import measures
from analytics.transform.models import Header
from analytics.warehouse.database import quoted


@cache
def glossary() -> dict[str, str]:
    """Return the meaning of each column name, with its unit; it is the same in every mart."""
    text = (folder("queries") / "columns.toml").read_text(encoding="utf-8")
    return tomllib.loads(text) | {each.name: each.meaning for each in measures().values()}


def comment_on(con: duckdb.DuckDBPyConnection, relation: str, header: Header) -> None:
    """Comment on a table and its columns; the header's texts override the glossary."""
    meanings = glossary() | dict(header.columns)
    comments = [f"comment on table {relation} is '{quoted(header.description)}'"]
    for column, *_ in con.execute(f"describe {relation}").fetchall():
        if meaning := meanings.get(column):
            comments.append(f"comment on column {relation}.\"{column}\" is '{quoted(meaning)}'")
    con.execute(";".join(comments))
