"""Frozen tables: what a close writes of a month, and a build reads back into schema `finance`.

Each is a SELECT on the published tables, of the month `$month`: the rows of a mart that its header
says to be `frozen`, or a file of `queries/books/`. They go to a Parquet file of its name, and from
there to `finance.closed_<name>`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.files import folder
from analytics.finance.books.entries import DATA
from analytics.finance.books.verifying import verified_books
from analytics.transform.build import all_models
from analytics.warehouse.database import quoted, spilling, transaction

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from analytics.finance.books.reading import Books


_LINE = "workspace_id, agent_id, owner, cost_center"
_SUMS = (
    "metered_cost_usd", "billed_usd", "surcharge_usd", "own_key_usd", "tokens_in", "tokens_out",
)  # fmt: skip

# Names of agents are those of today; whether an entry is booked, and how, is what a close changes.
_NOT_FROZEN = ("agent_name", "entry_usd", "is_booked", "revision")


def selects() -> dict[str, str]:
    """Return the SELECT of each frozen table, by its name, sorted."""
    found = {
        model.name.removeprefix("fct_"): f"select columns(lambda name: name not in {_NOT_FROZEN})"
        f" from {model.relation} where {model.header.frozen} = $month::date order by all"
        for model in all_models(folder("queries"))
        if model.header.frozen
    }
    for path in folder("queries").joinpath("books").glob("*.sql"):
        found[path.stem] = path.read_text(encoding="utf-8")
    return dict(sorted(found.items()))


def write_frozen(con: duckdb.DuckDBPyConnection, month: date, revision: int, target: Path) -> None:
    """Write the frozen tables of a month into a folder that exists."""
    for name, sql in selects().items():
        parameters = {"month": month, "revision": revision}
        given = {key: value for key, value in parameters.items() if f"${key}" in sql}
        file = target / f"{name}.parquet"
        con.sql(sql, params=given).write_parquet(str(file), compression="zstd")


def adds_up(data: Path) -> bool:
    """Return True if the frozen charges of a month add up to its frozen lines."""
    columns = ", ".join((_LINE, *_SUMS))
    charges, lines = (quoted(data / f"{name}.parquet") for name in ("charges", "lines"))
    with spilling(Path(tempfile.gettempdir())) as con:
        differing = con.execute(f"""
            select {_LINE}
            from (
                select 1 as sign, {columns} from read_parquet('{charges}')
                union all
                select -1 as sign, {columns} from read_parquet('{lines}')
            )
            group by all
            having {" or ".join(f"sum(sign * {name}) <> 0" for name in _SUMS)}
        """).fetchone()
    return differing is None


def load_books(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Replace closings and frozen tables in the warehouse by those of the books, if they differ.

    AnalyticsError if anything in the books is damaged, or they lack what was loaded before.
    """
    loaded = con.execute("select * from finance.closings order by month, revision").fetchall()
    books = verified_books(folder, [(row[0], row[1], row[2], row[7]) for row in loaded])
    closings = _closings(books)
    if loaded == closings:
        return
    with transaction(con):
        con.execute("delete from finance.closings; delete from finance.closing_loads")
        _insert(con, "closings", closings)
        _insert(con, "closing_loads", _closing_loads(books))
        load_frozen(con, [each.file.parent / DATA for each in books.in_force.values()])


def load_frozen(con: duckdb.DuckDBPyConnection, folders: Iterable[Path]) -> None:
    """Replace the frozen tables in the warehouse by those of these folders, one a closed month.

    A month that was closed before a table was there has no rows of it.
    """
    found = list(folders)
    for name in selects():
        con.execute(f"delete from finance.closed_{name}")
        for file in (each / f"{name}.parquet" for each in found):
            if file.exists():
                con.execute(
                    f"insert into finance.closed_{name} by name from read_parquet('{quoted(file)}')"
                )


def _closings(books: Books) -> list[tuple[Any, ...]]:
    """Return the rows of `finance.closings`, by month and revision."""
    rows = []
    for each in books.closings:
        entry, reopening = each.entry, books.reopening(each)
        rows.append((
            entry.first_day,
            entry.revision,
            "reopened" if reopening else "closed",
            entry.closed_at,
            entry.is_early,
            entry.prepared_by,
            entry.approved_by,
            each.sha256,
            entry.previous_sha256,
            entry.code_version,
            reopening and reopening.reopened_at,
            reopening and reopening.reason,
            "; ".join(entry.early_reasons) or None,
        ))  # fmt: skip
    return sorted(rows, key=lambda row: row[:2])


def _closing_loads(books: Books) -> list[tuple[Any, ...]]:
    """Return the last load of each workspace in each closing."""
    return [
        (each.entry.first_day, each.entry.revision, workspace.workspace_id, workspace.load_id)
        for each in books.closings
        for workspace in each.entry.workspaces
        if workspace.load_id
    ]


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        columns = [*map(list, zip(*rows, strict=True))]
        values = ", ".join("unnest(?)" for _ in columns)
        con.execute(f"insert into finance.{table} select {values}", columns)
