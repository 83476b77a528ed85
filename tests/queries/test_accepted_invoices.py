"""Invoices that differ from the bill and are accepted: what differed then is rounding, no more."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from analytics.resources import folder
from tests.queries.closing import close
from tests.queries.invoiced import (
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    billed,
    invoiced,
    invoices,
    owned,
)
from tests.transform.given import Warehouse


@pytest.mark.parametrize(
    ("others", "state"),
    [([], "accepted"), ([{"is_accepted": True}], "accepted"), ([{}], "differs")],
)
def test_an_invoice_that_is_accepted(
    october: Warehouse, others: list[dict[str, bool]], state: str
) -> None:
    """A month whose invoices are all accepted is settled, and what differs is rounding."""
    invoiced(october, OCTOBER, "140.00", is_accepted=True)
    for other in others:
        invoiced(october, OCTOBER, "4.00", invoice_id="LEV-2", **other)

    assert {each for (each,) in invoices(october, "status")} == {state}
    ((left,),) = october.rows("select sum(accrual_usd) from marts.fct_accruals")
    rounding = october.rows("""
        select sum(debit_usd - credit_usd) from marts.fct_journal_lines where role = 'rounding'
    """)
    differs = 140 + 4 * len(others) - Decimal("134.3333333336")
    assert (left, rounding) == ((-differs, [(None,)]) if state == "differs" else (0, [(differs,)]))


def test_an_invoice_that_is_accepted_after_the_close(october: Warehouse) -> None:
    """The next open month takes the accrual back, and books the difference as rounding."""
    invoiced(october, OCTOBER, "140.00")
    close(october, OCTOBER)
    october._con.execute("update finance.invoices set is_accepted = true")

    assert invoices(october, "booked_month", "amount_usd", "status", "is_booked") == [
        (OCTOBER, 140, "differs", True),
        (NOVEMBER, 0, "accepted", False),
    ]
    assert october.rows("""
        select role, sum(debit_usd - credit_usd) from marts.fct_journal_lines
        where booked_month = '2026-11-01' and kind = 'invoice' group by all order by all
    """) == [("expense", Decimal("-5.6666666664")), ("rounding", Decimal("5.6666666664"))]
    assert october.rows("from marts.fct_accruals where not is_booked and accrual_usd <> 0") == []

    close(october, NOVEMBER)
    assert invoices(october, "status", "is_booked")[-1] == ("accepted", True)
    october._con.execute("update finance.invoices set is_accepted = false")
    assert invoices(october, "booked_month", "status")[-1] == (DECEMBER, "differs")
    assert october.rows(
        "select sum(accrual_usd) from marts.fct_accruals where booked_month = '2026-12-01'"
    ) == [(Decimal("-5.6666666664"),)]
    assert october.rows(
        "select sum(debit_usd - credit_usd) from marts.fct_journal_lines where role = 'rounding'"
    ) == [(0,)]
    for name in (
        "accrual_entries_are_the_journals",
        "accruals_are_billed_less_invoiced",
        "accruals_are_reversed",
        "journal_expense_is_charges_and_adjustments",
        "payables_are_invoices",
    ):
        sql = (folder("queries") / "checks" / f"{name}.sql").read_text(encoding="utf-8")
        assert october.rows(sql) == []


def rounding(warehouse: Warehouse) -> Any:
    ((amount,),) = warehouse.rows("""
        select coalesce(sum(debit_usd - credit_usd), 0) from marts.fct_journal_lines
        where role = 'rounding'
    """)
    return amount


def accrued(warehouse: Warehouse) -> Any:
    ((amount,),) = warehouse.rows(
        "select coalesce(sum(accrual_usd), 0) from marts.fct_accruals where not is_booked"
    )
    return amount


@pytest.mark.parametrize("credit", ["100", "0"])
def test_a_free_invoice_that_is_accepted_before_its_bill_is_known(
    warehouse: Warehouse, credit: str
) -> None:
    """An invoice of nothing is settled as any other: the whole bill is rounding."""
    owned(warehouse)
    unknown = billed(warehouse, OCTOBER, "a-1", "100", billed_usd=None)
    invoiced(warehouse, OCTOBER, credit, credit_usd=credit, is_accepted=True)
    close(warehouse, OCTOBER)
    warehouse.replaced(
        unknown, "agent_billing_days", agent_id="a-1", date=OCTOBER.replace(day=10), cost_usd=100,
        billed_usd=100,
    )  # fmt: skip
    warehouse.build()

    assert warehouse.rows("select status from intermediate.int_invoice_months") == [("accepted",)]
    assert (accrued(warehouse), rounding(warehouse)) == (0, -100)


@pytest.mark.parametrize(
    "change",
    ["set is_accepted = false", "set invoice_id = 'LEV-X', is_accepted = false"],
)
def test_an_acceptance_that_is_taken_back(october: Warehouse, change: str) -> None:
    """What was rounding is accrued again, also if the invoice has another number then."""
    invoiced(october, OCTOBER, "140.00", is_accepted=True)
    close(october, OCTOBER)
    october._con.execute(f"update finance.invoices {change}")
    october.build()

    assert (accrued(october), rounding(october)) == (Decimal("-5.6666666664"), 0)


def test_an_acceptance_line_that_is_deleted(october: Warehouse) -> None:
    """A row of amount 0 books that nothing is accepted any more."""
    invoiced(october, OCTOBER, "0", is_accepted=True)
    close(october, OCTOBER)
    october._con.execute("delete from finance.invoices")

    assert invoices(october, "booked_month", "amount_usd", "status") == [
        (OCTOBER, 0, "accepted"),
        (NOVEMBER, 0, "not_invoiced"),
    ]
    assert (accrued(october), rounding(october)) == (Decimal("134.3333333336"), 0)


OCTOBERS_STATE = (
    "select status from intermediate.int_invoice_months where usage_month = '2026-10-01'"
)


def test_another_invoice_that_goes_accepts_no_change_of_the_bill(october: Warehouse) -> None:
    """What the bill changed is accrued still, once an invoice that nobody accepted is gone."""
    invoiced(october, OCTOBER, "134.33", is_accepted=True)
    close(october, OCTOBER)
    billed(october, OCTOBER, "a-2", "50", date=OCTOBER.replace(day=11))
    invoiced(october, OCTOBER, "10", invoice_id="LEV-2")
    close(october, NOVEMBER)
    october._con.execute("delete from finance.invoices where line = 3")
    october.build()

    assert october.rows(OCTOBERS_STATE) == [("differs",)]
    assert (accrued(october), rounding(october)) == (50, Decimal("-0.0033333336"))


@pytest.mark.parametrize("change", ["tax_usd = 9", "amount_usd = amount_usd + 9, credit_usd = 9"])
def test_a_tax_that_changes_accepts_no_change_of_the_bill(october: Warehouse, change: str) -> None:
    """Nor does an amount that its credit takes back: neither now, nor once it is booked."""
    invoiced(october, OCTOBER, "134.33", is_accepted=True)
    close(october, OCTOBER)
    billed(october, OCTOBER, "a-2", "50", date=OCTOBER.replace(day=11))
    october._con.execute(f"update finance.invoices set {change}")
    for month in (NOVEMBER, DECEMBER):
        october.build()
        assert october.rows(OCTOBERS_STATE) == [("differs",)]
        assert (accrued(october), rounding(october)) == (50, Decimal("-0.0033333336"))
        close(october, month)


def test_an_accepted_invoice_that_goes(october: Warehouse) -> None:
    """What then differs more than was accepted is accrued, and no rounding."""
    invoiced(october, OCTOBER, "120")
    invoiced(october, OCTOBER, "10", invoice_id="LEV-2")
    october._con.execute("update finance.invoices set is_accepted = true")
    close(october, OCTOBER)
    october._con.execute("delete from finance.invoices where line = 3")
    october.build()

    assert october.rows(OCTOBERS_STATE) == [("differs",)]
    assert (accrued(october), rounding(october)) == (Decimal("14.3333333336"), 0)


@pytest.mark.parametrize(("correction", "is_settled"), [("0.0099", True), ("50", False)])
def test_a_bill_that_changes_after_the_acceptance(
    october: Warehouse, correction: str, is_settled: bool
) -> None:
    """A later correction is accrued, unless it is immaterial, until it is accepted."""
    invoiced(october, OCTOBER, "140.00", is_accepted=True)
    close(october, OCTOBER)
    billed(october, OCTOBER, "a-2", correction, date=OCTOBER.replace(day=11))

    def november() -> tuple[Any, ...]:
        october.build()
        ((accrued,),) = october.rows(
            "select sum(accrual_usd) from marts.fct_accruals where not is_booked"
        )
        ((rounding,),) = october.rows("""
            select coalesce(sum(credit_usd - debit_usd), 0) from marts.fct_journal_lines
            where booked_month = '2026-11-01' and role = 'rounding'
        """)
        return accrued, rounding, *october.rows("select today from reports.rpt_invoices")[0]

    if is_settled:
        assert november() == (0, Decimal(correction), None)
        return
    assert november() == (50, 0, "differs since the adjustment booked in November 2026")
    invoiced(october, OCTOBER, "50", invoice_id="correction")
    assert november()[:2] == (0, 0)
    october._con.execute(
        "update finance.invoices set amount_usd = 0, is_accepted = true where line = 3"
    )
    assert november()[:2] == (0, 50)


def test_an_invoice_that_is_accepted_before_its_bill_is_known(october: Warehouse) -> None:
    """Once the bill is known, what differs is rounding; nothing stays accrued."""
    (unknown,) = october.row("select version_id from raw.agent_billing_days where agent_id is null")
    of = {"agent_id": None, "date": OCTOBER.replace(day=10), "cost_usd": 1}
    without = october.replaced(unknown, "agent_billing_days", billed_usd=None, **of)
    invoiced(october, OCTOBER, "140.00", is_accepted=True)
    close(october, OCTOBER)
    october.replaced(without, "agent_billing_days", billed_usd="1.0000000002", **of)
    october.build()

    accrued = "select sum(accrual_usd) from marts.fct_accruals where not is_booked"
    assert october.rows("select status from marts.fct_invoices") == [("bill_unknown",)]
    assert october.rows(accrued) == [(0,)]
    close(october, NOVEMBER)
    billed(october, OCTOBER, "a-2", "50", date=OCTOBER.replace(day=11))
    october.build()
    assert october.rows(accrued) == [(50,)]
    assert october.rows("select today from reports.rpt_invoices")[0] == (
        "differs since the bill is known",
    )
