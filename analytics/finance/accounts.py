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
from typing import TYPE_CHECKING, Any

from analytics.finance.toml import RefusedFileError, name_of, read_toml, unknown

if TYPE_CHECKING:
    from pathlib import Path

FILE = "finance/accounts.toml"
EXPENSE = "expense"
DEFAULTS = {
    EXPENSE: "6200",
    "accrued": "2150",
    "payable": "2000",
    "tax": "1400",
    "rounding": "6990",
}
ROLES = (*DEFAULTS, "provider_payable")
_TABLES = ("accounts", "cost_centers")


@dataclass(frozen=True)
class Accounts:
    """The account of each role, and those for expense of cost centers; and problems."""

    of_roles: Mapping[str, str] = field(default_factory=DEFAULTS.copy)
    of_cost_centers: Mapping[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_accounts(project: Path) -> Accounts:
    """Read the accounts of a project folder; without a file they are the defaults.

    A key that is wrong is not used, and a problem; nothing raises.
    """
    try:
        tables, _ = read_toml(project, FILE)
    except RefusedFileError as error:
        return Accounts(problems=[f"{error}; the accounts are the defaults"])
    problems = [f"{FILE}: {unknown(name, _TABLES)}" for name in tables if name not in _TABLES]
    found: dict[str, dict[str, str]] = {name: {} for name in _TABLES}
    for table in _TABLES:
        given = tables.get(table, {})
        if not isinstance(given, dict):
            problems.append(f"{FILE}: {table} is no table: write [{table}]; it is not used")
            continue
        for key, value in given.items():
            try:
                name, account = _entry(table, key, value)
            except ValueError as error:
                problems.append(f"{FILE}: [{table}] {error}; the key is not used")
            else:
                found[table][name] = account
    return Accounts(DEFAULTS | found["accounts"], found["cost_centers"], problems)


def _entry(table: str, key: str, value: Any) -> tuple[str, str]:
    """Return role or cost center, and account; ValueError says what is wrong with them."""
    if table == "accounts" and key not in ROLES:
        raise ValueError(unknown(key, ROLES))
    name = key if table == "accounts" else name_of("a cost center", key)
    return name, name_of(name, value)
