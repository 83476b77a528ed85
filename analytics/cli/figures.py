"""The published figures that a command reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.cli import printed

if TYPE_CHECKING:
    from analytics.warehouse.layout import Layout


def warn_of_writer(layout: Layout) -> None:
    """Warn if another program has written beside the published file."""
    from analytics.warehouse.layout import logs_of

    for log in logs_of(layout.published)[:1]:
        printed.warn(
            f"{log} is of a program that opened the published file for writing: what it wrote is"
            " not shown, and the next batch removes it. Others cannot read the file until then:"
            " open it read-only."
        )
