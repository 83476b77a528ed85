"""The state of a build: of which code and sources it is, and how many rows it made.

It lies in both files, the warehouse's and the build file, as a transaction writes to one of them:
where a kill left them of two builds, they say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from analytics import __version__
from analytics.transform.changes import STATE, record_sources
from analytics.warehouse.database import BUILD_FILE

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
    con: duckdb.DuckDBPyConnection, queries: Path, timezone: str, *, number: int = 0
) -> None:
    """Record that the warehouse's own relations are of this code and these sources.

    `number` counts the builds since the last full one.
    """
    record_sources(con)
    con.execute(
        f"create or replace table {STATE}.build as"
        " select uuid() as id, ?::integer as number, ? as made_by",
        [number, f"{code_of(queries)} {timezone}"],
    )


def record_build_file(con: duckdb.DuckDBPyConnection) -> None:
    """Record that the build file is of the same build as the warehouse's own relations."""
    forget_build(con)
    ((build_id,),) = con.execute(f"select id from {STATE}.build").fetchall()
    con.execute(f"create schema {BUILD_FILE}.{_PREFIX}{build_id.hex}")


def record_contents(con: duckdb.DuckDBPyConnection, contents: Mapping[str, Contents]) -> None:
    """Record the contents of the relations of both files, which ends a build."""
    ((build_id,),) = con.execute(f"select id from {STATE}.build").fetchall()
    con.execute(
        f"""
        create or replace table {STATE}.contents as
        select
            $build_id::uuid as build_id,
            unnest($relations::varchar[]) as relation,
            unnest($rows::bigint[]) as row_count,
            unnest($hashes::varchar[])::hugeint as row_hashes
        """,
        {
            "build_id": build_id,
            "relations": list(contents),
            "rows": [each.rows for each in contents.values()],
            "hashes": [str(each.hashes) for each in contents.values()],
        },
    )


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
    """Make the next build a full one."""
    for name in _builds(con):
        con.execute(f"drop schema {BUILD_FILE}.{name}")


def build_number(con: duckdb.DuckDBPyConnection, queries: Path, timezone: str) -> int | None:
    """Return the number of builds since the last full one.

    None unless both files are of one build that was completed, by this code and these settings.
    """
    try:
        row = con.execute(f"""
            select id, number, made_by from {STATE}.build
            semi join {STATE}.contents as contents on contents.build_id = id
        """).fetchone()
    except duckdb.CatalogException:
        return None
    if row is None or _builds(con) != [f"{_PREFIX}{row[0].hex}"]:
        return None
    return int(row[1]) if row[2] == f"{code_of(queries)} {timezone}" else None


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
