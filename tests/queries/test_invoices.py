"""Invoices against the bill: what matches, what differs and by which days, and what is late."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics.transform.checks import run_checks
from tests.queries.closing import close
from tests.queries.invoiced import (
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    billed,
    invoiced,
    owned,
)
from tests.transform.given import Warehouse

# Of rows that no load has made, no close can name the loads.
UNTRIED = "closed_lines_are_what_their_loads_gave"


@pytest.fixture
def october(warehouse: Warehouse) -> Warehouse:
    """A month that is billed at 134.3333333336 US dollars."""
    owned(warehouse)
    for agent_id, usd in (
        ("a-1", "100.0000000001"),
        ("a-2", "33.3333333333"),
        (None, "1.0000000002"),
    ):
        billed(warehouse, OCTOBER, agent_id, usd, load_id="20261101T050000Z-004-meters")
    return warehouse


def closed(warehouse: Warehouse, *months: date) -> None:
    for month in months:
        warehouse.insert("finance.closings", month=month, revision=1, state="closed")


def invoices(warehouse: Warehouse, *columns: str) -> list[tuple[Any, ...]]:
    warehouse.build()
    return warehouse.rows(
        f"select {', '.join(columns)} from marts.fct_invoices order by booked_month, invoice_id"
    )


@pytest.mark.parametrize(
    ("amount", "credit", "state", "difference"),
    [
        ("134.33", 0, "matched", "-0.0033333336"),
        ("134.34", 0, "differs", "0.0066666664"),
        ("134.32", 0, "differs", "-0.0133333336"),
        ("140.00", "5.67", "matched", "-0.0033333336"),
        ("134.33", "1.00", "differs", "-1.0033333336"),
    ],
)
def test_state(october: Warehouse, amount: str, credit: str, state: str, difference: str) -> None:
    """An invoice less its credit matches the bill in whole cents, or differs by what is shown."""
    invoiced(october, OCTOBER, amount, credit_usd=credit)

    assert invoices(october, "state", "difference_usd") == [(state, Decimal(difference))]


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

    assert {each for (each,) in invoices(october, "state")} == {state}
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
    october.con.execute("update finance.invoices set is_accepted = true")

    assert invoices(october, "booked_month", "amount_usd", "state", "is_booked") == [
        (OCTOBER, 140, "differs", True),
        (NOVEMBER, 0, "accepted", False),
    ]
    assert october.rows("""
        select role, sum(debit_usd - credit_usd) from marts.fct_journal_lines
        where month = '2026-11-01' and kind = 'invoice' group by all order by all
    """) == [("expense", Decimal("-5.6666666664")), ("rounding", Decimal("5.6666666664"))]
    assert october.rows("from marts.fct_accruals where not is_booked and accrual_usd <> 0") == []

    close(october, NOVEMBER)
    assert invoices(october, "state", "is_booked")[-1] == ("accepted", True)
    october.con.execute("update finance.invoices set is_accepted = false")
    assert invoices(october, "booked_month", "state")[-1] == (DECEMBER, "differs")
    october.build_all()
    failed = [each for each in run_checks(october.con) if not each.ok and not each.control]
    assert [each.name for each in failed if each.name != UNTRIED] == []


def test_tax_is_in_no_cost(october: Warehouse) -> None:
    """Tax stands apart, and makes no difference to the bill."""
    invoiced(october, OCTOBER, "134.33", tax_usd="25.52")

    assert invoices(october, "state", "tax_usd", "invoiced_usd") == [
        ("matched", Decimal("25.52"), Decimal("134.33"))
    ]


def test_two_invoices_for_a_month(october: Warehouse) -> None:
    """All invoices of a month are matched together, by the workspace's name or identifier."""
    invoiced(october, OCTOBER, "100", invoice_id="LEV-1", workspace="bakery")
    invoiced(october, OCTOBER, "34.33", invoice_id="LEV-2", workspace="w-1")

    assert invoices(october, "invoice_id", "amount_usd", "state", "invoiced_usd") == [
        ("LEV-1", 100, "matched", Decimal("134.33")),
        ("LEV-2", Decimal("34.33"), "matched", Decimal("134.33")),
    ]


def test_a_month_without_an_invoice(october: Warehouse) -> None:
    """A month that is billed and not invoiced has a line that says so."""
    assert invoices(october, "month", "invoice_id", "state", "difference_usd") == [
        (OCTOBER, "(none)", "not_invoiced", Decimal("-134.3333333336"))
    ]


def test_an_invoice_for_a_month_before_the_figures(october: Warehouse) -> None:
    """An invoice for a month that is not billed here is shown and not booked."""
    invoiced(october, SEPTEMBER, "99")
    invoiced(october, OCTOBER, "134.33")

    assert invoices(october, "month", "state", "difference_usd") == [
        (SEPTEMBER, "before_the_books", None),
        (OCTOBER, "matched", Decimal("-0.0033333336")),
    ]
    assert october.rows("select distinct month from marts.fct_journal_lines") == [(OCTOBER,)]


def test_months_before_the_books(october: Warehouse) -> None:
    """A month before the first closed one has no journal, and its invoice is not booked."""
    billed(october, NOVEMBER, "a-1", "7")
    closed(october, NOVEMBER)
    invoiced(october, OCTOBER, "134.33")

    assert invoices(october, "month", "booked_month", "state") == [
        (OCTOBER, OCTOBER, "before_the_books")
    ]
    assert october.rows("select distinct usage_month from marts.fct_accruals") == [(NOVEMBER,)]


def test_an_invoice_that_comes_after_the_close(october: Warehouse) -> None:
    """An invoice that is new when its month is closed is booked in the next open month."""
    closed(october, OCTOBER, NOVEMBER)
    invoiced(october, OCTOBER, "134.33")

    assert invoices(october, "month", "booked_month", "state", "is_booked") == [
        (OCTOBER, DECEMBER, "matched", False)
    ]


@pytest.mark.parametrize(
    ("amount", "change", "state"),
    [("134.34", "0.01", "differs"), (None, "-134.33", "not_invoiced")],
)
def test_an_invoice_that_changes_after_the_close(
    october: Warehouse, amount: str | None, change: str, state: str
) -> None:
    """Of an invoice that a close booked, the next open month books the change, or takes it back."""
    closed(october, OCTOBER)
    booked = {
        "month": OCTOBER, "workspace_id": "w-1", "invoice_id": "LEV-2026-10", "tax_usd": 0,
        "booked_month": OCTOBER, "amount_usd": "134.33", "credit_usd": 0, "state": "matched",
    }  # fmt: skip
    october.insert("finance.closed_invoices", **booked)
    if amount:
        invoiced(october, OCTOBER, amount)

    assert invoices(october, "booked_month", "amount_usd", "state", "is_booked") == [
        (OCTOBER, Decimal("134.33"), "matched", True),
        (NOVEMBER, Decimal(change), state, False),
    ]


def test_an_invoice_that_did_not_change(october: Warehouse) -> None:
    """An invoice that a close booked is not booked again."""
    closed(october, OCTOBER)
    booked = {
        "month": OCTOBER, "workspace_id": "w-1", "invoice_id": "LEV-2026-10", "tax_usd": 0,
        "booked_month": OCTOBER, "amount_usd": "134.33", "credit_usd": 0, "state": "matched",
    }  # fmt: skip
    october.insert("finance.closed_invoices", **booked)
    invoiced(october, OCTOBER, "134.33")

    assert invoices(october, "booked_month", "is_booked") == [(OCTOBER, True)]


def test_an_invoice_by_cost_center(october: Warehouse) -> None:
    """An invoice is shared out in proportion to the bill, and adds up to its last digit."""
    invoiced(october, OCTOBER, "134.34")
    october.build()

    lines = october.rows(
        "select cost_center, account, invoiced_usd from marts.fct_invoice_lines order by 1"
    )

    assert lines == [
        ("(none)", "6200", Decimal("1.0000496280")),
        ("CC-1", "6210", Decimal("100.0049627791")),
        ("CC-2", "6220", Decimal("33.3349875929")),
    ]
    assert sum(usd for *_, usd in lines) == Decimal("134.34")


def test_an_invoice_for_nothing_billed(warehouse: Warehouse) -> None:
    """An invoice of a month in which nothing is billed is at no cost center."""
    owned(warehouse)
    billed(warehouse, OCTOBER, "a-1", "1")
    invoiced(warehouse, NOVEMBER, "5")
    warehouse.build()

    assert warehouse.rows(
        "select month, cost_center, account, invoiced_usd from marts.fct_invoice_lines"
    ) == [(NOVEMBER, "(none)", "6200", 5)]


def test_days_that_explain_a_difference(october: Warehouse) -> None:
    """A day whose bill changed after the invoice was issued is named, with both amounts."""
    (first,) = october.row("select version_id from raw.agent_billing_days where agent_id = 'a-1'")
    october.replaced(
        first, "agent_billing_days", load_id="20261110T050000Z-004-meters", agent_id="a-1",
        date=OCTOBER.replace(day=10), cost_usd=105, billed_usd=105,
    )  # fmt: skip
    billed(october, OCTOBER, "a-2", "1", date=OCTOBER.replace(day=12))
    invoiced(october, OCTOBER, "135.33")
    october.con.execute(
        "update ledger.workspaces set last_batch_at = ?", [datetime(2026, 11, 28, tzinfo=UTC)]
    )
    october.build()

    assert october.rows("""
        select utc_date, billed_when_issued_usd, billed_usd, changed_usd, load_id
        from marts.fct_invoice_days where changed_usd <> 0
    """) == [
        (
            date(2026, 10, 10), Decimal("134.3333333336"), Decimal("139.3333333335"),
            Decimal("4.9999999999"), "20261110T050000Z-004-meters",
        )
    ]  # fmt: skip


def test_a_matched_month_has_no_such_days(october: Warehouse) -> None:
    """Days are named for months that differ only."""
    invoiced(october, OCTOBER, "134.33")
    october.build()

    assert october.rows("from marts.fct_invoice_days") == []
