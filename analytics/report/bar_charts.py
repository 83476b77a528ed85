"""Horizontal bars: a row each, with their values at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.report.charts import LEGEND, number, row_positions, rows_layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.charts import Figure, Value


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart: its label, and a value with its text for each measure."""

    label: str
    values: Sequence[Value]
    texts: Sequence[str]
    role: str | None = None


def bars(rows: Sequence[Bar], measures: Sequence[tuple[str, str]]) -> Figure:
    """Horizontal bars, a row each, with their values at the end; `measures` are name and role."""
    data = []
    for index, (name, role) in enumerate(measures):
        roles = [row.role or role for row in rows]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": row_positions(rows),
                "x": [number(row.values[index]) for row in rows],
                "text": [row.texts[index] for row in rows],
                "customdata": [row.texts[index] for row in rows],
                "hovertemplate": f"{name} %{{customdata}}<extra></extra>",
                "textposition": "outside",
                "textfont": {"color": "@text"},
                "cliponaxis": False,
                "constraintext": "none",
                "marker": {"color": roles[0] if len(set(roles)) == 1 else roles},
            }
        )
    layout = rows_layout([row.label for row in rows], len(measures))
    largest = max((number(value) or 0 for row in rows for value in row.values), default=0)
    layout["xaxis"] = {"visible": False, "range": [0, largest or 1]}
    layout["margin"] |= {"b": 12}
    if len(measures) > 1:
        layout |= {"barmode": "group", "legend": LEGEND, "showlegend": True}
    return {"data": data, "layout": layout}
