from __future__ import annotations

import analytics.levain


def test_exports_are_sorted_and_there() -> None:
    """Each public name of the client is importable, and stands in its place."""
    names = analytics.levain.__all__

    assert sorted(names) == names
    assert [name for name in names if not hasattr(analytics.levain, name)] == []
