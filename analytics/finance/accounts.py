"""Accounts of journals: `finance/accounts.toml`.

    [accounts]
    expense = "6200"        # cost of AI agents
    accrued = "2150"        # billed, and not invoiced yet
    payable = "2000"        # invoices of Levain
    tax = "1400"            # tax on invoices
    rounding = "6990"       # less than a cent
    # provider_payable = "2010": usage by keys of one's own, where it shall be booked, too

    [cost_centers]
    "CC-110" = "6210"       # in place of the account for expense

Accounts that are not named are the ones above; `provider_payable` is none then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from analytics.errors import UsageError
from analytics.finance.toml import Name, read_document
from analytics.toml import Table

FILE = "finance/accounts.toml"
EXPENSE = "expense"


class Roles(Table):
    """The account of each role."""

    expense: Name = "6200"
    accrued: Name = "2150"
    payable: Name = "2000"
    tax: Name = "1400"
    rounding: Name = "6990"
    provider_payable: Name | None = None


class _File(Table):
    accounts: Roles = Roles()
    cost_centers: dict[Name, Name] = {}  # noqa: RUF012 - pydantic copies it


@dataclass(frozen=True)
class Accounts:
    """The account of each role, and those for expense of cost centers; and problems."""

    of_roles: Roles = field(default_factory=Roles)
    of_cost_centers: Mapping[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_accounts(project: Path) -> Accounts:
    """Read the accounts of a project folder; without a file they are the defaults.

    A key that is wrong is not used, and a problem; nothing raises.
    """
    try:
        document = read_document(project, FILE)
    except UsageError as error:
        return Accounts(problems=[f"{error}; the accounts are the defaults"])
    problems: list[str] = []
    try:
        file = _File.model_validate(document.tables)
    except ValidationError as error:
        problems = [f"{each}; it is not used" for each in document.problems(error, _File)]
        file = _File.model_validate(_without_wrong(document.tables, error))
    return Accounts(file.accounts, file.cost_centers, problems)


def _without_wrong(tables: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """Return the tables without the keys that are wrong, or without a whole one."""
    wrong = {each["loc"][:2] for each in error.errors()}
    return {
        name: {key: each for key, each in table.items() if (name, key) not in wrong}
        for name, table in tables.items()
        if (name,) not in wrong
    }
