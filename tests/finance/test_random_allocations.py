"""Random sets of allocation rules: no total changes, nothing is lost, nothing turns negative."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.transform.allocations import (
    KEY,
)
from tests.finance.pools import LINE, MONTHS, UNIT, Amounts, Given

# Any rules.

_money = st.integers(-(10**6), 10**15).map(lambda units: Decimal(units) * UNIT)
_known = st.one_of(st.none(), _money)
_counts = st.integers(0, 10**9)
_centers = st.sampled_from(["A", "B", "C", "D", "(none)"])
_agents = st.sampled_from(["a-1", "a-2", "a-3", "(platform)", "(none)"])
_workspaces = st.sampled_from(["w-1", "w-2"])
_sources = st.sampled_from(["platform", "no_agent", "unlisted", "failed"])


@st.composite
def _given(draw: st.DrawFn) -> Given:
    given = Given()
    keys = st.tuples(st.sampled_from(MONTHS[:2]), _workspaces, _agents, _centers)
    for month, workspace, agent, center in draw(st.lists(keys, max_size=14)):
        amounts = draw(st.tuples(_known, _known, _known, _known, _known))
        names = (
            "metered_cost_usd", "billed_usd", "cost_usd", "failed_cost_usd", "unlisted_cost_usd",
        )  # fmt: skip
        given.line(
            agent, center, month=month, workspace_id=workspace,
            run_count=draw(_counts), tokens_in=draw(_counts), tokens_out=draw(_counts),
            **dict(zip(names, amounts, strict=True)),
        )  # fmt: skip
    for source, method in draw(
        st.lists(
            st.tuples(_sources, st.sampled_from(["even", "fixed", "proportional"])), max_size=7
        )
    ):
        first, last = sorted(draw(st.tuples(st.sampled_from(MONTHS), st.sampled_from(MONTHS))))
        cuts = draw(st.lists(st.integers(0, 10**12), max_size=4).map(sorted))
        ends = [*cuts, 10**12]
        shares = {
            name: (end - start) * UNIT
            for name, start, end in zip("AXYZB", [0, *cuts], ends, strict=False)
        }
        bases = ["cost", "billed", "runs", "tokens"] if method == "proportional" else [None]
        given.rule(
            source, method, draw(st.sampled_from(bases)),
            workspace_id=draw(_workspaces),
            first_month=first, last_month=last, **({"shares": shares} if method == "fixed" else {}),
        )  # fmt: skip
    return given


def sums(rows: list[dict[str, Any]], cost: str, *by: str) -> dict[tuple[Any, ...], Amounts]:
    """Return cost and bill of rows by these columns."""
    found: defaultdict[tuple[Any, ...], Amounts] = defaultdict(lambda: (Decimal(), Decimal()))
    for row in rows:
        before, key = found[key_of(row, by)], key_of(row, by)
        found[key] = before[0] + (row[cost] or 0), before[1] + (row["billed_usd"] or 0)
    return {key: amounts for key, amounts in found.items() if any(amounts)}


def key_of(row: dict[str, Any], by: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row[name] for name in by)


def prove(given: Given) -> None:
    """Assert all invariants of the model's rows."""
    rows = given.rows()
    assert len({key_of(row, KEY) for row in rows}) == len(rows)
    for row in rows:
        unknown = {name for name, value in row.items() if value is None}
        assert unknown <= {"metered_cost_usd", "billed_usd"}

    # Nothing is lost, and so no total changes: each line equals its drill-down.
    lines = [row | {"usage_month": row["month"]} for row in given.lines]
    charges = sums(lines, "metered_cost_usd", *LINE, "cost_center")
    assert sums(rows, "metered_cost_usd", *LINE, "line_cost_center") == charges

    for row in rows:
        charged = charges[key_of(row, (*LINE, "line_cost_center"))]
        for place, name in enumerate(("metered_cost_usd", "billed_usd")):
            assert (row[name] or 0) >= 0 or charged[place] < 0

    direct = [row for row in rows if row["source"] == "direct"]
    found = sums(direct, "metered_cost_usd", *LINE, "cost_center")
    assert all(row["line_cost_center"] == row["cost_center"] for row in direct)
    line = (*LINE, "line_cost_center")
    divided = {key_of(row, line) for row in rows if row["source"] in ("failed", "unlisted")}
    for key in {*charges, *found}:
        if key[2].startswith("a-"):
            charged, left = (each.get(key, (Decimal(), Decimal())) for each in (charges, found))
            assert left == charged or key in divided
            assert all(abs(one) <= abs(other) for one, other in zip(left, charged, strict=True))


@settings(max_examples=200, derandomize=True)
@given(_given())
def test_no_rules_break_the_invariants(given: Given) -> None:
    """No total changes, nothing is lost or made negative, and lines equal their drill-down."""
    prove(given)


@pytest.mark.slow
@settings(max_examples=10_000, database=None, print_blob=True)
@given(_given())
def test_no_rules_of_many_break_the_invariants(given: Given) -> None:
    """The same of other rules each time; a failure prints how to repeat it."""
    prove(given)
