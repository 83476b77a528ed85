"""What all figures share: plain dicts, as Plotly takes them.

Colours are roles (`@cost`) that the style sheet gives a value, in light and in dark. Values
are positions on the screen; what a reader sees of them are finished texts, escaped for Plotly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from analytics.report.axes import Axis
    from analytics.report.periods import Period

Figure: TypeAlias = dict[str, Any]
Value: TypeAlias = "Decimal | float | None"

DAY_MS = 86_400_000
LEGEND = {
    "orientation": "h",
    "x": 0,
    "xanchor": "left",
    "y": 1.02,
    "yanchor": "bottom",
    "itemclick": False,
    "itemdoubleclick": False,
    "traceorder": "normal",
}

_TEXT_MARGIN = 84
_ROW_HEIGHT = 30
_FEW_DAYS = 21


def number(value: Value) -> float | None:
    """A value as a position on the screen: more than six digits are finer than its pixels."""
    return None if value is None else float(f"{float(value):.6g}")


def value_axis(axis: Axis) -> dict[str, Any]:
    """A value axis with its ticks, from zero to its top."""
    return {
        "range": [0, number(axis.top)],
        "tickvals": [number(tick) for tick in axis.ticks],
        "ticktext": list(axis.texts),
    }


def day_axis(span: Period) -> dict[str, Any]:
    """A time axis for such days; Plotly alone would put hours between few of them."""
    axis: dict[str, Any] = {"type": "date", "tickformat": "%-d %b", "hoverformat": "%-d %b %Y"}
    if span.day_count < _FEW_DAYS:
        axis["dtick"] = 4 * DAY_MS
    return axis


def row_positions(rows: Sequence[Any]) -> list[str]:
    """Positions that stand for rows: two rows may have the same label."""
    return [f"row {index}" for index, _ in enumerate(rows)]


def rows_layout(labels: Sequence[str], lines: int = 1) -> dict[str, Any]:
    """The layout of a chart with a row for each label, each of so many lines."""
    positions = row_positions(labels)
    return {
        "height": 64 + len(labels) * (_ROW_HEIGHT * (1 + lines) // 2),
        "hovermode": "closest",
        "margin": {"r": _TEXT_MARGIN, "l": 8},
        "bargap": 0.35,
        "yaxis": {
            "type": "category",
            "autorange": "reversed",
            "categoryorder": "array",
            "categoryarray": positions,
            "tickvals": positions,
            "ticktext": list(labels),
            "showgrid": False,
        },
    }
