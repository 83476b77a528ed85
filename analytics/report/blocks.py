"""What a template prints: a headline figure, and a chart with the table behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

    from analytics.report.charts import Figure
    from analytics.report.tables import Table


@dataclass(frozen=True)
class Kpi:
    """A headline figure: its value, the exact one if that was shortened, and its context."""

    label: str
    value: str
    exact: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart: its finding, what is measured, and the table that proves it.

    Without a figure, `subtitle` says why there is none. Its table is `table`, or the one
    that stands elsewhere on the page under the key `see_table`. `static` is the drawing for
    readers without script.
    """

    key: str
    title: str
    subtitle: str
    figure: Figure | None = None
    table: Table | None = None
    see_table: str = ""
    static: Markup | None = None


def missing(key: str, title: str, reason: str) -> Chart:
    """The place of a chart that has nothing to show."""
    return Chart(key, title, reason)
