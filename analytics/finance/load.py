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
    Invoice,
)
from analytics.finance.tables import ALLOCATION, EXPENSE, FINDINGS, Accounts, read_accounts
from analytics.format.names import folded
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
    invoices, of_workspaces = _of_workspaces(con, finance.records["invoices"].rows)
    tables["invoices"] = _columns("invoices", invoices)
    tables["invoices"]["workspace_id"] = tables["invoices"].pop("workspace")
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
    problems = [*finance.problems, *of_workspaces]
    counts = Counter(map(file_of, problems))
    files = [(*each, counts[f"{FOLDER}/{each[0]}"]) for each in finance.hashes.items()]
    tables["files"] = _by_name(("name", "sha256", "problem_count"), files)
    with transaction(con):
        for table, columns in tables.items():
            _replace_rows(con, table, columns)
    return problems


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


def _of_workspaces(
    con: duckdb.DuckDBPyConnection, lines: Mapping[int, Invoice]
) -> tuple[dict[int, Invoice], list[str]]:
    """Return the lines, each with the identifier of its workspace, and the problems of others.

    A name may be that of no workspace, of those that were read or are in the books, or of several;
    an invoice may have a line by the name of its workspace and another by its identifier.
    """
    rows = con.execute("""
        select workspace_id, workspace_name from ledger.workspaces
        union all
        select workspace_id, arg_max(workspace_name, usage_month)
        from finance.closed_lines anti join ledger.workspaces using (workspace_id)
        group by workspace_id
    """).fetchall()
    named: dict[str, set[str]] = {}
    for workspace_id, name in rows:
        named.setdefault(folded((name or workspace_id).strip()), set()).add(workspace_id)
    named |= {folded(workspace_id): {workspace_id} for workspace_id, _ in rows}
    invoices: dict[int, Invoice] = {}
    problems = []
    above: dict[object, int] = {}
    for number, each in lines.items():
        problem = None
        match [*named.get(folded(each.workspace), ())]:
            case []:
                problem = "no workspace matches; is a name misspelt?"
            case [found]:
                line = above.setdefault((each.invoice_id, found, each.month), number)
                if line == number:
                    invoices[number] = each.model_copy(update={"workspace": found})
                else:
                    problem = each.conflict.format(place=line)
            case _:
                problem = "several workspaces are called so; name one by its identifier"
        if problem:
            problems.append(f"{INVOICES.file}:{number}: {problem}")
    return invoices, problems


def problems_of_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a line for each loaded line or rule with a name that nothing ever seen has.

    `con` is the warehouse with the build file attached, after a build. An invoice with such a name
    is a problem of its file, as `load_finance` tells: one that nothing matches would be taken back.
    """
    sql = (folder("queries") / "finance" / "unknown_names.sql").read_text(encoding="utf-8")
    several = "several workspaces are called so; name one by its identifier"
    return [
        f"{file}{place}: "
        + (several if kind == "one workspace" else f"no {kind} matches; is a name misspelt?")
        for file, place, kind in con.execute(sql).fetchall()
    ]


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
