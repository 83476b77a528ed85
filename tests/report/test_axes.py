from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.report.writing import axes

MONEY = st.decimals(0, 10**18, places=10)


@given(st.lists(MONEY, max_size=5))
def test_an_axis_begins_at_zero_and_holds_every_value(values: list[Decimal]) -> None:
    """The ticks of an axis are even, few, and reach from zero to the largest value or more."""
    axis = axes.dollars(values)
    steps = {high - low for low, high in pairwise(axis.ticks)}

    assert axis.ticks[0] == 0
    assert axis.top >= max(values, default=0)
    assert len(steps) == 1
    assert 2 <= len(axis.ticks) <= 8
    assert len(axis.texts) == len(set(axis.texts)) == len(axis.ticks)


@pytest.mark.parametrize(
    ("largest", "texts"),
    [
        ("9", ["$0", "$2.50", "$5", "$7.50", "$10"]),
        ("0.0042", ["$0", "$0.001", "$0.002", "$0.003", "$0.004", "$0.005"]),
        ("1234", ["$0", "$250", "$500", "$750", "$1,000", "$1,250"]),
        ("2500000", ["$0", "$500,000", "$1\u00a0M", "$1.5\u00a0M", "$2\u00a0M", "$2.5\u00a0M"]),
    ],
)
def test_ticks_are_round_amounts(largest: str, texts: list[str]) -> None:
    """Ticks are round, and written with the decimals that they need."""
    assert texts == axes.dollars([Decimal(largest)]).texts
