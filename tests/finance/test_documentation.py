"""The documentation of the files of `finance/` is right."""

from __future__ import annotations

import re
from pathlib import Path

from analytics.finance import accounts, allocation, budgets, invoices, owners
from analytics.finance.load import read_finance
from tests.docs.pages import blocks, rows, text_of


def test_each_column_and_key_is_documented() -> None:
    """The table of files has each column and key that is read, in its order, and no other."""
    table = rows(text_of("month-end.md"), "file | holds | a line or key")
    files = {row[0].strip("`"): tuple(re.findall("`([^`]+)`", row[2])) for row in table}

    forms = (owners.FORM, budgets.FORM, invoices.FORM)
    assert files == {form.file.removeprefix("finance/"): form.columns for form in forms} | {
        "allocation.toml": allocation.KEYS,
        "accounts.toml": ("[accounts]", *accounts.ROLES, "[cost_centers]"),
    }


def test_each_key_of_a_rule_is_documented() -> None:
    """Keys of rules, their sources and methods stand in the tables of the section."""
    page = text_of("month-end.md").partition("## Allocation")[2]
    keys = [key for row in rows(page, "key | holds") for key in re.findall("`([^`]+)`", row[0])]

    assert keys == [*allocation.KEYS]
    assert {row[0].strip("`") for row in rows(page, "pool | is")} == {*allocation.SOURCES}


def test_the_examples_are_right() -> None:
    """The files that the pages show are read without a problem, and name the default accounts."""
    for block in blocks():
        if block.file and block.file.startswith("finance/"):
            Path(block.file).parent.mkdir(exist_ok=True)
            Path(block.file).write_text(block.code, encoding="utf-8")
    found = read_finance(Path())

    assert found.problems == []
    assert found.accounts.of_roles == accounts.DEFAULTS
    assert len(found.allocation.rules) == 3
    assert len(found.invoices.records) + len(found.budgets.records) == 5
