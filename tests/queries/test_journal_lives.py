"""Random lives of books: whatever is invoiced, corrected and moved, every journal adds up."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from analytics.export.entries import read_journal
from analytics.export.journal import exported
from analytics.transform.cents import CENT
from tests.queries.closing import close
from tests.queries.invoiced import billed, invoiced, owned
from tests.queries.sample import own
from tests.queries.test_journal import balances, require_checks
from tests.transform.given import Warehouse, empty_warehouse

MONTHS = [date(2026, month, 1) for month in range(8, 13)]
WORKSPACES = ("w-1", "w-2")
AGENTS = ("a-1", "a-2", None)
MATCHING = """
    select coalesce(sum(usd), 0) from (
        select billed_usd as usd from raw.agent_billing_days
        anti join raw.superseded using (version_id)
        where workspace_id = $workspace and date_trunc('month', date) = $month
        union all
        select credit_usd - amount_usd from finance.invoices
        where workspace = $workspace and month = $month
    )
"""
"""What is billed of a month and not invoiced."""
CHANGES = {
    "change": "update finance.invoices set amount_usd = amount_usd + 0.01 where line = $line",
    "acceptance": "update finance.invoices set is_accepted = not is_accepted where line = $line",
    "removal": "delete from finance.invoices where line = $line",
    "account": "update finance.accounts set account = $line where role = $role",
}


class Life:
    """A warehouse to which things happen, all by one seed."""

    def __init__(self, warehouse: Warehouse, seed: int) -> None:
        self._warehouse, self.random = warehouse, Random(seed)
        self._bills: dict[tuple[str, date, str | None], int] = {}
        owned(warehouse, **({"provider_payable": "2010"} if self.random.random() < 0.5 else {}))
        for rule, source in enumerate(("platform", "failed")):
            warehouse.insert(
                "finance.allocation_rules", rule=rule, name=source, source=source, method="even",
                workspace="*",
            )  # fmt: skip
        for workspace in WORKSPACES:
            for month in MONTHS:
                for agent in AGENTS:
                    if self.random.random() < 0.85:
                        of = {"workspace_id": workspace, "billed_usd": self._usd()}
                        version = billed(warehouse, month, agent, self._usd(), **of)
                        self._bills[workspace, month, agent] = version

    def _usd(self) -> str:
        return str(
            Decimal(self.random.randrange(2 * 10**12) * (self.random.random() > 0.1)) / 10**10
        )

    def happen(self, known: list[date]) -> None:
        """One thing happens to some month that is known by now."""
        choice, run = self.random.choice, self._warehouse._con.execute
        of = {"workspace": choice(WORKSPACES), "month": choice(known)}
        match choice(["invoice", "matching", "bill", "owner", *CHANGES]):
            case "invoice":
                self._invoice(**of, usd=self._usd(), credit_usd=choice([0, "0.5"]), tax_usd="1.23")
            case "matching":
                ((usd,),) = run(MATCHING, of).fetchall()
                self._invoice(**of, usd=usd)
            case "bill" if held := [key for key in self._bills if key[1] in known]:
                key = choice(held)
                self._bills[key] = self._warehouse.replaced(
                    self._bills[key], "agent_billing_days", workspace_id=key[0], agent_id=key[2],
                    date=key[1].replace(day=10), cost_usd=self._usd(), billed_usd=self._usd(),
                )  # fmt: skip
            case "owner":
                centers = {agent: choice(["CC-1", "CC-2", "CC-3"]) for agent in ("a-1", "a-2")}
                own(self._warehouse, *({"agent": a, "cost_center": c} for a, c in centers.items()))
            case "account":
                role = choice(["accrued", "payable", "rounding", "expense"])
                run(CHANGES["account"], {"line": str(choice(range(3000, 3003))), "role": role})
            case change if change in CHANGES:
                run(CHANGES[change], {"line": choice(range(2, 8))})

    def _invoice(self, workspace: str, month: date, usd: Any, **of: Any) -> None:
        of |= {"workspace": workspace, "invoice_id": f"I-{self.random.randrange(10**9)}"}
        # Of any month from the one before its usage to the third after it.
        of["issued_on"] = month + timedelta(days=self.random.randrange(-20, 120))
        invoiced(self._warehouse, month, str(Decimal(usd).quantize(CENT)), **of)


def later_lines(warehouse: Warehouse, month: date) -> list[Any]:
    """The lines of all journals after that of a month."""
    return warehouse.rows(
        "select booked_month, entry_id, line_number, entry_date, account, cost_center, debit_usd,"
        " credit_usd, narration, memo from marts.fct_journal_lines where booked_month > ?"
        " order by all",
        month,
    )


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
def test_lives(tmp_path: Path, seed: int) -> None:
    """Before and after each close every check passes, and no month in cents drifts.

    Previews of later months are what they are once the months before them are closed.
    """
    with empty_warehouse(tmp_path / "data") as warehouse:
        warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Other")
        life = Life(warehouse, seed)
        first = life.random.randrange(2)
        for number, month in enumerate(MONTHS):
            for _ in range(life.random.randrange(5)):
                life.happen(MONTHS[: number + 1])
            warehouse.build_all()
            require_checks(warehouse)
            if first <= number < len(MONTHS) - 1:
                previewed = later_lines(warehouse, month)
                close(warehouse, month)
                require_checks(warehouse)
                assert first == number or later_lines(warehouse, month) == previewed
        journals = [read_journal(warehouse.con, f"{month:%Y-%m}") for month in MONTHS[first:]]
        exact = balances(entry for journal in journals for entry in journal.entries)
        cents = balances(entry for journal in journals for entry in exported(journal))
        for account in exact.keys() | cents.keys():  # of two workspaces
            assert abs(exact.get(account, 0) - cents.get(account, 0)) < 2 * CENT, account
        assert sum(cents.values()) == 0
