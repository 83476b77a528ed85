"""Text of the summary in Markdown."""

from __future__ import annotations

import pytest

from analytics.report.summary.files import escaped


@pytest.mark.parametrize("text", ["$5.66 in 553 runs; +$2.03 (+26%)", "Söhne 🍞", "8 h 37 min"])
def test_plain_text_stays_plain_in_markdown(text: str) -> None:
    """Money, counts and ordinary names need no mark."""
    assert escaped(text) == text
