"""Comments on the marts, so that the published file explains itself."""

from __future__ import annotations

import tomllib
from functools import cache

import duckdb

from analytics.resources import folder
from analytics.transform.measures import measures
from analytics.transform.models import Header


@cache
def glossary() -> dict[str, str]:
    """What each column name means, the same in every mart, with its unit."""
    text = (folder("queries") / "columns.toml").read_text(encoding="utf-8")
    return tomllib.loads(text) | {each.name: each.meaning for each in measures().values()}


def comment_on(con: duckdb.DuckDBPyConnection, relation: str, header: Header) -> None:
    """Comment on a table and its columns; the header's words go before the glossary's."""
    meanings = glossary() | dict(header.columns)
    con.execute(f"comment on table {relation} is {_quoted(header.description)}")
    for row in con.execute(f"describe {relation}").fetchall():
        if meaning := meanings.get(column := row[0]):
            con.execute(f'comment on column {relation}."{column}" is {_quoted(meaning)}')


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
