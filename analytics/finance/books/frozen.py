"""Frozen tables: what a close writes of a month, and a build reads back into schema `finance`.

Each file of `queries/books/` is one SELECT on the published tables, of the month `$month`: its rows
go to a Parquet file of the same name, and from there into `finance.closed_<name>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.resources import folder
from analytics.warehouse.database import quoted

if TYPE_CHECKING:
    from datetime import date

    import duckdb


def names() -> list[str]:
    """Return the names of the frozen tables, sorted."""
    return sorted(path.stem for path in folder("queries").joinpath("books").glob("*.sql"))


def write_frozen(
    con: duckdb.DuckDBPyConnection, month: date, revision: int, target: Path
) -> list[Path]:
    """Write the frozen tables of a month into a folder that exists, and return their files."""
    written = []
    for name in names():
        sql = (folder("queries") / "books" / f"{name}.sql").read_text(encoding="utf-8")
        parameters = {"month": month, "revision": revision}
        given = {key: value for key, value in parameters.items() if f"${key}" in sql}
        file = target / f"{name}.parquet"
        con.sql(sql, params=given).write_parquet(str(file), compression="zstd")
        written.append(file)
    return written


def load_frozen(con: duckdb.DuckDBPyConnection, folders: Iterable[Path]) -> None:
    """Replace the frozen tables in the warehouse by those of these folders, one a closed month."""
    found = list(folders)
    for name in names():
        con.execute(f"delete from finance.closed_{name}")
        for each in found:
            file = quoted(each / f"{name}.parquet")
            con.execute(f"insert into finance.closed_{name} by name from read_parquet('{file}')")
