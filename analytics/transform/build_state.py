"""The state of a build: of which code and sources it is, and how many rows it made.

It lies in both files, the warehouse's and the build file, as a transaction writes to one of them:
where a kill left them of two builds, they say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from analytics import __version__
from analytics.transform.changes import STATE, record_sources
from analytics.warehouse.database import BUILD_FILE, transaction

AUDITED = 10
"""Of as many builds that bring relations up to date, one audits itself."""

# A schema without tables, which nobody who lists tables sees: its name has the id of the build.
_PREFIX = "build_"


@dataclass(frozen=True)
class Contents:
    """The number of rows of a relation, and the sum of their hashes."""

    rows: int
    hashes: int


def record_build(
    con: duckdb.DuckDBPyConnection,
    queries: Path,
    timezone: str,
    contents: Mapping[str, Contents],
    *,
    number: int = 0,
) -> None:
    """Record that the relations of both files are of this code and these sources.

    `number` counts the builds since the last full one.
    """
    with transaction(con):
        record_sources(con)
        con.execute(
            f"create or replace table {STATE}.build as"
            " select uuid() as id, ?::integer as number, ? as made_by",
            [number, f"{code_of(queries)} {timezone}"],
        )
        con.execute(
            f"create or replace table {STATE}.contents as select unnest(?::varchar[]) as relation,"
            " unnest(?::bigint[]) as row_count, unnest(?::varchar[])::hugeint as row_hashes",
            [[*contents], *map(list, zip(*map(astuple, contents.values()), strict=True))],
        )
    _name_build_file(con)


def _name_build_file(con: duckdb.DuckDBPyConnection) -> None:
    ((build_id,),) = con.execute(f"select id from {STATE}.build").fetchall()
    con.execute(f"create schema {BUILD_FILE}.{_PREFIX}{build_id.hex}")


def recorded_contents(con: duckdb.DuckDBPyConnection) -> dict[str, Contents]:
    """Return the contents of relations as the last build has left them."""
    rows = con.execute(f"select relation, row_count, row_hashes from {STATE}.contents").fetchall()
    return {relation: Contents(count, hashes) for relation, count, hashes in rows}


def read_contents(
    con: duckdb.DuckDBPyConnection, relations: Collection[str]
) -> dict[str, Contents]:
    """Return the contents of relations; all rows are read."""
    sums = " union all ".join(
        f"select '{name}', count(*), coalesce(sum(hash(rows)), 0)::hugeint from {name} as rows"
        for name in sorted(relations)
    )
    return {name: Contents(count, hashes) for name, count, hashes in con.execute(sums).fetchall()}


def row_counts(con: duckdb.DuckDBPyConnection, relations: Collection[str]) -> dict[str, int]:
    """Return the number of rows of relations; no row is read."""
    counts = " union all ".join(
        f"select '{name}', count(*) from {name}" for name in sorted(relations)
    )
    return dict(con.execute(counts).fetchall())


def forget_build(con: duckdb.DuckDBPyConnection) -> None:
    """Make the next build a full one, unless this one ends."""
    for name in _builds(con):
        con.execute(f"drop schema {BUILD_FILE}.{name}")


def build_number(con: duckdb.DuckDBPyConnection, queries: Path, timezone: str) -> int | None:
    """Return the number of builds since the last full one.

    None unless both files are of one build that was completed, by this code and these settings.
    """
    try:
        ((build_id, number, made_by),) = con.execute(f"from {STATE}.build").fetchall()
    except duckdb.CatalogException:
        return None
    is_ours = made_by == f"{code_of(queries)} {timezone}"
    return int(number) if is_ours and _builds(con) == [f"{_PREFIX}{build_id.hex}"] else None


def is_built(con: duckdb.DuckDBPyConnection) -> bool:
    """Return True if the relations of the build file are of one build."""
    return bool(_builds(con))


def _builds(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute(
        "select schema_name from duckdb_schemas()"
        " where database_name = ? and starts_with(schema_name, ?)",
        [BUILD_FILE, _PREFIX],
    ).fetchall()
    return [name for (name,) in rows]


@cache
def code_of(queries: Path) -> str:
    """Return a hash of the code and models of a build, as this process first read them."""
    code = hashlib.sha256(f"{__version__} {duckdb.__version__} {pl.__version__}".encode())
    for folder, pattern in ((Path(__file__).parent, "*.py"), (queries, "**/*.*")):
        for path in sorted(folder.glob(pattern)):
            code.update(f"\n{path.name}\n".encode())
            code.update(path.read_bytes())
    return code.hexdigest()
