"""The files of `finance/` as tables of the warehouse, read anew before each build of the marts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from analytics.files import hash_file
from analytics.finance.accounts import EXPENSE, Accounts, read_accounts
from analytics.finance.allocation import Rule, Rules, read_rules
from analytics.finance.budgets import Budget, read_budgets
from analytics.finance.invoices import FORM, Invoice, read_invoices, same_as
from analytics.finance.lines import Lines, replace_rows
from analytics.finance.owners import OwnerRule, read_owners
from analytics.finance.silences import Silence, read_silences
from analytics.format.names import folded
from analytics.warehouse.database import transaction

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

FOLDER = "finance"


@dataclass(frozen=True)
class File:
    """A file of the folder: its name, and the SHA-256 of its bytes, None if it cannot be read."""

    name: str
    sha256: str | None


@dataclass(frozen=True)
class Finance:
    """All files of the folder, as far as they are right."""

    files: Sequence[File]
    owners: Lines[OwnerRule]
    invoices: Lines[Invoice]
    budgets: Lines[Budget]
    allocation: Rules
    accounts: Accounts
    silences: Lines[Silence]

    @property
    def problems(self) -> list[str]:
        """Problems of all files: each with its place, which begins with the file, and reason."""
        read = (
            self.owners,
            self.invoices,
            self.budgets,
            self.allocation,
            self.accounts,
            self.silences,
        )
        return [problem for each in read for problem in each.problems]


def read_finance(project: Path) -> Finance:
    """Read the files of a project folder; nothing raises."""
    # First the hashes: of a file that changes meanwhile, the hash is of no newer bytes than read.
    files = [*read_files(project)]
    return Finance(
        files,
        read_owners(project),
        read_invoices(project),
        read_budgets(project),
        read_rules(project),
        read_accounts(project),
        read_silences(project),
    )


def load_finance(con: duckdb.DuckDBPyConnection, project: Path) -> list[str]:
    """Replace the user's files in the warehouse, and return their problems."""
    finance = read_finance(project)
    invoices, of_workspaces = _of_workspaces(con, finance.invoices.records)
    of_invoices = _columns(Invoice, invoices)
    of_invoices["workspace_id"] = of_invoices.pop("workspace")
    problems = [*finance.problems, *of_workspaces]
    counts = Counter(file_of(problem) for problem in problems)
    problem_counts = [counts[f"{FOLDER}/{file.name}"] for file in finance.files]
    files = _columns(File, finance.files) | {"problem_count": problem_counts}
    with transaction(con):
        load_owners(con, finance.owners.records)
        replace_rows(con, "invoices", of_invoices)
        replace_rows(con, "budgets", _columns(Budget, finance.budgets.records))
        _load_rules(con, finance.allocation.rules)
        _load_accounts(con, finance.accounts)
        silences = _columns(Silence, finance.silences.records)
        replace_rows(con, "silenced_findings", silences)
        replace_rows(con, "files", files)
    return problems


def load_limits(con: duckdb.DuckDBPyConnection, *, materiality_usd: str) -> None:
    """Replace the limits of the settings in the warehouse."""
    with transaction(con):
        replace_rows(con, "limits", {"materiality_usd": [materiality_usd]})


def _of_workspaces(
    con: duckdb.DuckDBPyConnection, lines: Sequence[Invoice]
) -> tuple[list[Invoice], list[str]]:
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
    invoices, problems = [], []
    above: dict[object, int] = {}
    for each in lines:
        problem = None
        match [*named.get(folded(each.workspace), ())]:
            case []:
                problem = "no workspace matches; is a name misspelt?"
            case [found]:
                line = above.setdefault((each.invoice_id, found, each.month), each.line)
                if line == each.line:
                    invoices.append(replace(each, workspace=found))
                else:
                    problem = same_as(line)
            case _:
                problem = "several workspaces are called so; name one by its identifier"
        if problem:
            problems.append(f"{FORM.file}:{each.line}: {problem}")
    return invoices, problems


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


def read_files(project: Path) -> Iterator[File]:
    """Yield each file of the folder, by name, with its hash."""
    for name, path in paths(project):
        try:
            yield File(name, hash_file(path, project))
        except (OSError, ValueError):
            yield File(name, None)


def _columns(kind: type[Any], records: Sequence[object]) -> dict[str, list[Any]]:
    names = [each.name for each in fields(kind)] if is_dataclass(kind) else kind.model_fields
    return {name: [getattr(record, name) for record in records] for name in names}


def load_owners(con: duckdb.DuckDBPyConnection, rules: Sequence[OwnerRule]) -> None:
    """Replace the rules of owners in the warehouse by these, the most specific first."""
    precedence = {"precedence": [*range(1, len(rules) + 1)]}
    replace_rows(con, "owner_rules", _columns(OwnerRule, rules) | precedence)


def _load_rules(con: duckdb.DuckDBPyConnection, rules: Mapping[int, Rule]) -> None:
    columns = _columns(Rule, [*rules.values()])
    shares = [
        (number, cost_center, share)
        for number, rule in rules.items()
        for cost_center, share in rule.shares.items()
    ]
    del columns["shares"]
    columns["rule"] = [*rules]
    columns["basis"] = columns.pop("by")
    replace_rows(con, "allocation_rules", columns)
    replace_rows(con, "allocation_shares", _by_name(("rule", "cost_center", "share"), shares))


def _load_accounts(con: duckdb.DuckDBPyConnection, accounts: Accounts) -> None:
    rows: list[tuple[object, ...]] = [
        (role, None, account) for role, account in accounts.of_roles if account
    ]
    rows += [(EXPENSE, *each) for each in accounts.of_cost_centers.items()]
    replace_rows(con, "accounts", _by_name(("role", "cost_center", "account"), rows))


def _by_name(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> dict[str, list[object]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
