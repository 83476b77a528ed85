"""The figures that a command reads: as they are published, or with `--as-of` as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from analytics.cli import printed

if TYPE_CHECKING:
    from analytics.published.figures import Figures
    from analytics.settings import Settings
    from analytics.warehouse.layout import Layout


@contextmanager
def figures_of(settings: Settings, as_of: str | None) -> Iterator[Figures]:
    """Yield the published figures, or as they were published at a day or an instant.

    What may make these differ is printed as a warning. UsageError for a time before the first
    publication; BusyError while a batch is at work.
    """
    if as_of is None:
        from analytics.published.figures import Figures
        from analytics.warehouse.layout import Layout

        layout = Layout(settings.data_dir)
        warn_of_writer(layout)
        yield Figures(layout)
        return
    from analytics.published.as_of import past_figures

    with past_figures(settings, as_of, printed.warn) as past:
        yield past


def warn_of_writer(layout: Layout) -> None:
    """Warn if another program has written beside the published file."""
    from analytics.warehouse.layout import logs_of

    for log in logs_of(layout.published)[:1]:
        printed.warn(
            f"{log} is of a program that opened the published file for writing: what it wrote is"
            " not shown, and the next batch removes it. Others cannot read the file until then:"
            " open it read-only."
        )
