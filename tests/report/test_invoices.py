"""Invoices and accruals on the page of a month."""

from __future__ import annotations

from decimal import Decimal

from analytics.format import numbers
from tests.report.pages import Page, Site
from tests.report.published import Asked


def _october(batches: Site, workspace: str) -> Page:
    (found,) = (page for page in batches.workspaces if workspace in page.root.all("h1")[0].text)
    return Page(found.path.with_suffix("") / "2026-10.html")


def test_an_invoice_stands_beside_the_bill(batches: Site, sql: Asked) -> None:
    """The page of the month has the invoice, the bill, what differs, and the days to look at."""
    page = _october(batches, "Northlight Studio")

    (bill,) = sql.rows("""
        select sum(billed_usd) as usd from published.marts.fct_charges
        where workspace_name = 'Northlight Studio' and date_trunc('month', utc_date) = '2026-10-01'
    """)
    _, invoice = page.table("month-invoices-table")
    assert invoice == [
        "\u2068=<i>LEV</i>\u2069".strip("\u2068\u2069"), "2 November 2026", "October 2026",
        "$1,234.50", "$0.25", "$3.10", numbers.usd(bill["usd"]),
        numbers.usd_signed(1234 + Decimal("0.25") - bill["usd"]), "✕ differs",
        "\u2013", "\u2013",
    ]  # fmt: skip


def test_a_month_without_an_invoice_has_no_such_table(batches: Site) -> None:
    """The other workspace has no invoice, and so no section of invoices."""
    page = _october(batches, "Hearth & Grain")

    assert 'id="invoices"' not in page.source
    assert page.table("month-accruals-table")


def test_accruals_add_up(batches: Site, sql: Asked) -> None:
    """The accruals of a month that is not invoiced are its bill, by cost center."""
    page = _october(batches, "Hearth & Grain")

    _, *_, total = page.table("month-accruals-table")

    (bill,) = sql.rows("""
        select sum(billed_usd) as usd from published.marts.fct_charges
        where workspace_name = 'Hearth & Grain' and date_trunc('month', utc_date) = '2026-10-01'
    """)
    assert total[3:6] == [numbers.usd(bill["usd"]), "$0.00", numbers.usd(bill["usd"])]
