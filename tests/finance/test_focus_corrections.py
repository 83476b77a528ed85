"""Corrections of closed months in FOCUS: the four scenarios of the specification, and our own.

https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, closed_billing_period.md
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.finance.focus import Row, build, close, read_from, rows, used
from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse, warehouse

__all__ = ["warehouse"]

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
PERIODS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
AMOUNTS = (
    "EffectiveCost", "BilledCost", "ContractedCost", "ListCost", "PricingQuantity",
    "ConsumedQuantity",
)  # fmt: skip


def as_closed(warehouse: Warehouse) -> None:
    """May as it is closed: a day and an agent or two for each scenario, and an invoice a month."""
    read_from(warehouse, MAY)
    for agent_id in ("r-111", "r-222", "r-333", "r-444", "r-555", "r-666"):
        warehouse.given("agents", agent_id=agent_id, agent_name=agent_id, agent_slug=agent_id)
    warehouse.given("provider_keys", provider="openai", created_at="2026-01-01 00:00Z")
    used(warehouse, MAY, "1500", "1500", agent_id="r-111", tokens_in=900, tokens_out=100)
    for model in ("usg-123", "usg-456"):
        used(warehouse, date(2026, 5, 3), "3", agent_id="r-333", model=model)
    used(warehouse, date(2026, 5, 3), None, "6", agent_id="r-333", cost_of_day="6")
    used(warehouse, date(2026, 5, 4), None, "7", agent_id="r-444", cost_of_day="7")
    used(warehouse, date(2026, 5, 5), "5", "0.1", agent_id="r-555", provider="openai", model="gpt")
    used(warehouse, date(2026, 5, 6), "4", "4", agent_id="r-666")
    used(warehouse, date(2026, 6, 1), "1", "1", agent_id="r-111")
    own(warehouse, {"agent": "r-666", "owner": "Bread"})
    for line, (number, month) in enumerate((("INV-5", MAY), ("INV-6", JUNE)), start=2):
        warehouse.insert(
            "finance.invoices", line=line, invoice_id=number, workspace_id=WORKSPACE, month=month,
            issued_on=month.replace(day=8), amount_usd=1000, credit_usd=0, tax_usd=0,
        )  # fmt: skip


def as_corrected(warehouse: Warehouse) -> None:
    """May as the API has it after the close."""
    warehouse._con.execute("""
        update raw.usage_hours set cost_usd = 1200, tokens_in = 720, tokens_out = 80
        where agent_id = 'r-111' and date = '2026-05-01';
        update raw.agent_billing_days set cost_usd = 1200, billed_usd = 1200
        where agent_id = 'r-111' and date = '2026-05-01';
        update raw.agent_billing_days set billed_usd = 6.002 where agent_id = 'r-333';
        update raw.agent_billing_days set billed_usd = 7.002 where agent_id = 'r-444';
        update raw.usage_hours set cost_usd = 8 where agent_id = 'r-555';
        update raw.agent_billing_days set cost_usd = 8, billed_usd = 0.16
        where agent_id = 'r-555'
    """)
    used(warehouse, MAY, "300", "300", agent_id="r-222", tokens_in=180, tokens_out=20)
    used(warehouse, date(2026, 5, 2), "2", "2", agent_id="r-222")
    own(warehouse, {"agent": "r-666", "owner": "Cake", "cost_center": "C-1"})


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Row], list[Row]]]:
    """The rows of May as closed, and those of June that correct it."""
    folder = tmp_path_factory.mktemp("corrected")
    (folder / "books").mkdir()
    with empty_warehouse(folder / "data") as warehouse:
        as_closed(warehouse)
        build(warehouse)
        original = rows(warehouse, folder, MAY)
        close(warehouse, folder / "books", MAY)
        as_corrected(warehouse)
        build(warehouse)
        again = folder / "again"
        again.mkdir()
        assert rows(warehouse, again, MAY) == original
        found = [row for row in rows(warehouse, folder, JUNE) if row["ChargeClass"]]
        yield original, found


def of_day(found: list[Row], day: str) -> list[Row]:
    return [row for row in found if row["ChargePeriodStart"] == f"2026-05-{day}T00:00:00Z"]


def amounts(row: Row) -> list[Decimal | None]:
    return [Decimal(row[name]) if row[name] else None for name in AMOUNTS]


def test_scenario_1_a_reallocation_to_another_resource(
    corrected: tuple[list[Row], list[Row]],
) -> None:
    """The charge is reversed, and there is a row for each resource, as in the ledger style."""
    original, found = corrected
    (was,) = of_day(original, "01")
    reversed_, corrected_, added = of_day(found, "01")

    assert [row["ResourceId"] for row in (reversed_, corrected_, added)] == [
        "r-111", "r-111", "r-222",
    ]  # fmt: skip
    assert amounts(reversed_) == [-1500] * 5 + [-1000]
    assert amounts(corrected_) == [1200] * 5 + [800]
    assert amounts(added) == [300] * 5 + [200]
    changed = {name for name in was if was[name] != reversed_[name]} - set(AMOUNTS)
    assert changed == {
        "ChargeClass", "ChargeDescription", "InvoiceId", "InvoiceDetailId", "BillingPeriodStart",
        "BillingPeriodEnd", "x_TokensIn", "x_TokensOut", "x_RequestCount", "x_CorrectionCause",
        "x_LoadId",
    }  # fmt: skip


def test_scenario_2_usage_that_arrives_late(corrected: tuple[list[Row], list[Row]]) -> None:
    """Usage of which nothing was booked is one row."""
    (row,) = of_day(corrected[1], "02")

    assert (row["ResourceId"], row["ChargeDescription"]) == ("r-222", "Added: Model usage")
    assert amounts(row) == [2] * 5 + [110]


def test_scenario_3_a_drift_by_sku(corrected: tuple[list[Row], list[Row]]) -> None:
    """A bill that alone changes is a row for each SKU, without quantities and reversals."""
    found = of_day(corrected[1], "03")

    assert [row["SkuPriceId"] for row in found] == [
        "model-usage/anthropic/usg-123:levain", "model-usage/anthropic/usg-456:levain",
    ]  # fmt: skip
    for row in found:
        assert amounts(row) == [Decimal("0.001"), Decimal("0.001"), 0, 0, None, None]
        assert (row["PricingUnit"], row["ConsumedUnit"]) == ("", "")


def test_scenario_4_a_drift_in_bulk(corrected: tuple[list[Row], list[Row]]) -> None:
    """A bill that alone changes, and is of no known model, is one row without a SKU."""
    (row,) = of_day(corrected[1], "04")

    assert amounts(row) == [Decimal("0.002"), Decimal("0.002"), 0, 0, None, None]
    assert {row[name] for name in ("SkuId", "SkuPriceId", "SkuMeter", "ListUnitPrice")} == {""}


def test_an_own_key_is_corrected_for_both_payees(corrected: tuple[list[Row], list[Row]]) -> None:
    """The rows of provider and Levain are each reversed and corrected; billed is Levain's alone."""
    found = of_day(corrected[1], "05")

    assert [(row["InvoiceIssuerName"], *amounts(row)[:2]) for row in found] == [
        ("Levain", Decimal("-0.1"), Decimal("-0.1")),
        ("openai", -5, 0),
        ("Levain", Decimal("0.16"), Decimal("0.16")),
        ("openai", 8, 0),
    ]
    assert [row["InvoiceId"] for row in found] == ["INV-6", "", "INV-6", ""]


def test_a_new_owner_is_a_reallocation(corrected: tuple[list[Row], list[Row]]) -> None:
    """The charge is taken from the owner who was booked, and given to the new one."""
    found = of_day(corrected[1], "06")

    assert [(row["ChargeDescription"], row["Tags"], *amounts(row)[:1]) for row in found] == [
        ("Reversed: Model usage", '{"owner":"Bread"}', -4),
        ("Added: Model usage", '{"owner":"Cake","cost_center":"C-1"}', 4),
    ]
    assert {row["x_CorrectionCause"] for row in found} == {"owner_changed"}


def test_corrections_are_of_the_month_that_books_them(
    corrected: tuple[list[Row], list[Row]],
) -> None:
    """Billing period and invoice are those of June, the charge period is the day in May."""
    original, found = corrected

    assert len(found) == 3 + 1 + 2 + 1 + 4 + 2
    for row in found:
        assert row["ChargeClass"] == "Correction"
        assert row["BillingPeriodStart"] == "2026-06-01T00:00:00Z"
        assert row["ChargePeriodStart"].startswith("2026-05-")
    assert {row["InvoiceId"] for row in original} == {"INV-5", ""}
    assert {row["InvoiceId"] for row in found} == {"INV-6", ""}
    assert {row["InvoiceDetailId"] for row in found} == {"INV-6/w-1/2026-06/usage", ""}


def test_a_cost_that_was_unknown_when_it_was_booked(warehouse: Warehouse, tmp_path: Path) -> None:
    """Its charge has no quantity to price, and is reversed as booked once the cost is known."""
    (tmp_path / "books").mkdir()
    read_from(warehouse, MAY)
    used(warehouse, MAY, "4")
    warehouse.given("agent_billing_days", date=MAY, agent_id="a-1", cost_usd=None, billed_usd=3)
    build(warehouse)
    (was,) = rows(warehouse, tmp_path, MAY)
    close(warehouse, tmp_path / "books", MAY)
    warehouse._con.execute("update raw.agent_billing_days set cost_usd = 4")
    used(warehouse, JUNE, "1", "1")
    build(warehouse)
    reversed_, added = (row for row in rows(warehouse, tmp_path, JUNE) if row["ChargeClass"])

    assert amounts(was) == [3, 3, None, None, None, 110]
    assert (was["PricingUnit"], was["SkuId"]) == ("", "model-usage")
    assert amounts(reversed_) == [-3, -3, None, None, None, -110]
    assert reversed_["ChargeDescription"] == "Reversed: Model usage"
    assert amounts(added) == [3, 3, 4, 4, 4, 110]
