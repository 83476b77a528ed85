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
            "first_month": date.min, "last_month": date.max,
        }  # fmt: skip
        self.rules.append(row | more)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the model."""
        months = {row["usage_month"] for row in self.closed}
        return allocations(
            frame(LINES, self.lines),
            frame(RULES, self.rules),
            frame(SHARES, self.shares),
            frame(CLOSINGS, [{"month": month, "status": "closed"} for month in months]),
            pl.DataFrame(self.closed, SCHEMA),
        ).to_dicts()

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


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        ("1", ["1", "1"], ["0.5", "0.5"]),
        ("1", ["1", "1", "1"], ["0.3333333334", "0.3333333333", "0.3333333333"]),
        ("2", ["1", "1", "1"], ["0.6666666667", "0.6666666667", "0.6666666666"]),
        ("-1", ["1", "1", "1"], ["-0.3333333334", "-0.3333333333", "-0.3333333333"]),
        ("0.0000000001", ["0", "1", "2"], ["0", "0", "0.0000000001"]),
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


@settings(max_examples=50)
@given(_amounts, _weights)
def test_parts_add_up_and_are_fair(amount: Decimal, weights: list[Decimal]) -> None:
    """Parts add up to the amount, and each is within a digit of its exact share."""
    parts, total = allocate(amount, weights), Fraction(sum(weights))

    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert part == 0 or (part < 0) == (amount < 0)
        assert abs(Fraction(part) - Fraction(amount) * Fraction(weight) / total) < UNIT


def test_without_a_rule_pools_are_not_allocated() -> None:
    """Direct lines stay where they are; a platform with an owner is borne by its cost center."""
    given = bakery()
    given.line("(none)", cost="2", metered_cost_usd=None, billed_usd=None)
    direct = {("direct", "A"): 30, ("direct", "B"): 10, ("direct", "(none)"): 5}

    assert given.costs() == direct | {
        ("platform", "(not allocated)"): 6, ("no_agent", "(not allocated)"): 2,
    }  # fmt: skip
    assert bakery(cost_center="IT").costs() == direct | {("platform", "IT"): 8}


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
    given.rule("platform", "fixed", shares={"C": "75", "A": "25"})
    shared = [row for row in given.rows() if row["source"] == "platform"]

    assert [
        (row["cost_center"], row["metered_cost_usd"], row["billed_usd"], row["rule"])
        for row in shared
    ] == [("A", 2, Decimal("0.25"), "rule 1"), ("C", 6, Decimal("0.75"), "rule 1")]


def test_usage_without_an_agent_is_part_of_the_platforms_line() -> None:
    """It is at most that line, and its bill is in proportion to its cost."""
    given = bakery(billed_usd=Decimal(4))
    given.line("(none)", cost="2", metered_cost_usd=None, billed_usd=None)
    given.rule("no_agent", "fixed", shares={"A": "100"})
    rows = {row["source"]: row for row in given.rows()}

    assert (rows["no_agent"]["metered_cost_usd"], rows["no_agent"]["billed_usd"]) == (2, 1)
    assert (rows["platform"]["metered_cost_usd"], rows["platform"]["billed_usd"]) == (6, 3)

    given.line("(platform)", "IT", cost="3", billed_usd=Decimal(3))
    assert given.costs()["no_agent", "A"] == 2

    given.line("(none)", "D", cost="99", metered_cost_usd=None, billed_usd=None)
    assert given.costs()["no_agent", "A"] == 11
    assert "platform" not in {row["source"] for row in given.rows()}


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
        (row["source"], row["cost_center"], row["metered_cost_usd"], row["billed_usd"])
        for row in rows
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
        (row["workspace_id"], row["usage_month"], row["cost_center"]): row["metered_cost_usd"]
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
    given.closed = before = given.rows()
    given.rules[0]["method"] = "fixed"
    given.line("a-1", "A", "99")
    given.line("a-1", "A", "1", month=NOVEMBER)
    after = given.rows()

    assert [row for row in after if row["usage_month"] == OCTOBER] == before
    assert [row["metered_cost_usd"] for row in after if row["usage_month"] == NOVEMBER] == [1]


def test_weights_make_nothing_negative() -> None:
    """A cost center with a negative cost, as after a credit, bears nothing of a pool."""
    given = bakery()
    given.line("a-9", "C", "-20")
    given.rule("platform", "proportional", "cost")
    costs = given.costs()

    assert (costs["platform", "A"], costs["platform", "B"], costs["direct", "C"]) == (6, 2, -20)
    assert ("platform", "C") not in costs


def test_without_any_weight_nothing_vanishes() -> None:
    """What nobody can bear is not allocated; the rule that could not share it out is named."""
    given = Given()
    given.line("a-1", "A", "30", tokens_in=0)
    given.line("(platform)", cost="8")
    given.rule("platform", "proportional", "tokens")
    (row,) = (row for row in given.rows() if row["source"] == "platform")

    assert (row["cost_center"], row["rule"]) == ("(not allocated)", "rule 1")
    assert row["metered_cost_usd"] == 8


_money = st.integers(-(10**6), 10**15).map(lambda units: Decimal(units) * UNIT)
_counts = st.integers(0, 10**9)
_keys = st.tuples(
    st.sampled_from(MONTHS[:2]), st.sampled_from(["w-1", "w-2"]),
    st.sampled_from(["a-1", "a-2", "a-3", "(platform)", "(none)"]),
    st.sampled_from(["A", "B", "C", "D", "(none)"]),
)  # fmt: skip
_rules = st.tuples(
    st.sampled_from(["platform", "no_agent", "unlisted", "failed"]),
    st.sampled_from(["even", "fixed", "cost", "billed", "runs", "tokens"]),
    st.sampled_from(["w-1", "w-2"]), st.lists(st.sampled_from(MONTHS), min_size=2, max_size=2),
)  # fmt: skip
_AMOUNTS = ("metered_cost_usd", "billed_usd", "cost_usd", "failed_cost_usd", "unlisted_cost_usd")


@st.composite
def _given(draw: st.DrawFn) -> Given:
    given = Given()
    for month, workspace, agent, center in draw(st.lists(_keys, max_size=14)):
        amounts = {name: draw(st.none() | _money) for name in _AMOUNTS}
        counts = {name: draw(_counts) for name in ("run_count", "tokens_in", "tokens_out")}
        given.line(agent, center, month=month, workspace_id=workspace, **amounts, **counts)
    for source, method, workspace, months in draw(st.lists(_rules, max_size=7)):
        more: dict[str, Any] = {}
        if method == "fixed":
            cuts = sorted(draw(st.lists(st.integers(0, 10**12), max_size=4)))
            spans = zip("AXYZB", [0, *cuts], [*cuts, 10**12], strict=False)
            more["shares"] = {name: (end - start) * UNIT for name, start, end in spans}
        elif method != "even":
            more["basis"], method = method, "proportional"
        first, last = sorted(months)
        given.rule(
            source, method, workspace_id=workspace, first_month=first, last_month=last, **more
        )
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
        assert unknown <= {"metered_cost_usd", "billed_usd"}

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


@pytest.mark.slow
@settings(max_examples=10_000, database=None, print_blob=True)
@given(_given())
def test_no_rules_of_many_break_the_invariants(given: Given) -> None:
    """The same of other rules each time; a failure prints how to repeat it."""
    prove(given)
