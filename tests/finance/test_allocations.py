"""Allocation: shared pools go to cost centers, and no total changes, whatever the rules."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.transform.allocations import (
    allocate,
)
from tests.finance.pools import NOVEMBER, OCTOBER, UNIT, Given, W, bakery

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
    before = given.rows()
    given.closed = before
    given.rules[0]["method"] = "fixed"
    given.line("a-1", "A", "99")
    given.line("a-1", "A", "1", month=NOVEMBER)
    after = given.rows()

    assert [row for row in after if row["usage_month"] == OCTOBER] == before
    assert [row["metered_cost_usd"] for row in after if row["usage_month"] == NOVEMBER] == [1]


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
        sums[row["agent_id"]] += row["metered_cost_usd"]

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
    given.rule("platform", "proportional", "tokens")
    (row,) = (row for row in given.rows() if row["source"] == "platform")

    assert (row["cost_center"], row["rule"], row["metered_cost_usd"]) == (
        "(not allocated)", "rule 1", 8,
    )  # fmt: skip
