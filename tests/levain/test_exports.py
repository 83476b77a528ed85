from __future__ import annotations

import analytics.levain


def test_exports_are_sorted_and_there() -> None:
    """Each name in `__all__` is importable, and the list is sorted."""
    names = analytics.levain.__all__

    assert sorted(names) == names
    assert [name for name in names if not hasattr(analytics.levain, name)] == []
