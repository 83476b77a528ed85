"""Accounts of journals: the keys of `finance/accounts.toml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.finance.accounts import DEFAULTS, Accounts, read_accounts
from tests.finance.files import UNUSABLE, Maker, write


def accounts_of(*lines: str) -> Accounts:
    write("accounts.toml", *lines)
    return read_accounts(Path())


def test_without_a_file_the_accounts_are_the_defaults() -> None:
    """Each role but the provider's payable has an account that the documentation names."""
    assert read_accounts(Path()) == Accounts(DEFAULTS, {}, [])


def test_a_key_is_an_account() -> None:
    """Roles that are not named keep their default; cost centers have accounts of their own."""
    found = accounts_of(
        "[accounts]", 'expense = "Expenses:AI"', 'provider_payable = "2010"',
        "[cost_centers]", '"CC-110" = "6210"', '"(none)" = "6299"',
    )  # fmt: skip

    assert found == Accounts(
        DEFAULTS | {"expense": "Expenses:AI", "provider_payable": "2010"},
        {"CC-110": "6210", "(none)": "6299"},
        [],
    )


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (
            ["[accounts]", 'expence = "1"'],
            ": [accounts] `expence` is not known; did you mean expense?; the key is not used",
        ),
        (
            ["[accounts]", 'x = "1"'],
            (
                ": [accounts] `x` is not known; there are expense, accrued, payable, tax, rounding,"
                " provider_payable; the key is not used"
            ),
        ),
        (
            ["[accounts]", "expense = 6200"],
            ": [accounts] expense is no text: put it in quotes; the key is not used",
        ),
        (
            ["[cost_centers]", '"CC-1" = " "'],
            ": [cost_centers] CC-1 is empty; the key is not used",
        ),
        (
            ["[cost_centers]", '"CC\\n1" = "6200"'],
            (
                ": [cost_centers] a cost center `CC⟨U+000A⟩1` holds an invisible character; the"
                " key is not used"
            ),
        ),
        (["accounts = 1"], ": accounts is no table: write [accounts]; it is not used"),
        (["[acounts]"], ": `acounts` is not known; did you mean accounts?"),
        (
            ["[accounts]", "", 'expense = "1', ""],
            ":3: Illegal character '\\n'; the accounts are the defaults",
        ),
        (["a = " + "[" * 9_999], ": its tables are nested too deep; the accounts are the defaults"),
        (
            [f"a = 1e{'9' * 40}"],
            ": it holds a number that is too large; the accounts are the defaults",
        ),
    ],
)
def test_a_wrong_key_is_named_and_not_used(lines: list[str], problem: str) -> None:
    """A problem has the file, the line where TOML knows it, the reason, and a suggestion."""
    assert accounts_of(*lines) == Accounts(problems=[f"finance/accounts.toml{problem}"])


@pytest.mark.parametrize(("make", "reason"), UNUSABLE)
def test_a_file_that_cannot_be_used_is_one_problem(make: Maker, reason: str) -> None:
    """A file that is no text of the project leaves the defaults, and the reason."""
    project = Path("project")
    (project / "finance").mkdir(parents=True)
    make(project / "finance" / "accounts.toml")

    assert read_accounts(project) == Accounts(
        problems=[f"finance/accounts.toml: {reason}; the accounts are the defaults"]
    )


def test_a_key_of_many_parts_is_refused() -> None:
    """It is refused before it is parsed, which would take long."""
    write("accounts.toml", "a" + ".a" * 50_000 + " = 1")

    (problem,) = read_accounts(Path()).problems
    assert "finance/accounts.toml:1: a key has more than 10 parts" in problem
