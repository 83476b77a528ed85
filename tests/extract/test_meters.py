from __future__ import annotations

from datetime import date

import pytest

from analytics.extract.meters import windows


def day(number: int) -> date:
    return date(2026, 11, number)


@pytest.mark.parametrize(
    ("days", "longest", "expected"),
    [
        ([], 30, []),
        ([1], 30, [(1, 2)]),
        ([3, 1, 2], 30, [(1, 4)]),
        ([1, 2, 5], 30, [(1, 3), (5, 6)]),
        ([1, 2, 3], 1, [(1, 2), (2, 3), (3, 4)]),
        ([1, 2, 3, 4, 5], 2, [(1, 3), (3, 5), (5, 6)]),
    ],
)
def test_days_are_covered_by_few_windows(
    days: list[int], longest: int, expected: list[tuple[int, int]]
) -> None:
    """Consecutive days share a window, which is never longer than the API allows."""
    assert [(day(start), day(end)) for start, end in expected] == windows(map(day, days), longest)
