"""Allocation: amounts are split exactly, and no total changes, whatever the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transform.given import answered

LINES = (
    "month", "workspace_id", "agent_id", "line_type", "cost_center",
    "metered_cost_usd", "billed_usd", "cost_usd", "failed_cost_usd", "unlisted_cost_usd",
    "run_count", "tokens_in", "tokens_out",
)  # fmt: skip
RULES = (
    "workspace_id", "source", "precedence", "rule", "name", "method", "basis",
    "first_month", "last_month",
)  # fmt: skip
SHARES = ("rule", "cost_center", "share")
CLOSINGS = ("month", "status")
AGENTS = ("workspace_id", "agent_id", "agent_name")
KEY = (
    "usage_month", "workspace_id", "agent_id", "line_cost_center", "cost_center", "source", "rule",
)  # fmt: skip
MONTHS = [date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]
MONEY = pl.Decimal(38, 10)
UNIT = Decimal("1e-10")
LINE = ("usage_month", "workspace_id", "agent_id")
Amounts = tuple[Decimal, Decimal]

_TYPES: Mapping[str, Any] = {
    **dict.fromkeys((*LINES, *RULES, *SHARES, *CLOSINGS, *AGENTS), pl.String()),
    **{name: MONEY for name in LINES if name.endswith("_usd")},
    **dict.fromkeys(("run_count", "tokens_in", "tokens_out", "precedence", "rule"), pl.Int64()),
    **dict.fromkeys(("month", "first_month", "last_month"), pl.Date()),
    "share": MONEY,
}


def frame(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, {name: _TYPES[name] for name in columns})


@dataclass
class Given:
    """Lines of charges, rules and shares, as the model reads them."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    shares: list[dict[str, Any]] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the model, of months that are not closed."""
        return answered(
            "marts.fct_allocations",
            {
                "intermediate.int_agent_owner_months": frame(LINES, self.lines),
                "intermediate.int_allocation_rules": frame(RULES, self.rules),
                "finance.allocation_shares": frame(SHARES, self.shares),
                "finance.closings": frame(CLOSINGS, []),
                "marts.dim_agents": frame(AGENTS, []),
            },
        )


_FOUR = [("A", 1), ("B", 1), ("C", 2), ("D", 7)]  # of eleven


@pytest.mark.parametrize("usd", ["1", "-1", "0.0000000001", "0.0000000005", "999999.9999999999"])
def test_a_pool_is_shared_fairly(usd: str) -> None:
    """Parts add up to the pool, have its sign, and each is within a digit of its exact share."""
    place = {"month": MONTHS[0], "workspace_id": "w-1"}
    direct = {"line_type": "agent", "metered_cost_usd": Decimal(1), "tokens_out": 0}
    pool = {"agent_id": "(platform)", "line_type": "platform", "cost_center": "(none)"}
    lines = [
        place | direct | {"agent_id": f"a-{name}", "cost_center": name, "tokens_in": weight}
        for name, weight in _FOUR
    ]
    rule = {"workspace_id": "w-1", "source": "platform", "precedence": 1, "rule": 1, "name": "r"}
    rule |= {"method": "proportional", "basis": "tokens"}
    rule |= {"first_month": MONTHS[0], "last_month": MONTHS[0]}
    rows = Given([*lines, place | pool | {"metered_cost_usd": Decimal(usd)}], [rule]).rows()
    parts = {
        row["cost_center"]: row["metered_cost_usd"] for row in rows if row["source"] == "platform"
    }

    assert sum(parts.values()) == Decimal(usd)
    for name, weight in _FOUR:
        part = parts.get(name, Decimal())
        assert part == 0 or (part < 0) == (usd < "0")
        assert abs(Fraction(part) - Fraction(usd) * weight / 11) < Fraction(UNIT)


_money = st.integers(-(10**6), 10**15).map(lambda units: Decimal(units) * UNIT)
_counts = st.integers(0, 10**9)
_keys = st.tuples(
    st.sampled_from(MONTHS[:2]),
    st.sampled_from(["w-1", "w-2"]),
    st.sampled_from(["a-1", "a-2", "a-3", "(platform)", "(none)"]),
    st.sampled_from(["A", "B", "C", "D", "(none)"]),
)
_rules = st.tuples(
    st.sampled_from(["platform", "no_agent", "unlisted", "failed"]),
    st.sampled_from(["even", "fixed", "cost", "billed", "runs", "tokens"]),
    st.sampled_from(["w-1", "w-2"]),
    st.lists(st.sampled_from(MONTHS), min_size=2, max_size=2),
)
_AMOUNTS = ("metered_cost_usd", "billed_usd", "cost_usd", "failed_cost_usd", "unlisted_cost_usd")


@st.composite
def _given(draw: st.DrawFn) -> Given:
    given = Given()
    kinds = {"(platform)": "platform", "(none)": "no_agent"}
    for key in draw(st.lists(_keys, max_size=14)):
        row = dict(zip(("month", "workspace_id", "agent_id", "cost_center"), key, strict=True))
        row["line_type"] = kinds.get(row["agent_id"], "agent")
        row |= {name: draw(st.none() | _money) for name in _AMOUNTS}
        row |= {name: draw(_counts) for name in ("run_count", "tokens_in", "tokens_out")}
        given.lines.append(row)
    for number, (source, method, workspace, months) in enumerate(
        draw(st.lists(_rules, max_size=7))
    ):
        basis = method if method not in ("even", "fixed") else None
        rule = {"workspace_id": workspace, "source": source, "precedence": number, "rule": number}
        rule |= {"name": f"rule {number}", "method": "proportional" if basis else method}
        rule |= dict(zip(("first_month", "last_month"), sorted(months), strict=True))
        given.rules.append(rule | {"basis": basis})
        if method == "fixed":
            cuts = sorted(draw(st.lists(st.integers(0, 10**12), max_size=4)))
            spans = zip("AXYZB", [0, *cuts], [*cuts, 10**12], strict=False)
            given.shares += [
                {"rule": number, "cost_center": name, "share": (end - start) * UNIT}
                for name, start, end in spans
            ]
    return given


def sums(rows: list[dict[str, Any]], *by: str) -> dict[tuple[Any, ...], Amounts]:
    """Return cost and bill of rows by these columns."""
    found: defaultdict[tuple[Any, ...], Amounts] = defaultdict(lambda: (Decimal(), Decimal()))
    for row in rows:
        cost, bill = found[key := key_of(row, by)]
        found[key] = cost + (row["metered_cost_usd"] or 0), bill + (row["billed_usd"] or 0)
    return {key: amounts for key, amounts in found.items() if any(amounts)}


def key_of(row: dict[str, Any], by: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row[name] for name in by)


def prove(given: Given) -> None:
    """Assert all invariants of the model's rows."""
    rows = given.rows()
    assert len({key_of(row, KEY) for row in rows}) == len(rows)
    for row in rows:
        unknown = {name for name, value in row.items() if value is None}
        assert unknown <= {"agent_name", "metered_cost_usd", "billed_usd"}

    # Nothing is lost, and so no total changes: each line equals its drill-down.
    charges = sums(
        [row | {"usage_month": row["month"]} for row in given.lines], *LINE, "cost_center"
    )
    line = (*LINE, "line_cost_center")
    assert sums(rows, *line) == charges

    for row in rows:
        charged = charges[key_of(row, line)]
        for place, name in enumerate(("metered_cost_usd", "billed_usd")):
            assert (row[name] or 0) >= 0 or charged[place] < 0

    direct = [row for row in rows if row["source"] == "direct"]
    found = sums(direct, *LINE, "cost_center")
    assert all(row["line_cost_center"] == row["cost_center"] for row in direct)
    divided = {key_of(row, line) for row in rows if row["source"] in ("failed", "unlisted")}
    for key in {*charges, *found}:
        if key[2].startswith("a-"):
            charged, left = (each.get(key, (Decimal(), Decimal())) for each in (charges, found))
            assert left == charged or key in divided
            assert all(abs(one) <= abs(other) for one, other in zip(left, charged, strict=True))


@settings(max_examples=60, derandomize=True)
@given(_given())
def test_no_rules_break_the_invariants(given: Given) -> None:
    """No total changes, nothing is lost or made negative, and lines equal their drill-down."""
    prove(given)


@pytest.mark.long
@settings(max_examples=2_000, database=None, print_blob=True)
@given(_given())
def test_no_rules_of_many_break_the_invariants(given: Given) -> None:
    """The same of other rules each time; a failure prints how to repeat it."""
    prove(given)
