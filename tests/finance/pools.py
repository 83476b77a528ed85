"""Lines, rules and shares given to the model of allocations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from analytics.transform.allocations import (
    CLOSINGS,
    LINES,
    RULES,
    SCHEMA,
    SHARES,
    allocations,
)

W = "w-1"
MONTHS = [date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]
OCTOBER, NOVEMBER = MONTHS[1:]
FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)
MONEY = pl.Decimal(38, 10)
UNIT = Decimal("1e-10")
LINE = ("usage_month", "workspace_id", "agent_id")
Amounts = tuple[Decimal, Decimal]

_TYPES: Mapping[str, Any] = {
    **dict.fromkeys((*LINES, *RULES, *SHARES, *CLOSINGS), pl.String()),
    **{name: MONEY for name in LINES if name.endswith("_usd")},
    **dict.fromkeys(("run_count", "tokens_in", "tokens_out", "precedence", "rule"), pl.Int64()),
    **dict.fromkeys(("month", "first_month", "last_month"), pl.Date()),
    "share": MONEY,
}


def frame(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, {name: _TYPES[name] for name in columns})


@dataclass
class Given:
    """Lines of charges, rules, and closed months, as the model reads them."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    shares: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)

    def line(
        self, agent_id: str, cost_center: str = "(none)", cost: str = "0", **more: Any
    ) -> None:
        """Add a line; its bill is its cost, and its runs cost what it does, if not said."""
        kinds = {"(platform)": "platform", "(none)": "no_agent"}
        row = {
            "month": OCTOBER, "workspace_id": W, "agent_id": agent_id, "cost_center": cost_center,
            "line_type": kinds.get(agent_id, "agent"), "metered_cost_usd": Decimal(cost),
            "billed_usd": Decimal(cost), "cost_usd": Decimal(cost), "run_count": 1,
            "failed_cost_usd": None, "unlisted_cost_usd": None, "tokens_in": 1, "tokens_out": None,
        }  # fmt: skip
        self.lines.append(row | more)

    def rule(self, source: str, method: str, basis: str | None = None, **more: Any) -> None:
        """Add a rule, more specific than those after it; `shares` is of fixed ones."""
        number = len(self.rules) + 1
        self.shares += [
            {"rule": number, "cost_center": name, "share": Decimal(share)}
            for name, share in more.pop("shares", {}).items()
        ]
        row = {
            "workspace_id": W, "source": source, "precedence": number, "rule": number,
            "name": f"rule {number}", "method": method, "basis": basis,
            "first_month": FIRST, "last_month": LAST,
        }  # fmt: skip
        self.rules.append(row | more)

    def frames(self) -> list[pl.DataFrame]:
        months = {row["usage_month"] for row in self.closed}
        return [
            frame(LINES, self.lines),
            frame(RULES, self.rules),
            frame(SHARES, self.shares),
            frame(CLOSINGS, [{"month": month, "status": "closed"} for month in months]),
            pl.DataFrame(self.closed, SCHEMA),
        ]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the model."""
        return allocations(*self.frames()).to_dicts()

    def costs(self) -> dict[tuple[str, str], Decimal]:
        """Return the cost by source and cost center."""
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in self.rows():
            found[row["source"], row["cost_center"]] += row["metered_cost_usd"]
        return dict(found)


def bakery(**platform: Any) -> Given:
    """Two cost centers that were charged 30 and 10 dollars, and a platform that costs 8."""
    given = Given()
    given.line("a-1", "A", "30", run_count=1, tokens_in=0, billed_usd=Decimal(3))
    given.line("a-2", "B", "10", run_count=3, tokens_in=5, tokens_out=5, billed_usd=Decimal(13))
    given.line("a-3", "(none)", "5")
    given.line("(platform)", cost="8", run_count=0, **platform)
    return given
