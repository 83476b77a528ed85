"""Corrections of closed months in FOCUS: the four scenarios of the specification, and our own.

https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, closed_billing_period.md
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import pytest

from tests.finance.focus import Row, build, close, read_from, rows, used
from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
AMOUNTS = (
    "EffectiveCost", "BilledCost", "ContractedCost", "ListCost", "PricingQuantity",
    "ConsumedQuantity",
)  # fmt: skip


class Corrected(NamedTuple):
    """The rows of May as closed, and those of June that correct it."""

    was: list[Row]
    found: list[Row]


def as_closed(warehouse: Warehouse) -> None:
    """May as it is closed: a day and an agent or two for each scenario, and an invoice a month."""
    read_from(warehouse, MAY)
    for agent_id in ("r-111", "r-222", "r-333", "r-444", "r-555", "r-666", "r-777"):
        warehouse.given("agents", agent_id=agent_id, agent_name=agent_id, agent_slug=agent_id)
    warehouse.given("provider_keys", provider="openai", created_at="2026-01-01 00:00Z")
    used(warehouse, MAY, "1500", "1500", agent_id="r-111", tokens_in=900, tokens_out=100)
    for model in ("usg-123", "usg-456"):
        used(warehouse, date(2026, 5, 3), "3", agent_id="r-333", model=model)
    used(warehouse, date(2026, 5, 3), None, "6", agent_id="r-333", cost_of_day="6")
    used(warehouse, date(2026, 5, 4), None, "7", agent_id="r-444", cost_of_day="7")
    used(warehouse, date(2026, 5, 5), "5", "0.1", agent_id="r-555", provider="openai", model="gpt")
    used(warehouse, date(2026, 5, 6), "4", "4", agent_id="r-666")
    used(warehouse, date(2026, 5, 7), "4", agent_id="r-777")
    used(warehouse, date(2026, 5, 7), None, "3", agent_id="r-777")
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
        where agent_id = 'r-555';
        update raw.agent_billing_days set cost_usd = 4 where agent_id = 'r-777'
    """)
    used(warehouse, MAY, "300", "300", agent_id="r-222", tokens_in=180, tokens_out=20)
    used(warehouse, date(2026, 5, 2), "2", "2", agent_id="r-222")
    own(warehouse, {"agent": "r-666", "owner": "Cake", "cost_center": "C-1"})


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corrected]:
    folder = tmp_path_factory.mktemp("corrected")
    (folder / "books").mkdir()
    (again := folder / "again").mkdir()
    with empty_warehouse(folder / "data") as warehouse:
        as_closed(warehouse)
        build(warehouse)
        was = rows(warehouse, folder, MAY)
        close(warehouse, folder / "books", MAY)
        as_corrected(warehouse)
        build(warehouse)
        assert rows(warehouse, again, MAY) == was
        yield Corrected(was, [row for row in rows(warehouse, folder, JUNE) if row["ChargeClass"]])


def of_day(found: list[Row], day: str) -> list[Row]:
    return [row for row in found if row["ChargePeriodStart"] == f"2026-05-{day}T00:00:00Z"]


def text_of(row: Row) -> str:
    """Day, names and amounts of a row; `-` is empty."""
    names = [row["ResourceId"], row["InvoiceIssuerName"], row["ChargeDescription"].split(":")[0]]
    names += [row["SkuPriceId"].removeprefix("model-usage/"), row["Tags"]]
    amounts = [f"{Decimal(row[name]).normalize():f}" if row[name] else "-" for name in AMOUNTS]
    return "  ".join([row["ChargePeriodStart"][8:10], *(each or "-" for each in names), *amounts])


EXPECTED = """
# Scenario 1: a reallocation to another resource, in the ledger style.
01  r-111  Levain  Reversed  anthropic/claude-5:levain  -  -1500  -1500  -1500  -1500  -1500  -1000
01  r-111  Levain  Corrected  anthropic/claude-5:levain  -  1200  1200  1200  1200  1200  800
01  r-222  Levain  Added  anthropic/claude-5:levain  -  300  300  300  300  300  200
# Scenario 2: usage that arrives late, of which nothing was booked.
02  r-222  Levain  Added  anthropic/claude-5:levain  -  2  2  2  2  2  110
# Scenario 3: a bill that alone changes is a row for each SKU, without quantities and reversals.
03  r-333  Levain  Bill corrected  anthropic/usg-123:levain  -  0.001  0.001  0  0  -  -
03  r-333  Levain  Bill corrected  anthropic/usg-456:levain  -  0.001  0.001  0  0  -  -
# Scenario 4: in bulk, of no known model.
04  r-444  Levain  Bill corrected  -  -  0.002  0.002  0  0  -  -
# An own key is corrected for both payees; billed is Levain's alone.
05  r-555  Levain  Reversed  openai/gpt:levain  -  -0.1  -0.1  0  0  0  0
05  r-555  openai  Reversed  openai/gpt:own-key  -  -5  0  -5  -5  -5  -110
05  r-555  Levain  Corrected  openai/gpt:levain  -  0.16  0.16  0  0  0  0
05  r-555  openai  Corrected  openai/gpt:own-key  -  8  0  8  8  8  110
# A new owner: the charge is taken from the one who was booked.
06  r-666  Levain  Reversed  anthropic/claude-5:levain  {"owner":"Bread"}  -4  -4  -4  -4  -4  -110
06  r-666  Levain  Added  anthropic/claude-5:levain  {"owner":"Cake","cost_center":"C-1"}  \
4  4  4  4  4  110
# A cost that was unknown when it was booked had no quantity to price.
07  r-777  Levain  Reversed  model-usage:levain  -  -3  -3  -  -  -  -110
07  r-777  Levain  Added  anthropic/claude-5:levain  -  3  3  4  4  4  110
"""


def test_corrections(corrected: Corrected) -> None:
    """A charge that changed is reversed and there anew, by resource, SKU, payee and owner."""
    lines = [line for line in EXPECTED.split("\n") if line and not line.startswith("#")]

    assert [text_of(row) for row in corrected.found] == lines


def test_a_reversal_is_the_charge_as_booked(corrected: Corrected) -> None:
    """It differs from it in its amounts, in what says that it is a reversal, and in its invoice."""
    (was,), (reversed_, *_) = (of_day(each, "01") for each in corrected)

    assert reversed_["ChargeDescription"] == f"Reversed: {was['ChargeDescription']}"
    assert {name for name in was if was[name] != reversed_[name]} - set(AMOUNTS) == {
        "ChargeClass", "ChargeDescription", "InvoiceId", "InvoiceDetailId", "BillingPeriodStart",
        "BillingPeriodEnd", "x_TokensIn", "x_TokensOut", "x_RequestCount", "x_CorrectionCause",
        "x_LoadId",
    }  # fmt: skip


def test_corrections_are_of_the_month_that_books_them(corrected: Corrected) -> None:
    """Billing period and invoice are those of June, the charge period is the day in May."""
    for row in corrected.found:
        assert row["ChargeClass"] == "Correction"
        assert row["BillingPeriodStart"] == "2026-06-01T00:00:00Z"
        assert row["ChargePeriodStart"].startswith("2026-05-")
        for name in ("Pricing", "Consumed"):
            assert bool(row[f"{name}Unit"]) == bool(row[f"{name}Quantity"])
    assert {row["InvoiceId"] for row in corrected.was} == {"INV-5", ""}
    assert {(row["InvoiceId"], row["InvoiceDetailId"]) for row in corrected.found} == {
        ("INV-6", "INV-6/w-1/2026-06/usage"),
        ("", ""),
    }
    assert {row["x_CorrectionCause"] for row in of_day(corrected.found, "06")} == {"owner_changed"}
