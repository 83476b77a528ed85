"""Invoices: the lines of `finance/invoices.csv`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.finance.invoices import Invoice, read_invoices
from analytics.finance.lines import Lines
from tests.finance.files import UNUSABLE, Maker, write

HEADER = "invoice_id,workspace,month,issued_on,amount_usd,credit_usd,tax_usd"
GOOD = "L-1,Bakery,2026-10,2026-11-02,1204.17,4.2,19.0000000001"


def invoices_of(*lines: str, header: str = HEADER) -> Lines[Invoice]:
    write("invoices.csv", header, *lines)
    return read_invoices(Path())


def test_without_a_file_there_is_no_invoice() -> None:
    """A project without the file has no invoice and no problem."""
    assert read_invoices(Path()) == Lines()


def test_a_line_is_a_part_of_an_invoice() -> None:
    """Amounts are exact, an empty credit or tax is 0, and one invoice may have several lines."""
    found = invoices_of(GOOD, "L-1,Bakery,2026-09,2026-11-02,0,,", "L-1,w-2,2026-10,2026-11-02,7,,")

    days = date(2026, 10, 1), date(2026, 11, 2)
    assert found.problems == []
    assert found.records[0] == Invoice(
        2, "L-1", "Bakery", *days, Decimal("1204.17"), Decimal("4.2"), Decimal("19.0000000001"),
        is_accepted=False,
    )  # fmt: skip
    assert found.records[2] == Invoice(
        4, "L-1", "w-2", *days, Decimal(7), Decimal(), Decimal(), is_accepted=False
    )


@pytest.mark.parametrize(("accepted", "lines"), [("", [False]), ("yes", [True]), ("no", [])])
def test_an_invoice_may_be_accepted(accepted: str, lines: list[bool]) -> None:
    """It says yes in its column, or nothing; a line that says anything else is refused."""
    found = invoices_of(f"{GOOD},{accepted}", header=f"{HEADER},accepted")

    assert [invoice.is_accepted for invoice in found.records] == lines
    refused = "finance/invoices.csv:2: accepted `no` is not yes; write yes, or leave it empty"
    assert found.problems == [f"{refused}; the line is not used"] * (accepted == "no")


def test_credit_and_tax_may_be_missing() -> None:
    """The five other columns are enough, in any order."""
    found = invoices_of(
        "7,Bakery,L-1,2026-10-01,2026-11-02",
        header="amount_usd,workspace,invoice_id,month,issued_on",
    )

    assert [(each.amount_usd, each.tax_usd) for each in found.records] == [(7, 0)]


def test_a_credit_note_has_negative_tax() -> None:
    """Tax is negative where the credit is more than the amount."""
    found = invoices_of("CN-1,Bakery,2026-10,2026-11-20,0,10,-1.9")

    assert [(each.credit_usd, each.tax_usd) for each in found.records] == [(10, Decimal("-1.9"))]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",Bakery,2026-10,2026-11-02,1,,", "invoice_id is empty"),
        ("L-2,,2026-10,2026-11-02,1,,", "workspace is empty"),
        ("L-2,Bakery,,2026-11-02,1,,", "month is empty; write it like 2026-11"),
        ("L-2,Bakery,10/2026,2026-11-02,1,,", "month `10/2026` is no month: write it like 2026-11"),
        ("L-2,Bakery,0206-10,2026-11-02,1,,", "month 0206-10-01 is not of the years 2000 to 2099"),
        ("L-2,Bakery,2026-10,2206-11-02,1,,", "issued_on 2206-11-02 is not of the years 2000 to"),
        ("L-2,Bakery,2026-10,,1,,", "issued_on is empty; write it like 2026-11-30"),
        ("L-2,Bakery,2026-10,2.11.26,1,,", "issued_on `2.11.26` is no day"),
        ("L-2,Bakery,2026-10,2026-11-02,,,", "amount_usd is empty"),
        ('L-2,Bakery,2026-10,2026-11-02,"1,204.17",,', "amount_usd `1,204.17` is no amount"),
        ("L-2,Bakery,2026-10,2026-11-02,-1,,", "amount_usd `-1` is negative"),
        ("L-2,Bakery,2026-10,2026-11-02,1,-1,", "credit_usd `-1` is negative"),
        ("L-2,Bakery,2026-10,2026-11-02,1,1,-1", "tax_usd `-1` is negative"),
        ("L-2,Bakery,2026-10,2026-11-02,1,,0.00000000001", "tax_usd `0.00000000001` is no amount"),
        (
            "L-2,Bakery,2026-10,2026-11-02,1000000000001,,",
            "amount_usd `1000000000001` is more than",
        ),
        (
            "L-1,BAKERY,2026-10-01,2026-11-03,1,,",
            "line 2 has the same invoice, workspace and month; add up what belongs together",
        ),
    ],
)
def test_a_wrong_line_spoils_only_itself(line: str, reason: str) -> None:
    """It is named by file and line with the reason, and the lines around it are used."""
    found = invoices_of(GOOD, line, "L-3,Bakery,2026-10,2026-11-02,1,,")

    assert [invoice.line for invoice in found.records] == [2, 4]
    (problem,) = found.problems
    assert problem.startswith(f"finance/invoices.csv:3: {reason}")
    assert problem.endswith("; the line is not used")


@pytest.mark.parametrize("column", HEADER.split(",")[:5])
def test_a_column_that_is_missing_is_named(column: str) -> None:
    """Without one of the columns that it needs, no line can be read."""
    found = invoices_of("1", header=HEADER.replace(column, "other"))

    assert found == Lines(
        problems=[
            (
                f"finance/invoices.csv:1: there is no column {column}; the first line must be"
                f" {HEADER},accepted; no invoice is known"
            )
        ]
    )


@pytest.mark.parametrize(("make", "reason"), UNUSABLE)
def test_a_file_that_cannot_be_used_is_one_problem(make: Maker, reason: str) -> None:
    """A file that is no text of the project leaves no invoice, and the reason."""
    project = Path("project")
    (project / "finance").mkdir(parents=True)
    make(project / "finance" / "invoices.csv")

    assert read_invoices(project).problems == [
        f"finance/invoices.csv: {reason}; no invoice is known"
    ]
