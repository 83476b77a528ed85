"""Invoices against the bill: what matches, what differs and by which days, and what is late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics.resources import folder
from tests.queries.closing import close
from tests.queries.invoiced import (
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    billed,
    invoiced,
    invoices,
    owned,
)
from tests.transform.given import Warehouse


def closed(warehouse: Warehouse, *months: date) -> None:
    for month in months:
        warehouse.insert("finance.closings", month=month, revision=1, status="closed")


@pytest.mark.parametrize(
    ("amount", "credit", "state", "difference"),
    [
        ("134.33", 0, "matched", "-0.0033333336"),
        ("134.34", 0, "matched", "0.0066666664"),
        ("134.35", 0, "differs", "0.0166666664"),
        ("134.32", 0, "differs", "-0.0133333336"),
        ("140.00", "5.67", "matched", "-0.0033333336"),
        ("134.33", "1.00", "differs", "-1.0033333336"),
    ],
)
def test_state(october: Warehouse, amount: str, credit: str, state: str, difference: str) -> None:
    """An invoice less its credit matches the bill to a cent, or differs by what is shown."""
    invoiced(october, OCTOBER, amount, credit_usd=credit)

    assert invoices(october, "status", "difference_usd") == [(state, Decimal(difference))]


def test_an_accrual_that_leaves_out_what_is_billed(october: Warehouse) -> None:
    """Accruals and accrued entries that agree are still held against the bill and its invoices."""
    invoiced(october, OCTOBER, "100")
    october.build()
    sql = (folder("queries") / "checks" / "accruals_are_billed_less_invoiced.sql").read_text(
        "utf-8"
    )
    before = october.rows(sql)

    october.con.execute("update marts.fct_accruals set accrual_usd = 0")
    october.con.execute("delete from marts.fct_journal_lines where role = 'accrued'")

    assert before == []
    assert october.rows(sql) == [(OCTOBER, "w-1", OCTOBER, 0, Decimal("34.3333333336"), 0)]


def test_tax_is_in_no_cost(october: Warehouse) -> None:
    """Tax stands apart, and makes no difference to the bill."""
    invoiced(october, OCTOBER, "134.33", tax_usd="25.52")

    assert invoices(october, "status", "tax_usd", "invoiced_usd") == [
        ("matched", Decimal("25.52"), Decimal("134.33"))
    ]


def test_two_invoices_for_a_month(october: Warehouse) -> None:
    """All invoices of a month are matched together."""
    invoiced(october, OCTOBER, "100", invoice_id="LEV-1")
    invoiced(october, OCTOBER, "34.33", invoice_id="LEV-2")

    assert invoices(october, "invoice_id", "amount_usd", "status", "invoiced_usd") == [
        ("LEV-1", 100, "matched", Decimal("134.33")),
        ("LEV-2", Decimal("34.33"), "matched", Decimal("134.33")),
    ]


def test_a_month_without_an_invoice(october: Warehouse) -> None:
    """A month that is billed and not invoiced has a line that says so."""
    assert invoices(october, "usage_month", "invoice_id", "status", "difference_usd") == [
        (OCTOBER, "(none)", "not_invoiced", Decimal("-134.3333333336"))
    ]


def test_an_invoice_for_a_month_before_the_figures(october: Warehouse) -> None:
    """An invoice for a month that is not billed here is shown and not booked."""
    invoiced(october, SEPTEMBER, "99")
    invoiced(october, OCTOBER, "134.33")

    assert invoices(october, "usage_month", "status", "difference_usd") == [
        (SEPTEMBER, "before_the_books", None),
        (OCTOBER, "matched", Decimal("-0.0033333336")),
    ]
    assert october.rows("select distinct booked_month from marts.fct_journal_lines") == [(OCTOBER,)]


def test_months_before_the_books(october: Warehouse) -> None:
    """A month before the first closed one has no journal, and its invoice is not booked."""
    billed(october, NOVEMBER, "a-1", "7")
    closed(october, NOVEMBER)
    invoiced(october, OCTOBER, "134.33")

    assert invoices(october, "usage_month", "booked_month", "status") == [
        (OCTOBER, OCTOBER, "before_the_books")
    ]
    assert october.rows("select distinct usage_month from marts.fct_accruals") == [(NOVEMBER,)]


def test_an_invoice_that_comes_after_the_close(october: Warehouse) -> None:
    """An invoice that is new when its month is closed is booked in the next open month."""
    closed(october, OCTOBER, NOVEMBER)
    invoiced(october, OCTOBER, "134.33")

    assert invoices(october, "usage_month", "booked_month", "status", "is_booked") == [
        (OCTOBER, DECEMBER, "matched", False)
    ]
    assert october.rows(
        "select month, usage_month, amount_usd from reports.rpt_booked_invoices"
    ) == [(DECEMBER, OCTOBER, Decimal("134.33"))]


@pytest.mark.parametrize(
    ("amount", "change", "state"),
    [("134.35", "0.02", "differs"), (None, "-134.33", "not_invoiced")],
)
def test_an_invoice_that_changes_after_the_close(
    october: Warehouse, amount: str | None, change: str, state: str
) -> None:
    """Of an invoice that a close booked, the next open month books the change, or takes it back."""
    closed(october, OCTOBER)
    booked = {
        "usage_month": OCTOBER, "workspace_id": "w-1", "invoice_id": "LEV-2026-10", "tax_usd": 0,
        "booked_month": OCTOBER, "amount_usd": "134.33", "credit_usd": 0, "status": "matched",
    }  # fmt: skip
    october.insert("finance.closed_invoices", **booked)
    if amount:
        invoiced(october, OCTOBER, amount)

    assert invoices(october, "booked_month", "amount_usd", "status", "is_booked") == [
        (OCTOBER, Decimal("134.33"), "matched", True),
        (NOVEMBER, Decimal(change), state, False),
    ]


def test_an_invoice_that_did_not_change(october: Warehouse) -> None:
    """An invoice that a close booked is not booked again."""
    closed(october, OCTOBER)
    booked = {
        "usage_month": OCTOBER, "workspace_id": "w-1", "invoice_id": "LEV-2026-10", "tax_usd": 0,
        "booked_month": OCTOBER, "amount_usd": "134.33", "credit_usd": 0, "status": "matched",
    }  # fmt: skip
    october.insert("finance.closed_invoices", **booked)
    invoiced(october, OCTOBER, "134.33")

    assert invoices(october, "booked_month", "is_booked") == [(OCTOBER, True)]


def test_an_invoice_by_cost_center(october: Warehouse) -> None:
    """An invoice is shared out in proportion to the bill, and adds up to its last digit."""
    invoiced(october, OCTOBER, "134.34")
    october.build()

    lines = october.rows(
        "select cost_center, account, invoiced_usd from intermediate.int_invoice_lines order by 1"
    )

    assert lines == [
        ("(none)", "6200", Decimal("1.0000496279")),
        ("CC-1", "6210", Decimal("100.0049627791")),
        ("CC-2", "6220", Decimal("33.3349875930")),
    ]
    assert sum(usd for *_, usd in lines) == Decimal("134.34")


def test_an_invoice_for_nothing_billed(warehouse: Warehouse) -> None:
    """An invoice of a month in which nothing is billed is at no cost center."""
    owned(warehouse)
    billed(warehouse, OCTOBER, "a-1", "1")
    invoiced(warehouse, NOVEMBER, "5")
    warehouse.build()

    assert warehouse.rows(
        "select usage_month, cost_center, account, invoiced_usd from intermediate.int_invoice_lines"
    ) == [(NOVEMBER, "(none)", "6200", 5)]


def read_on(warehouse: Warehouse, day: date, *of: date) -> str:
    """A load of a batch at five o'clock of a day, which read the bill of other days."""
    load_id = f"{day:%Y%m%d}T050000Z-004-meters"
    for number, each in enumerate(of, start=1):
        warehouse.insert(
            "ledger.requests", workspace_id="w-1", load_id=load_id, request=number, status=200,
            source="agent_billing_days", window_start=each, window_end=each + timedelta(days=1),
        )  # fmt: skip
    return load_id


def explaining(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    warehouse.con.execute(
        "update ledger.workspaces set last_batch_at = ?", [datetime(2026, 11, 28, tzinfo=UTC)]
    )
    warehouse.build()
    return warehouse.rows("""
        select utc_date, billed_when_issued_usd, billed_usd, changed_usd, load_id
        from intermediate.int_invoice_days where changed_usd <> 0
    """)


def test_days_that_explain_a_difference(october: Warehouse) -> None:
    """A day whose bill changed after the invoice was issued is named, with both amounts."""
    tenth = OCTOBER.replace(day=10)
    read_on(october, NOVEMBER, tenth)
    later = read_on(october, NOVEMBER.replace(day=10), tenth)
    (first,) = october.row("select version_id from raw.agent_billing_days where agent_id = 'a-1'")
    october.replaced(
        first, "agent_billing_days", load_id=later, agent_id="a-1", date=tenth, cost_usd=105,
        billed_usd=105,
    )  # fmt: skip
    invoiced(october, OCTOBER, "135.33")

    assert explaining(october) == [
        (
            tenth,
            Decimal("134.3333333336"),
            Decimal("139.3333333335"),
            Decimal("4.9999999999"),
            later,
        )
    ]


@pytest.mark.parametrize("bills", [(None, 5), (5, None)])
def test_a_day_whose_bill_was_unknown(october: Warehouse, bills: tuple[int | None, ...]) -> None:
    """A bill that is known in part, when issued or today, is unknown, and so is its change."""
    tenth = OCTOBER.replace(day=10)
    early, later = (read_on(october, NOVEMBER.replace(day=day), tenth) for day in (1, 10))
    issued, today = ({"agent_id": "a-3", "cost_usd": 5, "billed_usd": each} for each in bills)
    first = october.given("agent_billing_days", load_id=early, date=tenth, **issued)
    if None in bills[1:]:
        close(october, OCTOBER)  # the books hold what is unknown today, so that the month is known
    october.replaced(first, "agent_billing_days", load_id=later, date=tenth, **today)
    invoiced(october, OCTOBER, "135.33")
    october.build()

    known = Decimal("139.3333333336")
    assert october.rows(
        "select billed_when_issued_usd, billed_usd, changed_usd from intermediate.int_invoice_days"
    ) == [(None if None in bills[:1] else known, None if None in bills[1:] else known, None)]


def test_days_that_were_first_read_whole_after_the_issue(october: Warehouse) -> None:
    """A day that was read in part, or not at all, has changed only since it was read whole."""
    part, late, quiet = (OCTOBER.replace(day=day) for day in (29, 30, 31))
    in_part = read_on(october, part, part)
    whole = read_on(october, NOVEMBER.replace(day=4), part, late, quiet)
    changing = read_on(october, NOVEMBER.replace(day=11), late, quiet)
    first = billed(october, OCTOBER, "a-1", "1", date=part, load_id=in_part)
    october.replaced(
        first, "agent_billing_days", load_id=whole, agent_id="a-1", date=part, cost_usd=2,
        billed_usd=2,
    )  # fmt: skip
    read = billed(october, OCTOBER, "a-1", "1.0782860580", date=late, load_id=whole)
    october.replaced(
        read, "agent_billing_days", load_id=changing, agent_id="a-1", date=late,
        cost_usd="1.0846860580", billed_usd="1.0846860580",
    )  # fmt: skip
    billed(october, OCTOBER, "a-2", "3", date=quiet, load_id=changing)
    invoiced(october, OCTOBER, "200")

    assert explaining(october) == [
        (late, Decimal("1.0782860580"), Decimal("1.0846860580"), Decimal("0.0064"), changing),
        (quiet, 0, 3, 3, changing),
    ]


@pytest.mark.parametrize(("amount", "is_accepted"), [("1", False), ("2", True)])
def test_a_settled_month_has_no_such_days(
    october: Warehouse, amount: str, is_accepted: bool
) -> None:
    """Days are named for months that differ only, and not for accepted ones."""
    tenth = OCTOBER.replace(day=10)
    read_on(october, NOVEMBER, tenth)
    later = read_on(october, NOVEMBER.replace(day=10), tenth)
    billed(october, OCTOBER, "a-3", amount, load_id=later)
    invoiced(october, OCTOBER, "135.33", is_accepted=is_accepted)
    october.build()

    assert october.rows("from intermediate.int_invoice_days") == []


def test_a_day_that_changes_after_the_acceptance(october: Warehouse) -> None:
    """It is named: what was accepted when the month closed does not cover it."""
    tenth = OCTOBER.replace(day=10)
    read_on(october, NOVEMBER, tenth)
    invoiced(october, OCTOBER, "140.00", is_accepted=True)
    close(october, OCTOBER)
    later = read_on(october, NOVEMBER.replace(day=10), tenth)
    billed(october, OCTOBER, "a-3", "1", load_id=later)

    assert [(day, changed) for day, *_, changed, _ in explaining(october)] == [(tenth, 1)]


def test_a_closed_month_is_shown_as_booked(october: Warehouse) -> None:
    """Pages show state and difference as booked, and beside them what they would be today."""
    invoiced(october, OCTOBER, "134.35")
    close(october, OCTOBER)
    (version,) = october.row("select version_id from raw.agent_billing_days where agent_id = 'a-1'")
    of = {"agent_id": "a-1", "date": OCTOBER.replace(day=10), "cost_usd": "100.0166666665"}
    october.replaced(version, "agent_billing_days", billed_usd="100.0166666665", **of)
    as_booked = "differs", Decimal("0.0166666664")
    booked = "select state, difference_usd, today, today_difference_usd from reports.rpt_invoices"
    october.build()

    assert october.rows(booked) == [
        (*as_booked, "matched since the adjustment booked in November 2026", 0)
    ]

    invoiced(october, OCTOBER, "5", invoice_id="LEV-2")
    october.build()
    assert october.rows(f"{booked} order by booked_month") == [
        (*as_booked, None, 5),
        ("differs", 5, None, None),
    ]
    october._con.execute("update finance.invoices set is_accepted = true")
    october.build()
    assert october.rows(f"{booked} order by booked_month, invoice_id")[:2] == [
        (*as_booked, "accepted since a change of invoices booked in November 2026", 5),
        ("accepted", 5, None, None),
    ]
