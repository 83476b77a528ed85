"""Cost by day stands in its place before any script has drawn it."""

from __future__ import annotations

from decimal import Decimal

from analytics.report.drawings import columns


def test_columns_have_the_largest_amount_as_their_top() -> None:
    """A day of nothing, of a refund or of unknown cost has no column, but keeps its place."""
    drawn = columns([Decimal("1.5"), None, Decimal(0), Decimal(-1), Decimal(3)])

    assert 'viewBox="0 0 5 100"' in drawn
    assert 'd="M0.1 100v-50h.8v50zM4.1 100v-100h.8v100z"' in drawn
    assert ">$3.00</text>" in drawn


def test_nothing_is_drawn_of_nothing() -> None:
    """Without a cost there are no columns."""
    assert columns([]) == columns([None, Decimal(0)]) == ""
