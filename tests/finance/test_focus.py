"""FOCUS of closed and open months: own keys, invoices, hostile names, and corrections.

https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, closed_billing_period.md
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from focus_data_toolkit.model.validator import lint_focus_1_4_structure
from focus_data_toolkit.validate import validate_dataset_bundle

from analytics.finance.books.frozen import load_frozen, write_frozen
from analytics.published.export.focus.columns import Dataset
from analytics.published.export.focus.files import SOURCES, file_name, read_focus, write_focus
from analytics.resources import folder
from analytics.transform.models import references
from tests.queries.metered import read_workspace
from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

Row = dict[str, str]
CLOSED = datetime(2026, 12, 5, tzinfo=UTC)
APRIL, MAY, JUNE, JULY = MONTHS = [date(2026, month, 1) for month in range(4, 8)]
CONDITIONS = ("SupportsUnitPricing", "SupportsMultiplePricingCategories")
HOSTILE = ('=cmd()|"/c calc"!A0', "+1", "\t=1\r\n,", 'a;=1"\\', "<b>\xa0\u202e\U000e0001</b>")
OTHER = "w-2"
REOPENED = datetime(2026, 12, 24, 5, 6, 7, tzinfo=UTC)
AMOUNTS = (
    "EffectiveCost", "BilledCost", "ContractedCost", "ListCost", "PricingQuantity",
    "ConsumedQuantity",
)  # fmt: skip


def used(
    warehouse: Warehouse, day: date, cost: str | None, billed: str | None = None, **of: object
) -> None:
    """An agent's usage of a day by the hour; with `billed`, also the bill of that day."""
    row: dict[str, object] = {"agent_id": "a-1", "provider": "anthropic", "model": "claude-5"}
    row |= {"tokens_in": 100, "tokens_out": 10, "request_count": 1} | of
    bill = {"date": day, "agent_id": row["agent_id"], "billed_usd": billed}
    bill |= {name: of[name] for name in ("workspace_id",) if name in of}
    if cost is not None:
        warehouse.given("usage_hours", date=day, hour=f"{day} 12:00Z", cost_usd=cost, **row)
    if billed is not None:
        warehouse.given("agent_billing_days", cost_usd=of.get("cost_of_day", cost), **bill)


def build(warehouse: Warehouse) -> None:
    """Build the relations that a close and the files read, and no others."""
    warehouse.build()
    for relation in _read():
        warehouse.execute(f"select 1 from {relation} limit 0")


def close(warehouse: Warehouse, books: Path, *months: date) -> None:
    """Close months with the figures as they are built; what depends on it is not built anew."""
    con = warehouse._con
    for month in months:
        target = books / f"{month:%Y-%m}"
        target.mkdir()
        write_frozen(con, month, 1, target)
        warehouse.insert(
            "finance.closings", month=month, revision=1, status="closed", closed_at=CLOSED,
            is_early=False,
        )  # fmt: skip
    load_frozen(con, sorted(books.iterdir()))


def rows(
    warehouse: Warehouse, target: Path, month: date, dataset: Dataset = Dataset.cost_and_usage
) -> list[Row]:
    """The rows of a month's CSV file, which is written once."""
    file = target / file_name(dataset, f"{month:%Y-%m}")
    if not file.exists():
        write_focus(warehouse._con, month, target)
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def _read() -> list[str]:
    read = {"marts.fct_charges", "marts.fct_charge_adjustments", "marts.fct_invoices"}
    read |= {"marts.dim_models", "marts.dim_months", "audit.closings", "audit.loads"}
    for file in (folder("queries") / "books").glob("*.sql"):
        read |= references(file.stem, file.read_text(encoding="utf-8"))
    return sorted(read)


class Months(NamedTuple):
    """The warehouse, the folder of the files that were read from it, and May before its close."""

    warehouse: Warehouse
    folder: Path
    may: list[Row]

    def rows(self, dataset: Dataset, *months: date) -> list[Row]:
        return [
            row
            for month in months or MONTHS
            for row in rows(self.warehouse, self.folder, month, dataset)
        ]

    def charges(self, *months: date) -> list[Row]:
        return self.rows(Dataset.cost_and_usage, *months)

    def corrections(self, day: str = "") -> list[Row]:
        """The rows of June that correct May, or a day of it."""
        start = f"2026-05-{day}"
        return [
            row for row in self.charges(JUNE)
            if row["ChargeClass"] and row["ChargePeriodStart"].startswith(start)
        ]  # fmt: skip


def fill(warehouse: Warehouse) -> None:
    """April of agents with hostile names, May with some days for each scenario, and invoices."""
    warehouse.insert("ledger.workspaces", workspace_id=OTHER, workspace_name="=Other()\xa0")
    for workspace_id in (WORKSPACE, OTHER):
        read_workspace(warehouse, workspace_id)
        for month in MONTHS[:3]:
            warehouse.insert(
                "finance.invoices", line=int(f"{month.month}{workspace_id[-1]}"), month=month,
                invoice_id="=INV-5" if month == MAY else "=INV-6", workspace_id=workspace_id,
                issued_on=month + timedelta(days=33), amount_usd="30.01",
                credit_usd=workspace_id == OTHER, tax_usd="1.5",
            )  # fmt: skip
    warehouse._con.execute("update ledger.requests set window_start = ?", [APRIL])
    for month in MONTHS:
        used(warehouse, month, "1E-10", "0", agent_id="b-1", workspace_id=OTHER)
    for provider, since in (("=openai()", "2026-04-05"), ("openai", "2026-01-01")):
        key = {"key_id": provider, "provider": provider, "created_at": f"{since} 00:00Z"}
        warehouse.given("provider_keys", **key)
    names = {f"a-{number}": name for number, name in enumerate(HOSTILE, start=1)}
    names |= {f"r-{number}": f"r-{number}" for number in range(111, 778, 111)}
    for agent_id, name in names.items():
        warehouse.given("agents", agent_id=agent_id, agent_name=name, agent_slug=agent_id)
    own(
        warehouse, {"agent": "r-666", "owner": "Bread"},
        *({"agent": each, "owner": name, "cost_center": name} for each, name in names.items()
          if each[0] == "a"),
    )  # fmt: skip
    for number, agent_id in enumerate([*[*names][:5], None], start=1):
        day = APRIL + timedelta(days=number * 3 - 1)
        agent: dict[str, object] = {"agent_id": agent_id}
        model = f'{HOSTILE[number % 5]}"{{}}'
        used(warehouse, day, f"{number}.0400000001", f"{number}.5", **agent, model=model)
        own_key = {"provider": "=openai()", "model": "openai.gpt-5.5"} | agent
        used(warehouse, day + timedelta(days=1), "0.7", "0.014", **own_key)
        used(warehouse, day + timedelta(days=2), None, "2", cost_of_day="1.9", **agent)
    used(warehouse, MAY, "1500", "1500", agent_id="r-111", tokens_in=900, tokens_out=100)
    for model in ("usg-123", "usg-456"):
        used(warehouse, date(2026, 5, 3), "3", agent_id="r-333", model=model)
    used(warehouse, date(2026, 5, 3), None, "6", agent_id="r-333", cost_of_day="6")
    used(warehouse, date(2026, 5, 4), None, "7", agent_id="r-444", cost_of_day="7")
    used(warehouse, date(2026, 5, 5), "5", "0.1", agent_id="r-555", provider="openai", model="gpt")
    used(warehouse, date(2026, 5, 6), "4", "4", agent_id="r-666")
    used(warehouse, date(2026, 5, 7), "4", agent_id="r-777")
    used(warehouse, date(2026, 5, 7), None, "3", agent_id="r-777")
    used(warehouse, date(2026, 6, 2), "1", "1", agent_id="r-111")


def correct(warehouse: Warehouse) -> None:
    """April and May as the API has them after the close, and an invoice that comes late."""
    warehouse._con.execute("""
        update raw.agent_billing_days set billed_usd = billed_usd + 0.0000000003
        where agent_id = 'a-5' and date = '2026-04-15';
        delete from raw.usage_hours where agent_id = 'a-4' and date = '2026-04-12';
        delete from raw.agent_billing_days where agent_id = 'a-4' and date = '2026-04-12';
        update raw.usage_hours set cost_usd = 1200, tokens_in = 720, tokens_out = 80
        where agent_id = 'r-111' and date = '2026-05-01';
        update raw.agent_billing_days set cost_usd = 1200, billed_usd = 1200
        where agent_id = 'r-111' and date = '2026-05-01';
        update raw.agent_billing_days set billed_usd = 6.002 where agent_id = 'r-333';
        update raw.agent_billing_days set billed_usd = 7.002 where agent_id = 'r-444';
        update raw.usage_hours set cost_usd = 8 where agent_id = 'r-555';
        update raw.agent_billing_days set cost_usd = 8, billed_usd = 0.16
        where agent_id = 'r-555';
        update raw.agent_billing_days set cost_usd = 4 where agent_id = 'r-777';
        update finance.owner_rules set owner = 'Cake', cost_center = 'C-1' where agent = 'r-666'
    """)
    used(warehouse, MAY, "300", "300", agent_id="r-222", tokens_in=180, tokens_out=20)
    used(warehouse, date(2026, 5, 2), "2", "2", agent_id="r-222")
    warehouse.insert(
        "finance.invoices", line=99, invoice_id="LATE", workspace_id=OTHER, month=APRIL,
        issued_on=date(2026, 9, 1), amount_usd="7", credit_usd=0, tax_usd=0,
    )  # fmt: skip
    warehouse.insert(
        "finance.closings", month=JULY, revision=1, status="reopened", closed_at=CLOSED,
        is_early=True, reopened_at=REOPENED,
    )  # fmt: skip


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Months]:
    """April and May are closed, and corrected afterwards; July was, and was reopened."""
    root = tmp_path_factory.mktemp("months")
    (books := root / "books").mkdir()
    (before := root / "before").mkdir()
    with empty_warehouse(root / "data") as warehouse:
        fill(warehouse)
        build(warehouse)
        may = rows(warehouse, before, MAY)
        close(warehouse, books, APRIL, MAY)
        correct(warehouse)
        build(warehouse)
        yield Months(warehouse, root, may)


@pytest.mark.parametrize("dataset", Dataset)
def test_the_linter_finds_nothing(months: Months, dataset: Dataset) -> None:
    """All months of a dataset conform to FOCUS 1.4, with unit prices and pricing categories.

    FOCUS knows no charge of unknown cost: its list price is empty.
    """
    known = [row for row in months.rows(dataset) if row.get("ListCost") != ""]
    report = lint_focus_1_4_structure(
        SOURCES[dataset].title, known, supported_conditions=CONDITIONS
    )

    assert report.row_count >= 4
    assert report.messages() == []


def test_the_bundle_agrees(months: Months) -> None:
    """Rows of all datasets refer to each other: periods, issuers, invoices and their lines."""
    bundle = {source.title: months.rows(dataset) for dataset, source in SOURCES.items()}
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
    closing = read_focus(con, JULY, Dataset.billing_period, closed_at=REOPENED)

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

    An invoice for a closed month is in the file of the month that books it.
    """
    details = months.rows(Dataset.invoice_detail)
    (payable,) = months.warehouse.row(
        "select sum(amount_usd - credit_usd + tax_usd) from finance.invoices"
    )
    charged = {row["InvoiceDetailId"] for row in months.charges()} - {""}

    assert sum(Decimal(row["BilledCost"]) for row in details) == payable
    assert {row["ChargeCategory"] for row in details} == {"Usage", "Credit", "Tax"}
    usage = {row["InvoiceDetailId"] for row in details if row["ChargeCategory"] == "Usage"}
    assert usage - charged == {f"LATE/{OTHER}/2026-04/usage/2026-06"}
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


def test_custom_columns_come_last() -> None:
    """All columns of FOCUS stand before those of our own, and each is defined."""
    columns = SOURCES[Dataset.cost_and_usage].columns
    names = [each.name for each in columns]

    assert names == sorted(names, key=lambda name: name.startswith("x_"))
    assert len(names) == len(set(names))
    assert all(each.meaning.endswith(".") for each in columns)


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
