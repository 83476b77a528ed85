"""A ledger that has imported a month which is then reopened: its revisions, one after the other."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

import pytest

from analytics.published.export.entries import Journal, read_journal
from analytics.published.export.journal import JournalFormat, journal_text
from tests.queries.closing import close, reopen
from tests.queries.invoiced import NOVEMBER, OCTOBER, SEPTEMBER, billed, invoiced, owned
from tests.transform.given import empty_warehouse

Ledger: TypeAlias = list[Journal]


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ledger, Ledger]]:
    """One that imported revision 1 of October, and one that waited for revision 2.

    In between, one of October's invoices is taken out of the file, and a bill is corrected.
    """
    with empty_warehouse(tmp_path_factory.mktemp("reopened") / "data") as warehouse:

        def journal(month: str) -> Journal:
            warehouse.rows(
                "from marts.fct_journal_lines, marts.fct_accruals, marts.dim_months limit 1"
            )
            return replace(read_journal(warehouse._con, month), is_booked=True)

        owned(warehouse)
        versions = {
            (month, agent): billed(warehouse, month, agent, usd)
            for month in (SEPTEMBER, OCTOBER, NOVEMBER)
            for agent, usd in (("a-1", "10.0049999999"), ("a-2", "3.3349999999"))
        }
        invoiced(warehouse, OCTOBER, "7.77")
        invoiced(warehouse, OCTOBER, "2.22", invoice_id="LEV-stays")
        close(warehouse, SEPTEMBER, OCTOBER)
        first = [journal("2026-09"), journal("2026-10")]
        reopen(warehouse, OCTOBER)
        warehouse._con.execute("delete from finance.invoices where invoice_id <> 'LEV-stays'")
        warehouse.replaced(
            versions[OCTOBER, "a-1"], "agent_billing_days", agent_id="a-1",
            date=OCTOBER.replace(day=10), cost_usd="11.11", billed_usd="11.11",
        )  # fmt: skip
        close(warehouse, OCTOBER, revision=2)
        later = [journal("2026-10"), journal("2026-11")]
        reversed_ = replace(first[1], is_reversed=True)
        yield [*first, reversed_, *later], [first[0], *later]


def rows(*ledger: Journal) -> list[dict[str, str]]:
    return [
        row
        for journal in ledger
        for row in csv.DictReader(io.StringIO(journal_text(journal, JournalFormat.csv)))
    ]


def test_a_ledger_is_right_after_a_reopen(ledgers: tuple[Ledger, Ledger]) -> None:
    """With revision 1, its reverse and revision 2 it has what it would have with 2 alone."""

    def balances(ledger: Ledger) -> dict[tuple[str, str], Decimal]:
        sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in rows(*ledger):
            usd = Decimal(row["DEBIT"] or 0) - Decimal(row["CREDIT"] or 0)
            sums[row["ACCOUNT"], row["COST_CENTER"]] += usd
        return {place: usd for place, usd in sums.items() if usd}

    imported, waited = map(balances, ledgers)

    assert imported == waited
    assert len(imported) > 2


def test_no_import_takes_one_entry_for_another(ledgers: tuple[Ledger, Ledger]) -> None:
    """No two entries of the revisions and of the reverse have one identifier."""
    ids = [{row["PIECE"] for row in rows(journal)} for journal in ledgers[0]]

    assert len(set().union(*ids)) == sum(map(len, ids))
    assert all(each.endswith("-reversed") for each in ids[2])
    assert all(each.endswith("-r2") for each in ids[3])


def test_reversals_are_of_the_revision_in_force(ledgers: tuple[Ledger, Ledger]) -> None:
    """The month after takes back accruals of revision 2, each of which is in its journal."""
    *_, october, november = ledgers[0]
    taken_back = {entry.reverses_entry_id for entry in november.entries if entry.reverses_entry_id}

    assert taken_back
    assert taken_back <= {entry.entry_id for entry in october.entries}
