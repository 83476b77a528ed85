"""What invoices differ from the bill by: below the limit of the settings it is rounding."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from analytics.transform.checks import run_checks
from tests.queries.closing import close
from tests.queries.invoiced import NOVEMBER, OCTOBER, billed, invoiced
from tests.transform.given import Warehouse

BILL = Decimal("134.3333333336")
"""The bill of October."""


def limit(warehouse: Warehouse, usd: str) -> None:
    """Set `[finance] materiality_usd`, as a batch does before it builds."""
    warehouse._con.execute("update finance.limits set materiality_usd = ?", [usd])


def figures(warehouse: Warehouse) -> tuple[Any, ...]:
    """The state of October, what is accrued of it, what is rounding, and the kinds of entries."""
    warehouse.build()
    (state,) = warehouse.row(
        "select status from intermediate.int_invoice_months where usage_month = ?", OCTOBER
    )
    (accrued,) = warehouse.row(
        "select coalesce(sum(accrual_usd), 0) from marts.fct_accruals where not is_booked"
    )
    (rounding,) = warehouse.row(
        "select coalesce(sum(debit_usd - credit_usd), 0) from marts.fct_journal_lines"
        " where role = 'rounding'"
    )
    kinds = warehouse.rows("select distinct kind from marts.fct_journal_lines order by 1")
    return state, accrued, rounding, [kind for (kind,) in kinds]


def expense(warehouse: Warehouse) -> Decimal:
    """What all months book for the usage of October."""
    (usd,) = warehouse.row(
        "select sum(debit_usd - credit_usd) from marts.fct_journal_lines"
        " where role = 'expense' and usage_month = ?", OCTOBER,
    )  # fmt: skip
    return Decimal(usd)


@pytest.mark.parametrize(
    ("materiality", "difference", "is_material"),
    [
        ("0.01", "0.0099999999", False),
        ("0.01", "-0.0099999999", False),
        ("0.01", "0.01", True),
        ("0.01", "-0.01", True),
        ("0.01", "0.0100000001", True),
        ("5", "4.9999999999", False),
        ("0", "0", False),
        ("0", "0.0000000001", True),
    ],
)
def test_a_difference_below_the_limit_is_rounding(
    october: Warehouse, materiality: str, difference: str, is_material: bool
) -> None:
    """It has no entry and no accrual; from the limit on it is accrued. Expense is the bill."""
    differs = Decimal(difference)
    limit(october, materiality)
    invoiced(october, OCTOBER, str(BILL + differs))

    assert figures(october) == (
        ("differs", -differs, 0, ["accrual", "invoice"])
        if is_material
        else ("matched", 0, differs, ["invoice"])
    )
    assert expense(october) == BILL
    payable = "select sum(credit_usd) from marts.fct_journal_lines where role = 'payable'"
    assert october.row(payable) == (BILL + differs,)


@pytest.mark.parametrize(
    ("before", "after", "booked", "next_month"),
    [
        ("0.01", "1", ("differs", "-0.02"), ("matched", "0.02", ["reversal", "settlement"])),
        ("1", "0.01", ("matched", "0"), ("matched", "0", [])),
    ],
)
def test_a_limit_that_changes_changes_no_closed_month(
    october: Warehouse,
    before: str,
    after: str,
    booked: tuple[str, str],
    next_month: tuple[str, str, list[str]],
) -> None:
    """What a close booked stays; the next month settles what is immaterial now, and no more."""
    billed(october, NOVEMBER, "a-1", "0")
    limit(october, before)
    invoiced(october, OCTOBER, str(BILL + Decimal("0.02")))
    close(october, OCTOBER)
    of_books = [
        f"from marts.{table} where {month} = '2026-10-01' order by all"
        for table, month in (
            ("fct_invoices", "booked_month"),
            ("fct_accruals", "booked_month"),
            ("fct_journal_lines", "booked_month"),
        )
    ]
    closed = [october.rows(each) for each in of_books]

    limit(october, after)
    october.build()

    assert [october.rows(each) for each in of_books] == closed
    assert october.row(
        "select any_value(status),"
        " (select sum(accrual_usd) from marts.fct_accruals where is_booked)"
        " from marts.fct_invoices where is_booked"
    ) == (booked[0], Decimal(booked[1]))
    state, accrued, _, _ = figures(october)
    november = "from marts.fct_journal_lines where booked_month = '2026-11-01'"
    (rounding,) = october.row(
        f"select coalesce(sum(debit_usd - credit_usd) filter (role = 'rounding'), 0) {november}"
    )
    kinds = [kind for (kind,) in october.rows(f"select distinct kind {november} order by 1")]
    assert (state, accrued) == (next_month[0], 0)
    assert (rounding, kinds) == (Decimal(next_month[1]), next_month[2])
    assert expense(october) == BILL


def test_the_checks_hold_with_any_limit(october: Warehouse) -> None:
    """Accruals, invoices and the journal agree where a large difference is immaterial."""
    limit(october, "50")
    invoiced(october, OCTOBER, "100")
    october.build_all()

    names = {"accruals_are_billed_less_invoiced", "journal_expense_is_charges_and_adjustments"}
    found = [each for each in run_checks(october.con) if each.name in names]
    assert [each.ok for each in found] == [True, True]
