"""The files of `finance/`, from the folder to warnings and to SQL."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path

from analytics.machine_clock import machine_clock
from tests.cli.conftest import Command, publish_again
from tests.finance.files import write

PLACES = [
    "finance/invoices.csv:2",
    "finance/budgets.csv:3",
    "finance/allocation.toml:5",
    "finance/accounts.toml:3",
]


def fill() -> None:
    """Write each file with one good and one wrong line, rule or key."""
    header = "invoice_id,workspace,month,issued_on,amount_usd"
    write("invoices.csv", header, "L-1,*,2026-11,2026-12-01,-1")
    write("budgets.csv", "scope,name,month,amount_usd", "all,,2026-11,9", "all,x,2026-11,9")
    rule = ['name = "A"', 'source = "platform"', 'method = "even"']
    write("allocation.toml", "[[rules]]", *rule, "[[rules]]", *rule)
    write("accounts.toml", "[accounts]", 'expense = "6300"', 'expence = "1"')


def test_wrong_lines_are_named_once_and_spoil_no_batch(published: Command) -> None:
    """`status` and a batch name each with its place; the others are loaded, and the hash too."""
    fill()
    found, told = published("status"), publish_again()

    assert "4 problems:" in found.out
    for place in PLACES:
        assert f"- {place}: " in found.out
        assert told.count(f"warning: {place}: ") == 1
    assert "not used: finance/" not in told

    sql = "select name, sha256, status from project_files where kind = 'rules' order by name"
    asked = published("sql", sql, "--format", "csv")
    assert [*csv.DictReader(io.StringIO(asked.out))] == [
        {
            "name": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "status": "error",
        }
        for path in sorted(Path("finance").iterdir())
    ]


def test_an_invoice_that_names_no_workspace_makes_its_file_wrong(published: Command) -> None:
    """`status` names it until the file changes, and no month closes: its booking would go back."""
    header = "invoice_id,workspace,month,issued_on,amount_usd"
    write("invoices.csv", header, "L-1,nobody,2026-11,2026-12-01,1")
    told = publish_again()
    with machine_clock(lambda: datetime(2026, 12, 4, tzinfo=UTC)):
        refused = published("close", "2026-11", "--early", "--approved-by", "Head of finance")

    problem = "finance/invoices.csv:2: no workspace is called `nobody`."
    assert told.count(f"warning: {problem}") == 1
    shown = published("status").out
    assert (f"- {problem}" in shown, shown.count(problem)) == (True, 1)
    sql = "select status from project_files where name = 'invoices.csv'"
    assert published("sql", sql, "--format", "csv").out.split() == ["status", "error"]
    assert refused.code == 2
    assert "finance/invoices.csv holds lines that are not right" in refused.err
    write("invoices.csv", header)
    assert problem not in published("status").out
