"""The state of a build: of which code and sources it is, and how many rows it made.

It lies in both files, the warehouse's and the build file, as a transaction writes to one of them:
where a kill left them of two builds, they say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from analytics import __version__
from analytics.transform.changes import STATE, record_sources
from analytics.warehouse.database import BUILD_FILE, transaction

AUDITED = 10
"""Of as many builds that bring relations up to date, one audits itself."""

Contents = tuple[int, int]
"""The number of rows of a relation, and the sum of their hashes."""


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
    rows = ", ".join(f"('{name}', {count}, {hashes})" for name, (count, hashes) in contents.items())
    with transaction(con):
        record_sources(con)
        con.execute(
            f"create or replace table {STATE}.build as"
            " select concat('build_', ?, '_', replace(uuid()::varchar, '-', '')) as name,"
            " ? as timezone, ?::integer as number",
            [code_of(queries), timezone, number],
        )
        con.execute(
            f"create or replace table {STATE}.contents as from (values {rows})"
            " as each (relation, row_count, hashes)"
        )
    _name_build_file(con)


def _name_build_file(con: duckdb.DuckDBPyConnection) -> None:
    """Give the build file a schema without tables, which nobody who lists tables sees."""
    ((name,),) = con.execute(f"select name from {STATE}.build").fetchall()
    con.execute(f"create schema {BUILD_FILE}.{name}")


def recorded_contents(con: duckdb.DuckDBPyConnection) -> dict[str, Contents]:
    """Return the contents of relations as the last build has left them."""
    return {
        relation: (count, hashes)
        for relation, count, hashes in con.execute(f"from {STATE}.contents").fetchall()
    }


def read_contents(
    con: duckdb.DuckDBPyConnection, relations: Collection[str]
) -> dict[str, Contents]:
    """Return the contents of relations; all rows are read."""
    sums = " union all ".join(
        f"select '{name}', count(*), coalesce(sum(hash(rows)), 0)::hugeint from {name} as rows"
        for name in sorted(relations)
    )
    return {name: (count, hashes) for name, count, hashes in con.execute(sums).fetchall()}


def row_counts(con: duckdb.DuckDBPyConnection, relations: Collection[str]) -> dict[str, int]:
    """Return the number of rows of relations; no row is read."""
    counts = " union all ".join(
        f"select '{name}', count(*) from {name}" for name in sorted(relations)
    )
    return dict(con.execute(counts).fetchall())


def forget_build(con: duckdb.DuckDBPyConnection) -> None:
    """Make the next build a full one, unless this one ends."""
    for name in _names(con):
        con.execute(f"drop schema {BUILD_FILE}.{name}")


def build_number(con: duckdb.DuckDBPyConnection, queries: Path, timezone: str) -> int | None:
    """Return the number of builds since the last full one.

    None unless both files are of one build that was completed, by this code and these settings.
    """
    try:
        ((name, of_timezone, number),) = con.execute(f"from {STATE}.build").fetchall()
    except duckdb.CatalogException:
        return None
    is_ours = is_of_code(con, queries) and of_timezone == timezone and _names(con) == [name]
    return int(number) if is_ours else None


def is_of_code(con: duckdb.DuckDBPyConnection, queries: Path) -> bool:
    """Return True if the build file is of one build that was completed, by this code."""
    return [name.split("_")[1] for name in _names(con)] == [code_of(queries)]


def _names(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute(
        "select schema_name from duckdb_schemas()"
        " where database_name = ? and starts_with(schema_name, 'build_')",
        [BUILD_FILE],
    ).fetchall()
    return [name for (name,) in rows]


@cache
def code_of(queries: Path) -> str:
    """Return a hash of the code and models of a build, as this process first read them."""
    code = hashlib.sha256(f"{__version__} {duckdb.__version__} {pl.__version__}".encode())
    package = Path(__file__).parent
    texts = package.parent / "format"  # findings have sentences
    for folder, pattern in ((package, "**/*.py"), (texts, "*.py"), (queries, "**/*.*")):
        for path in sorted(folder.glob(pattern)):
            code.update(f"\n{path.name}\n".encode())
            code.update(path.read_bytes())
    return code.hexdigest()
