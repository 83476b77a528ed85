"""What needs no script: cost by day, in its place before one has drawn it, and rates."""

from __future__ import annotations

from decimal import Decimal

from analytics.format.numbers import wilson_interval
from analytics.report.drawings import columns, interval


def test_columns_have_the_largest_amount_as_their_top() -> None:
    """A day of nothing, of a refund or of unknown cost has no column, but keeps its place."""
    drawn = columns([Decimal("1.5"), None, Decimal(0), Decimal(-1), Decimal(3)])

    assert 'viewBox="0 0 5 100"' in drawn
    assert 'd="M0.1 100v-50h.8v50zM4.1 100v-100h.8v100z"' in drawn
    assert ">$3.00</text>" in drawn


def test_nothing_is_drawn_of_nothing() -> None:
    """Without a cost there are no columns."""
    assert columns([]) == columns([None, Decimal(0)]) == ""


def test_a_rate_is_drawn_in_its_interval() -> None:
    """It lies within its bounds, from zero to the top of the column; of few runs it is hollow."""
    low, high = wilson_interval(13, 310)
    drawn = interval(13, 310, high)

    assert f'd="M{round(3 + low / high * 90, 1)} 3v8m0-4H93.0m0-4v8"' in drawn
    assert f'<circle cx="{round(3 + 13 / 310 / high * 90, 1)}"' in drawn
    assert [" few" in each for each in (drawn, interval(0, 19, 1.0))] == [False, True]
