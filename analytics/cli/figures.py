"""The published figures that a command reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.cli import printed

if TYPE_CHECKING:
    from analytics.warehouse.layout import Layout


def warn_of_writer(layout: Layout) -> None:
    """Warn if another program has written beside the published file."""
    from analytics.warehouse.layout import written_beside

    for text in written_beside(layout.published):
        printed.warn(text)
