"""FOCUS of closed and open months: own keys, invoices, hostile names, and corrections.

https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, closed_billing_period.md
"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from focus_data_toolkit.model.validator import lint_focus_1_4_structure
from focus_data_toolkit.validate import validate_dataset_bundle
from msgspec.structs import replace

from analytics.export.focus import TITLES, Dataset, read_focus
from tests.finance.conftest import CLOSE
from tests.finance.focus import (
    APRIL,
    HOSTILE,
    JULY,
    JUNE,
    MAY,
    OTHER,
    REOPENED,
    Months,
    Row,
    months,
)
from tests.transform.given import WORKSPACE

__all__ = ["months"]

CONDITIONS = ("SupportsUnitPricing", "SupportsMultiplePricingCategories")
AMOUNTS = (
    "EffectiveCost", "BilledCost", "ContractedCost", "ListCost", "PricingQuantity",
    "ConsumedQuantity",
)  # fmt: skip


@pytest.mark.parametrize("dataset", Dataset)
def test_the_linter_finds_nothing(months: Months, dataset: Dataset) -> None:
    """All months of a dataset conform to FOCUS 1.4, with unit prices and pricing categories.

    FOCUS knows no charge of unknown cost: its list price is empty.
    """
    known = [row for row in months.rows(dataset) if row.get("ListCost") != ""]
    report = lint_focus_1_4_structure(TITLES[dataset], known, supported_conditions=CONDITIONS)

    assert report.row_count >= 4
    assert report.messages() == []


def test_the_bundle_agrees(months: Months) -> None:
    """Rows of all datasets refer to each other: periods, issuers, invoices and their lines."""
    bundle = {title: months.rows(dataset) for dataset, title in TITLES.items()}
    report = validate_dataset_bundle(bundle)

    assert len(report.checks_run) == 8
    assert [each.format() for each in report.errors + report.warnings] == []


def test_months_add_up_to_charges_and_corrections(months: Months) -> None:
    """A closed month is as it was; what is corrected later is in June's, and all is today's."""
    sums = [
        sum(Decimal(row[name] or 0) for row in months.charges())
        for name in ("BilledCost", "ListCost", "EffectiveCost")
    ]

    assert months.charges(MAY) == months.may
    assert tuple(sums) == months.warehouse.row(
        "select sum(billed_usd), sum(metered_cost_usd), sum(billed_usd + own_key_usd)"
        " from marts.fct_charges"
    )
    assert {row["BillingPeriodStart"] for row in months.charges() if row["ChargeClass"]} == {
        "2026-06-01T00:00:00Z"
    }


def test_a_provider_is_paid_for_an_own_key(months: Months) -> None:
    """Usage with a key of one's own is billed by the provider: Levain's amount is 0."""
    found = months.charges()
    own_key = [row for row in found if row["PricingCategory"] == "Other"]

    assert {row["InvoiceIssuerName"] for row in own_key} == {"'=openai()", "openai"}
    assert {row["InvoiceIssuerName"] for row in found if row not in own_key} == {"Levain"}
    assert {Decimal(row["BilledCost"]) for row in own_key} == {0}
    assert {row["InvoiceId"] for row in own_key} == {""}
    assert min(row["ChargePeriodStart"] for row in own_key) == "2026-04-07T00:00:00Z"


def test_unit_prices_are_exact(months: Months) -> None:
    """List price is unit price times quantity to the last digit, whatever the amount."""
    for row in months.charges():
        for name in ("Pricing", "Consumed"):
            assert bool(row[f"{name}Unit"]) == bool(row[f"{name}Quantity"])
        if row["PricingQuantity"]:
            product = Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"])
            assert product == Decimal(row["ListCost"]) == Decimal(row["ContractedCost"])


def test_periods_are_those_of_the_books(months: Months) -> None:
    """A month is Closed once the books have it, or while a close writes it; else Open."""
    periods = {row["BillingPeriodStart"][5:7]: row for row in months.rows(Dataset.billing_period)}
    con = months.warehouse._con
    closing = read_focus(con, JULY, Dataset.billing_period, replace(CLOSE, closed_at=REOPENED))

    assert [
        (row["BillingPeriodStatus"], row["BillingPeriodLastUpdated"])
        for _, row in sorted(periods.items())
    ] == [
        ("Closed", "2026-12-05T00:00:00Z"), ("Closed", "2026-12-05T00:00:00Z"),
        ("Open", "2026-11-28T05:00:00Z"), ("Open", "2026-12-24T05:06:07Z"),
    ]  # fmt: skip
    assert set(closing["BillingPeriodStatus"]) == {"Closed"}
    assert set(closing["BillingPeriodLastUpdated"]) == {"2026-12-24T05:06:07Z"}


def test_invoices_are_those_of_the_file(months: Months) -> None:
    """Each amount of finance/invoices.csv is a row; the usage line is that of the charges.

    It is in the file of the month that books it; charges of a month with two invoices name none.
    """
    details = months.rows(Dataset.invoice_detail)
    (payable,) = months.warehouse.row(
        "select sum(amount_usd - credit_usd + tax_usd) from finance.invoices"
    )
    charged = {row["InvoiceDetailId"] for row in months.charges()} - {""}

    assert sum(Decimal(row["BilledCost"]) for row in details) == payable
    assert {row["ChargeCategory"] for row in details} == {"Usage", "Credit", "Tax"}
    usage = {row["InvoiceDetailId"] for row in details if row["ChargeCategory"] == "Usage"}
    assert usage - charged == {
        f"LATE/{OTHER}/2026-04/usage", f"'=INV-6/{OTHER}/2026-04/usage",
        f"'=INV-6/{WORKSPACE}/2026-04/usage/2026-06",
    }  # fmt: skip
    assert charged < usage
    (late,) = [row for row in details if row["InvoiceId"] == "LATE"]
    assert late in months.rows(Dataset.invoice_detail, JUNE)
    assert late["BillingPeriodStart"] == "2026-04-01T00:00:00Z"


def test_names_are_inert_and_tags_are_json(months: Months) -> None:
    """No text of a file is run as a formula, and hostile owners remain valid JSON."""
    found = months.charges(APRIL)
    frame = read_focus(months.warehouse._con, APRIL, Dataset.cost_and_usage)
    tags = [json.loads(row["Tags"]) for row in found if row["Tags"]]

    assert {tag["owner"] for tag in tags} == {name.replace(";=", ";'=") for name in HOSTILE}
    for row in found:
        for name, value in row.items():
            assert not value.startswith(("=", "+", "@", "\t", "\r")), name
            assert value.isprintable()
    assert {*HOSTILE[1::2]} <= {*frame["ResourceName"]}  # that is no file of a spreadsheet


def test_models_are_told_apart(months: Months) -> None:
    """SkuPriceDetails has what a model's name says, each key marked as our own."""
    found = months.charges(APRIL)
    details = {row["SkuPriceDetails"] for row in found if row["x_Model"] == "openai.gpt-5.5"}

    of_name = {"Developer": "openai", "Family": "gpt", "Id": "openai.gpt-5.5", "Version": "5.5"}
    assert [*map(json.loads, details)] == [{f"x_Model{key}": of_name[key] for key in of_name}]


def test_custom_columns_come_last(months: Months) -> None:
    """All columns of FOCUS stand before those of our own."""
    names = [*months.charges(APRIL)[0]]

    assert names == sorted(names, key=lambda name: name.startswith("x_"))


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


def test_corrections(months: Months) -> None:
    """A charge that changed is reversed and there anew, by resource, SKU, payee and owner."""
    lines = [line for line in EXPECTED.split("\n") if line and not line.startswith("#")]

    assert [text_of(row) for row in months.corrections()] == lines


def test_a_reversal_is_the_charge_as_booked(months: Months) -> None:
    """It differs from it in its amounts, in what says that it is a reversal, and in its invoice."""
    (was,) = (row for row in months.may if row["ResourceId"] == "r-111")
    reversed_, *_ = months.corrections("01")

    assert reversed_["ChargeDescription"] == f"Reversed: {was['ChargeDescription']}"
    assert {name for name in was if was[name] != reversed_[name]} - set(AMOUNTS) == {
        "ChargeClass", "ChargeDescription", "InvoiceId", "InvoiceDetailId", "BillingPeriodStart",
        "BillingPeriodEnd", "x_TokensIn", "x_TokensOut", "x_RequestCount", "x_CorrectionCause",
        "x_LoadId",
    }  # fmt: skip


def test_a_correction_is_on_the_invoice_of_the_month_that_books_it(months: Months) -> None:
    """It names none of a provider, and none where that invoice is for the corrected month too."""
    found = [row for row in months.charges(JUNE) if row["ChargeClass"]]

    assert {row["InvoiceId"] for row in months.may} == {"'=INV-5", ""}
    assert {(row["ChargePeriodStart"][5:7], row["InvoiceId"]) for row in found} == {
        ("04", ""), ("05", ""), ("05", "'=INV-6"),
    }  # fmt: skip
    assert {row["InvoiceDetailId"] for row in found} == {"", "'=INV-6/w-1/2026-06/usage"}
    assert {row["x_CorrectionCause"] for row in months.corrections("06")} == {"owner_changed"}
