"""The published figures that a command reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.cli import printed

if TYPE_CHECKING:
    from analytics.published.figures import Figures
    from analytics.settings import Settings


def figures_of(settings: Settings) -> Figures:
    """Return the published figures; warn if another program has written beside them."""
    from analytics.published.figures import Figures
    from analytics.warehouse.layout import Layout, written_beside

    layout = Layout(settings.data_dir)
    for text in written_beside(layout.published):
        printed.warn(text)
    return Figures(layout)
