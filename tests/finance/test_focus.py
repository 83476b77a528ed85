"""FOCUS of 24 months, with closes, corrections, own keys, invoices and hostile names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from focus_data_toolkit.model.validator import lint_focus_1_4_structure
from focus_data_toolkit.validate import validate_dataset_bundle

from analytics.published.export.focus.columns import Dataset
from analytics.published.export.focus.files import SOURCES, read_focus
from tests.finance.focus import CLOSED, Row, build, close, read_from, rows, used
from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

MONTHS = [date(2024 + number // 12, number % 12 + 1, 1) for number in range(11, 35)]
CONDITIONS = ("SupportsUnitPricing", "SupportsMultiplePricingCategories")
HOSTILE = ('=cmd()|"/c calc"!A0', "+1", "\t=1\r\n,", 'a;=1"\\', "<b>\xa0\u202e\U000e0001</b>")
OTHER = "w-2"
REOPENED = datetime(2026, 12, 24, 5, 6, 7, tzinfo=UTC)
TITLES = {
    Dataset.cost_and_usage: "Cost and Usage",
    Dataset.billing_period: "Billing Period",
    Dataset.invoice_detail: "Invoice Detail",
}


class TwoYears(NamedTuple):
    """The warehouse, and the folder of the files that were read from it."""

    warehouse: Warehouse
    folder: Path

    def rows(self, dataset: Dataset, *months: date) -> list[Row]:
        return [
            row
            for month in months or MONTHS
            for row in rows(self.warehouse, self.folder, month, dataset)
        ]


def fill(warehouse: Warehouse) -> None:
    """Two workspaces; each month some days of each agent, at providers with and without a key."""
    warehouse.insert(
        "ledger.workspaces", workspace_id=OTHER, workspace_name="=Other()\xa0", last_batch_at=None
    )
    for workspace in ("w-1", OTHER):
        read_from(warehouse, MONTHS[0], workspace)
    names = dict(enumerate(HOSTILE, start=1))
    for number, name in names.items():
        warehouse.given("agents", agent_id=f"a-{number}", agent_name=name, agent_slug=f"s-{number}")
    warehouse.given("provider_keys", provider="=openai()", created_at="2025-03-01 00:00Z")
    rules = [
        {"agent": f"s-{number}", "owner": name, "cost_center": name}
        for number, name in names.items()
    ]
    own(warehouse, *rules)
    lines = count(2)
    invoices = {month: f"=INV-{month:%Y%m}" for month in MONTHS}
    invoices[MONTHS[20]] = invoices[date(2025, 6, 1)]
    for month in MONTHS:
        used(warehouse, month, "1E-10", "0", agent_id="b-1", workspace_id=OTHER)
        for number in range(1 + month.month % 2, 7, 2):
            day = month + timedelta(days=number * 3)
            agent: dict[str, object] = {"agent_id": f"a-{number}" if number < 6 else None}
            cost = f"{number}.{month:%m}00000001"
            used(warehouse, day, cost, f"{number}.5", **agent, model=f'{HOSTILE[number % 5]}"{{}}')
            own_key = {"provider": "=openai()", "model": "openai.gpt-5.5"} | agent
            used(warehouse, day + timedelta(days=1), "0.7", "0.014", **own_key)
            used(warehouse, day + timedelta(days=2), None, "2", cost_of_day="1.9", **agent)
        for credit, workspace_id in enumerate((WORKSPACE, OTHER)):
            warehouse.insert(
                "finance.invoices", line=next(lines), invoice_id=invoices[month], month=month,
                workspace_id=workspace_id, issued_on=month + timedelta(days=33), amount_usd="30.01",
                credit_usd=credit, tax_usd="1.5",
            )  # fmt: skip


@pytest.fixture(scope="module")
def two_years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoYears]:
    """22 of the months are closed; the last two closes, and the next, have corrections to book."""
    folder = tmp_path_factory.mktemp("two-years")
    books = folder / "books"
    books.mkdir()
    with empty_warehouse(folder / "data") as warehouse:
        fill(warehouse)
        build(warehouse)
        close(warehouse, books, *MONTHS[:20])
        warehouse._con.execute("""
            update raw.usage_hours set cost_usd = cost_usd * 2
            where agent_id = 'a-1' and date = '2025-06-04';
            update raw.agent_billing_days set cost_usd = cost_usd * 2, billed_usd = billed_usd * 2
            where agent_id = 'a-1' and date = '2025-06-04';
            update raw.agent_billing_days set billed_usd = billed_usd + 0.0000000003
            where date between '2025-09-01' and '2025-09-30'
        """)
        used(warehouse, date(2025, 7, 2), "3", "3.3", agent_id="a-5")
        warehouse.insert(
            "finance.invoices", line=99, invoice_id="LATE", workspace_id=OTHER, month=MONTHS[3],
            issued_on=date(2026, 9, 1), amount_usd="7", credit_usd=0, tax_usd=0,
        )  # fmt: skip
        build(warehouse)
        close(warehouse, books, MONTHS[20])
        warehouse._con.execute("""
            update finance.owner_rules set owner = 'Cake' where agent = 's-1';
            delete from raw.usage_hours where agent_id = 'a-4' and date = '2026-01-13';
            delete from raw.agent_billing_days where agent_id = 'a-4' and date = '2026-01-13'
        """)
        build(warehouse)
        close(warehouse, books, MONTHS[21])
        warehouse._con.execute(
            "update finance.owner_rules set cost_center = 'C-9' where agent = 's-2'"
        )
        warehouse.insert(
            "finance.closings", month=MONTHS[22], revision=1, status="reopened", closed_at=CLOSED,
            is_early=True, reopened_at=REOPENED,
        )  # fmt: skip
        build(warehouse)
        yield TwoYears(warehouse, folder)


@pytest.mark.parametrize("dataset", Dataset)
def test_the_linter_finds_nothing(two_years: TwoYears, dataset: Dataset) -> None:
    """24 months of a dataset conform to FOCUS 1.4, with unit prices and pricing categories."""
    report = lint_focus_1_4_structure(
        TITLES[dataset], two_years.rows(dataset), supported_conditions=CONDITIONS
    )

    assert report.row_count >= 24
    assert report.messages() == []


def test_the_bundle_agrees(two_years: TwoYears) -> None:
    """Rows of all datasets refer to each other: periods, issuers, invoices and their lines."""
    bundle = {title: two_years.rows(dataset) for dataset, title in TITLES.items()}
    report = validate_dataset_bundle(bundle)

    assert len(report.checks_run) == 8
    assert [each.format() for each in report.errors + report.warnings] == []


def test_months_add_up_to_charges_and_corrections(two_years: TwoYears) -> None:
    """Sums of a month are its charges as closed and what it corrects; all months are today's."""
    warehouse = two_years.warehouse
    sums = {
        month: [
            sum(Decimal(row[name]) for row in two_years.rows(Dataset.cost_and_usage, month))
            for name in ("BilledCost", "ListCost", "EffectiveCost")
        ]
        for month in MONTHS
    }
    booked = warehouse.rows("""
        select usage_month, sum(billed_usd), sum(metered_cost_usd), sum(billed_usd + own_key_usd)
        from (
            select usage_month, billed_usd, metered_cost_usd, own_key_usd
            from finance.closed_charges
            union all
            select date_trunc('month', utc_date)::date, billed_usd, metered_cost_usd, own_key_usd
            from marts.fct_charges where utc_date >= '2026-10-01'
            union all
            select booked_month, billed_usd, metered_cost_usd, own_key_usd
            from marts.fct_charge_adjustments
        )
        group by all order by all
    """)
    (today,) = warehouse.rows(
        "select sum(billed_usd), sum(metered_cost_usd), sum(billed_usd + own_key_usd)"
        " from marts.fct_charges"
    )

    assert [(month, *sums[month]) for month in MONTHS] == booked
    assert tuple(map(sum, zip(*sums.values(), strict=True))) == today
    corrected = [
        month
        for month in MONTHS
        if any(row["ChargeClass"] for row in two_years.rows(Dataset.cost_and_usage, month))
    ]
    assert corrected == MONTHS[20:23]


def test_a_provider_is_paid_for_an_own_key(two_years: TwoYears) -> None:
    """Usage with a key of one's own is billed by the provider: Levain's amount is 0."""
    found = two_years.rows(Dataset.cost_and_usage)
    own_key = [row for row in found if row["PricingCategory"] == "Other"]

    assert {row["InvoiceIssuerName"] for row in own_key} == {"'=openai()"}
    assert {row["InvoiceIssuerName"] for row in found if row not in own_key} == {"Levain"}
    assert {Decimal(row["BilledCost"]) for row in own_key} == {0}
    assert {row["InvoiceId"] for row in own_key} == {""}
    assert min(row["ChargePeriodStart"] for row in own_key) == "2025-03-08T00:00:00Z"


def test_unit_prices_are_exact(two_years: TwoYears) -> None:
    """List price is unit price times quantity to the last digit, whatever the amount."""
    for row in two_years.rows(Dataset.cost_and_usage):
        if row["PricingQuantity"]:
            product = Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"])
            assert product == Decimal(row["ListCost"]) == Decimal(row["ContractedCost"])


def test_periods_are_those_of_the_books(two_years: TwoYears) -> None:
    """A month is Closed once the books have it, or while a close writes it; else Open."""
    periods = {row["BillingPeriodStart"][:7]: row for row in two_years.rows(Dataset.billing_period)}
    of_months = [periods[f"{month:%Y-%m}"] for month in MONTHS]
    con = two_years.warehouse._con
    closing = read_focus(con, MONTHS[22], Dataset.billing_period, closed_at=REOPENED)

    assert [row["BillingPeriodStatus"] for row in of_months] == ["Closed"] * 22 + ["Open"] * 2
    assert [row["BillingPeriodLastUpdated"] for row in of_months[21:]] == [
        "2026-12-05T00:00:00Z",
        "2026-12-24T05:06:07Z",
        "2026-11-28T05:00:00Z",
    ]
    assert set(closing["BillingPeriodStatus"]) == {"Closed"}
    assert set(closing["BillingPeriodLastUpdated"]) == {"2026-12-24T05:06:07Z"}


def test_a_correction_is_on_another_invoice(two_years: TwoYears) -> None:
    """Where an invoice is for the month that is corrected as well, the correction names none."""
    found = two_years.rows(Dataset.cost_and_usage, MONTHS[20])
    invoices = {
        (row["ChargePeriodStart"][:7], row["InvoiceId"]) for row in found if row["ChargeClass"]
    }

    assert invoices == {
        ("2025-06", ""),
        ("2025-07", "'=INV-202506"),
        ("2025-09", "'=INV-202506"),
    }


def test_invoices_are_those_of_the_file(two_years: TwoYears) -> None:
    """Each amount of finance/invoices.csv is a row; the usage line is that of the charges.

    An invoice for a closed month is in the file of the month that books it.
    """
    details = two_years.rows(Dataset.invoice_detail)
    (payable,) = two_years.warehouse.row(
        "select sum(amount_usd - credit_usd + tax_usd) from finance.invoices"
    )
    charged = {row["InvoiceDetailId"] for row in two_years.rows(Dataset.cost_and_usage)} - {""}

    assert sum(Decimal(row["BilledCost"]) for row in details) == payable
    assert {row["ChargeCategory"] for row in details} == {"Usage", "Credit", "Tax"}
    usage = {row["InvoiceDetailId"] for row in details if row["ChargeCategory"] == "Usage"}
    assert usage - charged == {f"LATE/{OTHER}/{MONTHS[3]:%Y-%m}/usage/{MONTHS[20]:%Y-%m}"}
    assert charged < usage
    (late,) = [row for row in details if row["InvoiceId"] == "LATE"]
    assert late in two_years.rows(Dataset.invoice_detail, MONTHS[20])
    assert late["BillingPeriodStart"] == f"{MONTHS[3]}T00:00:00Z"


def test_names_are_inert_and_tags_are_json(two_years: TwoYears) -> None:
    """No text of a file is run as a formula, and hostile owners remain valid JSON."""
    found = two_years.rows(Dataset.cost_and_usage)
    frame = read_focus(two_years.warehouse._con, MONTHS[5], Dataset.cost_and_usage)
    tags = [json.loads(row["Tags"]) for row in found if row["Tags"]]

    owners = {name.replace(";=", ";'=") for name in HOSTILE}
    assert {tag["owner"] for tag in tags} == owners | {"Cake"}
    for row in found:
        for name, value in row.items():
            assert not value.startswith(("=", "+", "@", "\t", "\r")), name
            assert value.isprintable()
    assert {*HOSTILE[1::2]} <= {*frame["ResourceName"]}  # that is no file of a spreadsheet


def test_models_are_told_apart(two_years: TwoYears) -> None:
    """SkuPriceDetails has what a model's name says, each key marked as our own."""
    found = two_years.rows(Dataset.cost_and_usage, MONTHS[20])
    details = {row["SkuPriceDetails"] for row in found if row["x_Model"] == "openai.gpt-5.5"}

    of_name = {"Developer": "openai", "Family": "gpt", "Id": "openai.gpt-5.5", "Version": "5.5"}
    assert [*map(json.loads, details)] == [{f"x_Model{key}": of_name[key] for key in of_name}]


def test_custom_columns_come_last() -> None:
    """All columns of FOCUS stand before those of our own, and each is defined."""
    columns = SOURCES[Dataset.cost_and_usage].columns
    names = [each.name for each in columns]

    assert names == sorted(names, key=lambda name: name.startswith("x_"))
    assert len(names) == len(set(names))
    assert all(each.meaning.endswith(".") for each in columns)
