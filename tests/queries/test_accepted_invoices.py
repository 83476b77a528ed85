"""What invoices differ from the bill by, over closes: settled as rounding, or accrued."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from analytics.resources import folder
from tests.queries.closing import close
from tests.queries.invoiced import DECEMBER, NOVEMBER, OCTOBER, billed, invoiced, invoices
from tests.transform.given import Warehouse

BILL = Decimal("134.3333333336")
"""The bill of October."""
CHECKS = (
    "accrual_entries_are_the_journals",
    "accruals_are_billed_less_invoiced",
    "accruals_are_reversed",
    "journal_expense_is_charges_and_adjustments",
    "payables_are_invoices",
)


def sums(warehouse: Warehouse) -> tuple[Any, Any]:
    """Build; what is accrued that no close has booked, and all rounding. Checks of both hold."""
    warehouse.build()
    for name in CHECKS:
        sql = (folder("queries") / "checks" / f"{name}.sql").read_text(encoding="utf-8")
        assert warehouse.rows(sql) == [], name
    (accrued,) = warehouse.row(
        "select coalesce(sum(accrual_usd), 0) from marts.fct_accruals where not is_booked"
    )
    (rounding,) = warehouse.row(
        "select coalesce(sum(debit_usd - credit_usd), 0) from marts.fct_journal_lines"
        " where role = 'rounding'"
    )
    return accrued, rounding


def test_an_acceptance_over_its_life(october: Warehouse) -> None:
    """Accepted after the close, what differs turns to rounding; taken back, it is accrued again."""
    invoiced(october, OCTOBER, "140.00")
    assert sums(october) == (BILL - 140, 0)
    close(october, OCTOBER)

    october._con.execute("update finance.invoices set is_accepted = true")
    assert sums(october) == (0, 140 - BILL)
    close(october, NOVEMBER)
    assert invoices(october, "status", "is_booked")[-1] == ("accepted", True)

    october._con.execute("update finance.invoices set is_accepted = false, invoice_id = 'LEV-X'")
    assert sums(october) == (BILL - 140, 0)
    assert invoices(october, "booked_month", "status")[-1] == (DECEMBER, "differs")


def test_a_bill_that_changes_after_the_acceptance(october: Warehouse) -> None:
    """What changes later is accrued, not rounding: from the limit of the settings on."""
    invoiced(october, OCTOBER, "140.00", is_accepted=True)
    close(october, OCTOBER)
    billed(october, OCTOBER, "a-2", "0.0099", date=OCTOBER.replace(day=11))
    assert sums(october) == (0, 140 - BILL - Decimal("0.0099"))
    billed(october, OCTOBER, "a-2", "50", date=OCTOBER.replace(day=12))
    assert sums(october) == (Decimal("50.0099"), 140 - BILL)
    assert october.rows("select today from reports.rpt_invoices") == [
        ("differs since the adjustment booked in November 2026",)
    ]

    invoiced(october, OCTOBER, "0", invoice_id="correction", is_accepted=True)
    assert sums(october) == (0, 140 - BILL - Decimal("50.0099"))


def test_an_invoice_that_is_accepted_before_its_bill_is_known(october: Warehouse) -> None:
    """Once the bill is known, what differs is rounding; what changes later is accrued."""
    (unknown,) = october.row("select version_id from raw.agent_billing_days where agent_id is null")
    of = {"agent_id": None, "date": OCTOBER.replace(day=10), "cost_usd": 1}
    without = october.replaced(unknown, "agent_billing_days", billed_usd=None, **of)
    invoiced(october, OCTOBER, "140.00", is_accepted=True)
    close(october, OCTOBER)
    october.replaced(without, "agent_billing_days", billed_usd="1.0000000002", **of)

    assert sums(october) == (0, 140 - BILL)
    assert october.rows("select status from marts.fct_invoices") == [("bill_unknown",)]
    close(october, NOVEMBER)
    billed(october, OCTOBER, "a-2", "50", date=OCTOBER.replace(day=11))
    assert sums(october) == (50, 140 - BILL)
    assert october.rows("select today from reports.rpt_invoices")[0] == (
        "differs since the bill is known",
    )


@pytest.mark.parametrize(
    ("before", "after", "booked", "kinds"),
    [
        ("0.01", "1", ("differs", Decimal("-0.02")), ["reversal", "settlement"]),
        ("1", "0.01", ("matched", 0), []),
    ],
)
def test_a_limit_that_changes_changes_no_closed_month(
    october: Warehouse, before: str, after: str, booked: tuple[str, Any], kinds: list[str]
) -> None:
    """What a close booked stays; the next month settles what is immaterial now, and no more."""
    limit = "update finance.limits set materiality_usd = ?"
    of_books = "from marts.fct_journal_lines where booked_month = '2026-10-01' order by all"
    billed(october, NOVEMBER, "a-1", "0")
    october._con.execute(limit, [before])
    invoiced(october, OCTOBER, str(BILL + Decimal("0.02")))
    close(october, OCTOBER)
    closed = october.rows(of_books)
    october._con.execute(limit, [after])

    assert sums(october) == (0, Decimal("0.02"))
    assert october.rows(of_books) == closed
    assert booked == october.row(
        "select any_value(status),"
        " (select sum(accrual_usd) from marts.fct_accruals where is_booked)"
        " from marts.fct_invoices where is_booked"
    )
    assert kinds == [
        kind
        for (kind,) in october.rows(
            "select distinct kind from marts.fct_journal_lines"
            " where booked_month = '2026-11-01' order by 1"
        )
    ]


def test_a_closed_month_is_shown_as_booked(october: Warehouse) -> None:
    """Pages show state and difference as booked, and beside them what they would be today."""
    invoiced(october, OCTOBER, "134.35")
    close(october, OCTOBER)
    (version,) = october.row("select version_id from raw.agent_billing_days where agent_id = 'a-1'")
    of = {"agent_id": "a-1", "date": OCTOBER.replace(day=10), "cost_usd": "100.0166666665"}
    october.replaced(version, "agent_billing_days", billed_usd="100.0166666665", **of)
    as_booked = "differs", Decimal("0.0166666664")
    shown = """
        select state, difference_usd, today, today_difference_usd from reports.rpt_invoices
        order by booked_month, invoice_id
    """
    october.build()
    assert october.rows(shown) == [
        (*as_booked, "matched since the adjustment booked in November 2026", 0)
    ]

    invoiced(october, OCTOBER, "5", invoice_id="LEV-2")
    october.build()
    assert october.rows(shown) == [(*as_booked, None, 5), ("differs", 5, None, None)]

    october._con.execute("update finance.invoices set is_accepted = true")
    october.build()
    assert october.rows(shown)[:2] == [
        (*as_booked, "accepted since a change of invoices booked in November 2026", 5),
        ("accepted", 5, None, None),
    ]
