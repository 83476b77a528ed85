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
    tables = {name: _columns(name, each.rows) for name, each in finance.records.items()}
    precedence = [*range(1, len(finance.records["owner_rules"].rows) + 1)]
    tables["owner_rules"]["precedence"] = precedence
    own, catalogue = finance.records["list_prices"].rows, CATALOGUE.read(folder("queries")).rows
    prices = [_columns("list_prices", each) for each in (own, catalogue)]
    tables["list_prices"] = {name: prices[0][name] + prices[1][name] for name in prices[0]}
    tables["list_prices"]["source"] = ["own"] * len(own) + ["catalogue"] * len(catalogue)
    shares = [
        (number, *share)
        for number, shares in zip(
            tables["allocation_rules"]["rule"],
            tables["allocation_rules"].pop("shares"),
            strict=True,
        )
        for share in shares.items()
    ]
    tables["allocation_shares"] = _by_name(("rule", "cost_center", "share"), shares)
    accounts: list[tuple[object, ...]] = [
        (role, None, each) for role, each in finance.accounts.accounts if each
    ]
    accounts += [(EXPENSE, *each) for each in finance.accounts.cost_centers.items()]
    tables["accounts"] = _by_name(("role", "cost_center", "account"), accounts)
    counts = Counter(map(file_of, finance.problems))
    files = [(*each, counts[f"{FOLDER}/{each[0]}"]) for each in finance.hashes.items()]
    tables["files"] = _by_name(("name", "sha256", "problem_count"), files)
    with transaction(con):
        for table, columns in tables.items():
            _replace_rows(con, table, columns)
    return finance.problems


def load_limits(con: duckdb.DuckDBPyConnection, *, materiality_usd: str) -> None:
    """Replace the limits of the settings in the warehouse."""
    with transaction(con):
        _replace_rows(con, "limits", {"materiality_usd": [materiality_usd]})


def _columns(table: str, rows: Mapping[int, Any]) -> dict[str, list[Any]]:
    """Return the columns of records: their fields, and their line or number."""
    columns = {
        _NAMES.get(name, name): [getattr(each, name) for each in rows.values()]
        for name in FILES[table].kind.model_fields
    }
    if number := _NUMBERS.get(table, "line"):
        columns[number] = [*rows]
    return columns


def _by_name(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _replace_rows(
    con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Sequence[object]]
) -> None:
    con.execute(f"delete from finance.{table}")
    con.execute(
        f"insert into finance.{table} ({', '.join(columns)})"
        f" select {', '.join('unnest(?::varchar[])' for _ in columns)}",
        [*columns.values()],
    )


def problems_of_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a line for each loaded line or rule with a name that nothing ever seen has.

    `con` is the warehouse with the build file attached, after a build. A file of invoices with such
    a name is not right, so that no month is closed: a booked one would be taken back.
    """
    sql = (folder("queries") / "finance" / "unknown_names.sql").read_text(encoding="utf-8")
    found = con.execute(sql).fetchall()
    count = sum(file == INVOICES.file for file, _, _ in found)
    con.execute(
        f"update finance.files set problem_count = problem_count + {count}"
        f" where '{FOLDER}/' || name = '{INVOICES.file}'"
    )
    return [f"{file}{place}: {problem}" for file, place, problem in found]


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
