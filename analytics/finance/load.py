"""The files of `finance/` as tables of the warehouse, read anew before each build of the marts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.files import folder, hash_file
from analytics.finance.lines import (
    BUDGETS,
    CATALOGUE,
    INVOICES,
    LIST_PRICES,
    OUTCOMES,
    OWNERS,
)
from analytics.finance.tables import ALLOCATION, EXPENSE, FINDINGS, Accounts, read_accounts
from analytics.warehouse.database import transaction

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from analytics.finance.reading import CsvFile, Records, TomlFile

FOLDER = "finance"

FILES: Mapping[str, CsvFile[Any] | TomlFile[Any]] = {
    "owner_rules": OWNERS,
    "invoices": INVOICES,
    "budgets": BUDGETS,
    "outcomes": OUTCOMES,
    "list_prices": LIST_PRICES,
    "allocation_rules": ALLOCATION,
    "silenced_findings": FINDINGS,
}
"""The files of records, by their table in schema `finance`, which has a column for each field."""

_NUMBERS = {"allocation_rules": "rule", "silenced_findings": None}  # others have a `line`
_NAMES = {"accepted": "is_accepted", "by": "basis"}  # of columns, where they are others


@dataclass(frozen=True)
class Finance:
    """All files of the folder, as far as they are right: hashes, records by table, and problems.

    A problem is a place, which begins with the file, and a reason.
    """

    hashes: Mapping[str, str | None]
    records: Mapping[str, Records[Any]]
    accounts: Accounts
    problems: list[str]


def read_finance(project: Path) -> Finance:
    """Read the files of a project folder; nothing raises."""
    # First the hashes: of a file that changes meanwhile, the hash is of no newer bytes than read.
    hashes = hash_files(project)
    records = {table: file.read(project) for table, file in FILES.items()}
    accounts, problems = read_accounts(project)
    of_records = [problem for each in records.values() for problem in each.problems]
    return Finance(hashes, records, accounts, of_records + problems)


def load_finance(con: duckdb.DuckDBPyConnection, project: Path) -> list[str]:
    """Replace the user's files in the warehouse, and return their problems."""
    finance = read_finance(project)
    tables = {name: _rows(name, each) for name, each in finance.records.items()}
    for precedence, rule in enumerate(tables["owner_rules"], start=1):
        rule["precedence"] = precedence
    catalogue = _rows("list_prices", CATALOGUE.read(folder("queries")))
    tables["list_prices"] = [
        price | {"source": source}
        for source, prices in (("own", tables["list_prices"]), ("catalogue", catalogue))
        for price in prices
    ]
    tables["allocation_shares"] = [
        {"rule": rule["rule"], "cost_center": cost_center, "share": share}
        for rule in tables["allocation_rules"]
        for cost_center, share in rule.pop("shares").items()
    ]
    accounts = finance.accounts
    tables["accounts"] = [
        {"role": role, "cost_center": cost_center, "account": account}
        for role, cost_center, account in (
            *((role, None, account) for role, account in accounts.accounts if account),
            *((EXPENSE, *each) for each in accounts.cost_centers.items()),
        )
    ]
    counts = Counter(map(file_of, finance.problems))
    tables["files"] = [
        {"name": name, "sha256": sha256, "problem_count": counts[f"{FOLDER}/{name}"]}
        for name, sha256 in finance.hashes.items()
    ]
    with transaction(con):
        for table, rows in tables.items():
            _replace_rows(con, table, rows)
    return finance.problems


def load_limits(con: duckdb.DuckDBPyConnection, *, materiality_usd: str) -> None:
    """Replace the limits of the settings in the warehouse."""
    with transaction(con):
        _replace_rows(con, "limits", [{"materiality_usd": materiality_usd}])


def _rows(table: str, records: Records[Any]) -> list[dict[str, Any]]:
    """Return the fields of records, by column, with their line or number."""
    number = _NUMBERS.get(table, "line")
    return [
        {_NAMES.get(name, name): value for name, value in record}
        | ({number: place} if number else {})
        for place, record in records.rows.items()
    ]


def _replace_rows(
    con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, object]]
) -> None:
    con.execute(f"delete from finance.{table}")
    if rows:
        con.execute(
            f"insert into finance.{table} ({', '.join(rows[0])})"
            f" select {', '.join('unnest(?::varchar[])' for _ in rows[0])}",
            [[row[name] for row in rows] for name in rows[0]],
        )


def file_of(problem: str) -> str:
    """Return the file that a problem names."""
    return problem.partition(":")[0]


def not_repeated(errors: Sequence[str], problems: Sequence[str]) -> list[str]:
    """Return errors of a project's files without those of a place that `problems` name."""
    places = {problem.partition(": ")[0] for problem in problems}
    return [error for error in errors if error.partition(": ")[0] not in places]


def paths(project: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of each file of the folder, by name; folders within it are none."""
    try:
        found = sorted(path for path in (project / FOLDER).iterdir() if not path.is_dir())
    except OSError:
        return
    for path in found:
        yield os.fsencode(path.name).decode("utf-8", "backslashreplace"), path


def hash_files(project: Path) -> dict[str, str | None]:
    """Return the SHA-256 of each file of the folder, by name; None if it cannot be read."""
    hashes: dict[str, str | None] = {}
    for name, path in paths(project):
        try:
            hashes[name] = hash_file(path, project)
        except (OSError, ValueError):
            hashes[name] = None
    return hashes
