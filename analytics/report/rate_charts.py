"""Rates with their intervals: over time, or one a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.report.charts import day_axis, number, row_positions, rows_layout, value_axis

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analytics.report.axes import Axis
    from analytics.report.charts import Figure
    from analytics.report.periods import Period


@dataclass(frozen=True)
class Rate:
    """A rate and its interval, as fractions; that of a small sample is drawn hollow."""

    label: str
    rate: float
    low: float
    high: float
    counts: str
    hover: str
    is_small: bool


def rate_points(rates: Sequence[tuple[date, Rate]], axis: Axis, span: Period) -> Figure:
    """Rates over time with their intervals; only those of enough runs are joined by a line."""
    positions = [day.isoformat() for day, _ in rates]
    points = [rate for _, rate in rates]
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": positions,
        "y": [None if point.is_small else number(point.rate) for point in points],
        "line": {"color": "@failure", "width": 1.5},
        "connectgaps": False,
        "hoverinfo": "skip",
    }
    dots = _rate_trace(points) | {
        "x": positions,
        "y": [number(point.rate) for point in points],
        "error_y": _error_bars(points),
    }
    layout = {
        "xaxis": day_axis(span) | {"range": [span.first.isoformat(), span.last.isoformat()]},
        "yaxis": value_axis(axis),
    }
    return {"data": [line, dots], "layout": layout}


def rate_rows(rates: Sequence[Rate], axis: Axis) -> Figure:
    """Rates with their intervals, one a row, and their counts at the right."""
    positions = row_positions(rates)
    dots = _rate_trace(rates) | {
        "x": [number(rate.rate) for rate in rates],
        "y": positions,
        "error_x": _error_bars(rates),
    }
    counts = {
        "type": "scatter",
        "mode": "text",
        "x": [number(axis.top)] * len(rates),
        "y": positions,
        "text": [rate.counts for rate in rates],
        "textposition": "middle right",
        "textfont": {"color": "@text"},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
    return {
        "data": [dots, counts],
        "layout": rows_layout([rate.label for rate in rates])
        | {"xaxis": value_axis(axis) | {"side": "bottom"}},
    }


def _rate_trace(rates: Sequence[Rate]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "customdata": [rate.hover for rate in rates],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {
            "color": "@failure",
            "size": 8,
            "line": {"color": "@failure", "width": 1.5},
            "symbol": ["circle-open" if rate.is_small else "circle" for rate in rates],
        },
    }


def _error_bars(rates: Sequence[Rate]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [number(rate.high - rate.rate) for rate in rates],
        "arrayminus": [number(rate.rate - rate.low) for rate in rates],
        "color": "@failure",
        "thickness": 1.25,
        "width": 3,
    }
