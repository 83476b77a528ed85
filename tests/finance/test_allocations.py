"""Allocation: shared pools go to cost centers, and no total changes, whatever the rules."""

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

from analytics.transform.allocations import (
    CLOSINGS,
    KEY,
    LINES,
    RULES,
    SCHEMA,
    SHARES,
    allocate,
    allocations,
)

W = "w-1"
MONTHS = [date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]
OCTOBER, NOVEMBER = MONTHS[1:]
FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)
MONEY = pl.Decimal(38, 10)
UNIT = Decimal("1e-10")
LINE = ("month", "workspace_id", "agent_id")
Amounts = tuple[Decimal, Decimal]

_TYPES: Mapping[str, Any] = {
    **dict.fromkeys((*LINES, *RULES, *SHARES, *CLOSINGS), pl.String()),
    **{name: MONEY for name in LINES if name.endswith("_usd")},
    **dict.fromkeys(("run_count", "tokens_in", "tokens_out", "precedence", "rule"), pl.Int64()),
    **dict.fromkeys(("month", "first_month", "last_month"), pl.Date()),
    "is_chargeback": pl.Boolean(),
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
            "name": f"rule {number}", "method": method, "basis": basis, "is_chargeback": False,
            "first_month": FIRST, "last_month": LAST,
        }  # fmt: skip
        self.rules.append(row | more)

    def frames(self) -> list[pl.DataFrame]:
        months = {row["month"] for row in self.closed}
        return [
            frame(LINES, self.lines),
            frame(RULES, self.rules),
            frame(SHARES, self.shares),
            frame(CLOSINGS, [{"month": month, "state": "closed"} for month in months]),
            pl.DataFrame(self.closed, SCHEMA),
        ]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the model."""
        return allocations(*self.frames()).to_dicts()

    def costs(self) -> dict[tuple[str, str], Decimal]:
        """Return the cost by source and cost center."""
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in self.rows():
            found[row["source"], row["cost_center"]] += row["cost_usd"]
        return dict(found)


def bakery(**platform: Any) -> Given:
    """Two cost centers that were charged 30 and 10 dollars, and a platform that costs 8."""
    given = Given()
    given.line("a-1", "A", "30", run_count=1, tokens_in=0, billed_usd=Decimal(3))
    given.line("a-2", "B", "10", run_count=3, tokens_in=5, tokens_out=5, billed_usd=Decimal(13))
    given.line("a-3", "(none)", "5")
    given.line("(platform)", cost="8", run_count=0, **platform)
    return given


# Splitting an amount.


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        ("1", ["1", "1"], ["0.5", "0.5"]),
        ("1", ["1", "1", "1"], ["0.3333333334", "0.3333333333", "0.3333333333"]),
        ("2", ["1", "1", "1"], ["0.6666666667", "0.6666666667", "0.6666666666"]),
        ("-1", ["1", "1", "1"], ["-0.3333333334", "-0.3333333333", "-0.3333333333"]),
        ("0.0000000001", ["0", "1", "2"], ["0", "0", "0.0000000001"]),
        ("0", ["1", "2"], ["0", "0"]),
        ("100", ["33.3", "66.7"], ["33.3", "66.7"]),
        ("999999999999.9999999999", ["1e12", "1e-10"], ["999999999999.9999999998", "0.0000000001"]),
    ],
)
def test_an_amount_is_split_by_the_largest_remainder(
    amount: str, weights: list[str], parts: list[str]
) -> None:
    """Parts are rounded down at ten decimals; the last digits go to the largest remainders."""
    assert allocate(Decimal(amount), [*map(Decimal, weights)]) == [*map(Decimal, parts)]


@pytest.mark.parametrize(
    ("amount", "weights"),
    [("1", []), ("1", ["0", "0"]), ("1", ["2", "-1"]), ("1e-11", ["1"]), ("1", ["1e-11"])],
)
def test_what_cannot_be_split_raises(amount: str, weights: list[str]) -> None:
    """Nothing is split without a weight above zero, by a negative one, or inexactly."""
    with pytest.raises(ValueError, match=r"weights are zero or more|more than ten decimals"):
        allocate(Decimal(amount), [*map(Decimal, weights)])


_amounts = st.decimals(-(10**12), 10**12, places=10)
_weights = st.lists(st.decimals(0, 10**12, places=10), min_size=1, max_size=9).filter(any)


@given(_amounts, _weights)
def test_parts_add_up_and_are_fair(amount: Decimal, weights: list[Decimal]) -> None:
    """Parts add up to the amount, and each is within a digit of its exact share."""
    parts, total = allocate(amount, weights), Fraction(sum(weights))

    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert part == 0 or (part < 0) == (amount < 0)
        assert abs(Fraction(part) - Fraction(amount) * Fraction(weight) / total) < UNIT


# Rules, one by one.


def test_without_a_rule_pools_are_not_allocated() -> None:
    """Direct lines stay where they are, and the platform is a line of its own."""
    given = bakery()
    given.line("(none)", cost="2", metered_cost_usd=None, billed_usd=None)

    assert given.costs() == {
        ("direct", "A"): 30,
        ("direct", "B"): 10,
        ("direct", "(none)"): 5,
        ("platform", "(not allocated)"): 6,
        ("no_agent", "(not allocated)"): 2,
    }


def test_without_a_rule_an_owner_of_the_platform_bears_it() -> None:
    """What no rule shares out stays at the cost center that owners.csv names for its line."""
    given = bakery(cost_center="IT")

    assert given.costs()["platform", "IT"] == 8


@pytest.mark.parametrize(
    ("method", "basis", "a", "b"),
    [
        ("even", None, "4", "4"),
        ("proportional", "cost", "6", "2"),
        ("proportional", "billed", "1.5", "6.5"),
        ("proportional", "runs", "2", "6"),
        ("proportional", "tokens", "0", "8"),
    ],
)
def test_a_pool_is_shared_by_its_method(method: str, basis: str | None, a: str, b: str) -> None:
    """Cost centers with direct lines bear it; agents without one do not count."""
    given = bakery()
    given.rule("platform", method, basis)
    costs = given.costs()

    assert costs.get(("platform", "A"), 0) == Decimal(a)
    assert costs["platform", "B"] == Decimal(b)
    assert costs["direct", "(none)"] == 5


def test_a_fixed_rule_names_its_cost_centers() -> None:
    """They bear a pool by their shares, with or without direct lines; the bill goes along."""
    given = bakery(billed_usd=Decimal(1))
    given.rule("platform", "fixed", shares={"C": "75", "A": "25"}, is_chargeback=True)
    shared = [row for row in given.rows() if row["source"] == "platform"]

    assert [
        (row["cost_center"], row["cost_usd"], row["billed_usd"], row["rule"], row["is_chargeback"])
        for row in shared
    ] == [("A", 2, Decimal("0.25"), "rule 1", True), ("C", 6, Decimal("0.75"), "rule 1", True)]


def test_usage_without_an_agent_is_part_of_the_platforms_line() -> None:
    """It is at most that line, and its bill is in proportion to its cost."""
    given = bakery(billed_usd=Decimal(4))
    given.line("(none)", cost="2", metered_cost_usd=None, billed_usd=None)
    given.rule("no_agent", "fixed", shares={"A": "100"})
    rows = {row["source"]: row for row in given.rows()}

    assert (rows["no_agent"]["cost_usd"], rows["no_agent"]["billed_usd"]) == (2, 1)
    assert (rows["platform"]["cost_usd"], rows["platform"]["billed_usd"]) == (6, 3)

    given.line("(platform)", "IT", cost="3", billed_usd=Decimal(3))
    assert given.costs()["no_agent", "A"] == 2

    given.line("(none)", "D", cost="99", metered_cost_usd=None, billed_usd=None)
    rows = {row["source"]: row for row in given.rows()}
    assert rows["no_agent"]["cost_usd"] == 11
    assert "platform" not in rows


def test_failed_and_unlisted_runs_are_shared_only_by_a_rule() -> None:
    """They are taken from the agent's line, failed runs first, and never more than it has."""
    given = bakery()
    given.line(
        "a-9", "A", "10", billed_usd=Decimal(20),
        failed_cost_usd=Decimal(7), unlisted_cost_usd=Decimal(6),
    )  # fmt: skip
    assert given.costs()["direct", "A"] == 40

    given.rule("unlisted", "fixed", shares={"B": "100"})
    assert given.costs()["unlisted", "B"] == 6
    given.rule("failed", "even")
    rows = [row for row in given.rows() if row["agent_id"] == "a-9"]

    assert [
        (row["source"], row["cost_center"], row["cost_usd"], row["billed_usd"]) for row in rows
    ] == [
        ("failed", "A", Decimal("3.5"), 7),
        ("failed", "B", Decimal("3.5"), 7),
        ("unlisted", "B", 3, 6),
    ]


def test_a_rule_counts_in_its_workspace_and_months() -> None:
    """Of those that match, the one of the lowest precedence; elsewhere nothing is shared."""
    given = bakery()
    given.line("(platform)", cost="4", month=NOVEMBER)
    given.line("a-1", "A", "1", month=NOVEMBER)
    given.line("(platform)", cost="7", workspace_id="w-2")
    given.rule("platform", "fixed", shares={"X": "100"}, last_month=date(2026, 10, 31))
    given.rule("platform", "fixed", shares={"Y": "100"})
    shared = {
        (row["workspace_id"], row["month"], row["cost_center"]): row["cost_usd"]
        for row in given.rows()
        if row["source"] == "platform"
    }

    assert shared == {
        (W, OCTOBER, "X"): 8,
        (W, NOVEMBER, "Y"): 4,
        ("w-2", OCTOBER, "(not allocated)"): 7,
    }


def test_a_closed_month_is_as_booked() -> None:
    """Its rows are those of the books, whatever charges and rules say by now."""
    given = bakery()
    given.rule("platform", "even")
    before = given.rows()
    given.closed = before
    given.rules[0]["method"] = "fixed"
    given.line("a-1", "A", "99")
    given.line("a-1", "A", "1", month=NOVEMBER)
    after = given.rows()

    assert [row for row in after if row["month"] == OCTOBER] == before
    assert [row["cost_usd"] for row in after if row["month"] == NOVEMBER] == [1]


# What users of other tools complained of.


def test_sharing_changes_no_total() -> None:
    """The total of a workspace is the same with shared cost as without."""
    plain, shared = bakery(), bakery()
    shared.rule("platform", "proportional", "runs")

    assert sum(plain.costs().values()) == sum(shared.costs().values()) == 53


def test_a_line_is_the_sum_of_its_drill_down() -> None:
    """An agent's rows add up to its charge, and a direct line alone is the whole of it."""
    given = bakery()
    given.line("a-9", "B", "10", failed_cost_usd=Decimal(7))
    given.rule("failed", "proportional", "cost")
    given.rule("platform", "proportional", "cost")
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in given.rows():
        sums[row["agent_id"]] += row["cost_usd"]

    assert sums == {row["agent_id"]: row["metered_cost_usd"] for row in given.lines}


def test_weights_make_nothing_negative() -> None:
    """A cost center with a negative cost, as after a credit, bears nothing of a pool."""
    given = bakery()
    given.line("a-9", "C", "-20")
    given.rule("platform", "proportional", "cost")
    costs = given.costs()

    assert (costs["platform", "A"], costs["platform", "B"]) == (6, 2)
    assert ("platform", "C") not in costs
    assert costs["direct", "C"] == -20


def test_without_any_weight_nothing_vanishes() -> None:
    """What nobody can bear is not allocated; the rule that could not share it out is named."""
    given = Given()
    given.line("a-1", "A", "30", tokens_in=0)
    given.line("(platform)", cost="8")
    given.rule("platform", "proportional", "tokens", is_chargeback=True)
    (row,) = (row for row in given.rows() if row["source"] == "platform")

    assert (row["cost_center"], row["rule"], row["cost_usd"], row["is_chargeback"]) == (
        "(not allocated)", "rule 1", 8, False,
    )  # fmt: skip


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
            workspace_id=draw(_workspaces), is_chargeback=draw(st.booleans()),
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
    assert all(value is not None for row in rows for value in row.values())

    # Nothing is lost, and so no total changes: each line equals its drill-down.
    assert sums(rows, "cost_usd", *LINE) == sums(given.lines, "metered_cost_usd", *LINE)

    charges = sums(given.lines, "metered_cost_usd", *LINE, "cost_center")
    negative = {
        (*key[:3], place)
        for key, amounts in charges.items()
        for place, amount in enumerate(amounts)
        if amount < 0
    }
    for row in rows:
        for place, name in enumerate(("cost_usd", "billed_usd")):
            assert row[name] >= 0 or (*key_of(row, LINE), place) in negative

    direct = [row for row in rows if row["source"] == "direct"]
    found = sums(direct, "cost_usd", *LINE, "cost_center")
    divided = {key_of(row, LINE) for row in rows if row["source"] in ("failed", "unlisted")}
    for key in {*charges, *found}:
        if key[2].startswith("a-"):
            charged, left = (each.get(key, (Decimal(), Decimal())) for each in (charges, found))
            assert left == charged or key[:3] in divided
            assert all(abs(one) <= abs(other) for one, other in zip(left, charged, strict=True))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_given())
def test_no_rules_break_the_invariants(given: Given) -> None:
    """No total changes, nothing is lost or made negative, and lines equal their drill-down."""
    prove(given)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, database=None, print_blob=True)
@given(_given())
def test_no_rules_of_many_break_the_invariants(given: Given) -> None:
    """The same of other rules each time; a failure prints how to repeat it."""
    prove(given)
