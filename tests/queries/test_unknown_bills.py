"""Bills that the API does not give: what a close books of their month, and takes back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from analytics.report.entities import QUERIES, Entities
from analytics.transform.checks import run_checks
from analytics.transform.page_queries import create_queries
from tests.queries.closing import close
from tests.queries.invoiced import NOVEMBER, invoiced, owned
from tests.queries.metered import asked, metered
from tests.transform.given import Warehouse

OPEN = "from marts.fct_accruals where not is_booked and usage_month = '2026-11-01'"
NOT_GIVEN = {"roll_ups_agree_with_the_hourly_meter"}
"""Checks of rows that this warehouse has in part only."""


def test_a_month_with_a_refused_bill(warehouse: Warehouse) -> None:
    """Its known day is accrued, pages name the unknown ones, and no invoice of it stays booked."""
    warehouse._con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    asked(warehouse, "2026-08-31", "2026-12-06", agent_billing_days="2026-11-11")
    for month in (9, 10, 11):
        metered(warehouse, date=f"2026-{month}-10", hour=f"2026-{month}-10 09:00Z")
    owned(warehouse)
    invoiced(warehouse, NOVEMBER, "5", is_accepted=True, issued_on=date(2026, 11, 30))
    warehouse.build_all()

    assert warehouse.rows(f"select sum(accrual_usd) {OPEN}") == [(2 - 5,)]
    assert warehouse.rows("from marts.fct_journal_lines where role = 'rounding'") == []
    create_queries(warehouse.con, QUERIES)
    site: dict[str, Any] = Entities(warehouse.con).document(lambda _: [])
    assert site["workspaces"][0]["unbilled"] == [
        NOVEMBER + timedelta(days=each) for each in range(10, 35)
    ]
    assert {each.name for each in run_checks(warehouse.con) if not each.ok} <= NOT_GIVEN

    close(warehouse, NOVEMBER)
    warehouse._con.execute("delete from finance.invoices")
    warehouse.build()
    assert warehouse.rows(f"select sum(invoiced_usd) {OPEN}") == [(0,)]
