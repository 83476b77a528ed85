"""The journal over a life of four months: invoices, accruals, adjustments, reversals.

October closes without its invoice, which is of 2 November; then a bill is corrected and a credit
comes. November books both, and an invoice of its own that differs by two cents; that is changed
then, and an agent has another owner. December closes without one; then November's is taken back.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.export.entries import Journal, read_journal
from analytics.export.journal import (
    JournalFormat,
    account_of,
    exported,
    journal_text,
    write_journal,
)
from analytics.transform.cents import CENT, Entry
from analytics.transform.checks import run_checks
from tests.queries.closing import close
from tests.queries.invoiced import (
    DECEMBER,
    JANUARY,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    billed,
    invoiced,
    owned,
)
from tests.queries.sample import own
from tests.transform.given import Warehouse, empty_warehouse

MONTHS = (OCTOBER, NOVEMBER, DECEMBER, JANUARY)
BILLS = {"a-1": "100.0000000001", "a-2": "33.3333333333", None: "1.0000000002"}
# Of rows that no load has made, no close can name the loads.
UNTRIED = "closed_lines_are_what_their_loads_gave"


@dataclass(frozen=True)
class Life:
    """The journals at its end, and each as it was when its month closed."""

    journals: dict[date, Journal]
    as_closed: dict[date, list[str]]


def journal_of(warehouse: Warehouse, month: date, workspace: str | None = None) -> Journal:
    warehouse.rows("from marts.fct_journal_lines, marts.fct_accruals, marts.dim_months limit 1")
    return read_journal(warehouse._con, f"{month:%Y-%m}", workspace)


def texts_of(journal: Journal) -> list[str]:
    return [journal_text(journal, form) for form in JournalFormat]


def require_checks(warehouse: Warehouse) -> None:
    failed = [each for each in run_checks(warehouse.con) if not each.ok and not each.control]
    assert [each for each in failed if each.name != UNTRIED] == []


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    root = tmp_path_factory.mktemp("life")
    as_closed = {}
    with empty_warehouse(root / "data") as warehouse:

        def closes(month: date) -> None:
            warehouse.build()
            as_closed[month] = texts_of(replace(journal_of(warehouse, month), is_booked=True))
            close(warehouse, month)

        owned(warehouse)
        warehouse.insert(
            "finance.allocation_rules", rule=1, name="=Platform;", source="platform",
            method="even", workspace="*",
        )  # fmt: skip
        versions = {
            (month, agent): billed(warehouse, month, agent, usd)
            for month in (SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER)
            for agent, usd in BILLS.items()
        }
        invoiced(warehouse, SEPTEMBER, "134.33")
        invoiced(warehouse, OCTOBER, "134.33", tax_usd="25.52")
        closes(OCTOBER)
        warehouse.replaced(
            versions[OCTOBER, "a-1"], "agent_billing_days", agent_id="a-1",
            date=OCTOBER.replace(day=10), cost_usd=105, billed_usd=105,
        )  # fmt: skip
        invoiced(warehouse, OCTOBER, "-0.03", invoice_id='LEV-"X"; date:no', credit_usd="0.10")
        invoiced(warehouse, NOVEMBER, "134.35", issued_on=date(2026, 11, 30))
        closes(NOVEMBER)
        invoice = "invoice_id = 'LEV-2026-11'"
        warehouse._con.execute(f"update finance.invoices set amount_usd = 134.36 where {invoice}")
        warehouse._con.execute(
            "update finance.accounts set account = '2151' where role = 'accrued'"
        )
        own(
            warehouse,
            {"agent": "a-1", "cost_center": "CC-2", "account": "6210"},
            {"agent": "a-2", "cost_center": "CC-2"},
        )
        closes(DECEMBER)
        require_checks(warehouse)
        warehouse._con.execute(f"delete from finance.invoices where {invoice}")
        warehouse.build()
        require_checks(warehouse)
        journals = {month: journal_of(warehouse, month) for month in MONTHS}
        return Life(journals, as_closed)


def test_a_closed_journal_stays(life: Life) -> None:
    """A journal is exported as it was when the month closed, whatever happens later."""
    assert {month: texts_of(life.journals[month]) for month in MONTHS[:3]} == life.as_closed


def balances(entries: Iterable[Entry]) -> dict[str, Decimal]:
    """What each account has, zero left out."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for line in entry.lines:
            sums[account_of(line)] += line.amount
    return {account: amount for account, amount in sums.items() if amount}


def test_an_invoice_is_booked_on_its_day(life: Life) -> None:
    """Until then its usage is accrued; what the reversal takes back, the invoice books, and tax."""
    october, november = (
        [(entry, [line for line in entry.lines if line.usage_month == OCTOBER])
         for entry in life.journals[month].entries]
        for month in (OCTOBER, NOVEMBER)
    )  # fmt: skip
    accrued = [entry for entry, _ in october]
    (invoice, lines), *_ = (
        each for each in november if "Invoice LEV-2026-10 " in each[0].narration
    )

    assert {entry.kind for entry in accrued} == {"accrual"}
    taken_back = [entry for entry, _ in november if entry.kind == "reversal"]
    assert balances([*accrued, *taken_back]) == {}
    assert (invoice.entry_date, {entry.entry_date for entry in taken_back}) == (
        date(2026, 11, 2), {NOVEMBER},
    )  # fmt: skip
    by_role = defaultdict(Decimal)
    for line in lines:
        by_role[line.role] += line.amount
    assert (by_role["payable"], by_role["tax"]) == (Decimal("-159.85"), Decimal("25.52"))


def test_cents_are_the_marts(life: Life) -> None:
    """In whole cents, each account and cost center is less than a cent from what the marts have."""
    months = life.journals.values()
    exact = balances(entry for journal in months for entry in journal.entries)
    cents = balances(entry for journal in months for entry in exported(journal))

    assert all(amount == amount.quantize(CENT) for amount in cents.values())
    for account in exact.keys() | cents.keys():
        assert abs(exact.get(account, 0) - cents.get(account, 0)) < CENT, account
    assert sum(cents.values()) == 0


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("hledger"), reason="hledger is not installed")
def test_hledger(life: Life, tmp_path: Path) -> None:
    """hledger accepts each journal, and all of them; its balances are ours, to the cent."""
    files = []
    for month, journal in life.journals.items():
        file = tmp_path / f"{month}.hledger"
        write_journal(journal, JournalFormat.hledger, file)
        run("hledger", "check", "-s", "-f", file)
        files.append(file)
    everything = [part for file in files for part in ("-f", file)]
    run("hledger", "check", "-s", *everything)

    lines = run("hledger", "balance", "--flat", "--no-total", "--format", "%(account) %(total)",
                *everything).splitlines()  # fmt: skip

    found = {account: Decimal(amount) for account, _, amount in map(str.split, lines)}
    ours = [entry for journal in life.journals.values() for entry in exported(journal)]
    assert found == balances(ours)


def test_workspaces_are_booked_apart(warehouse: Warehouse) -> None:
    """The journals of workspaces have the lines of the journal of all, each line in one of them."""
    owned(warehouse)
    warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Other")
    bills = {"a-1": "0.0049999999", "a-2": "0.0049999999", None: "6.6699999998"}
    for workspace_id in ("w-1", "w-2"):
        for month in (OCTOBER, NOVEMBER):
            for agent, usd in bills.items():
                billed(warehouse, month, agent, usd, workspace_id=workspace_id)
    close(warehouse, OCTOBER)

    def lines(workspace: str | None) -> list[str]:
        journal = journal_of(warehouse, NOVEMBER, workspace)
        return journal_text(journal, JournalFormat.csv).splitlines()[1:]

    apart = [lines("Bakery"), lines("Other")]

    assert all(len(each) > 4 for each in apart)
    assert sorted(lines(None)) == sorted([*apart[0], *apart[1]])
