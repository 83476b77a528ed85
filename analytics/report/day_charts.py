"""Columns by day: one measure, several stacked, or two in panels of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.report.charts import DAY_MS, LEGEND, day_axis, number, value_axis
from analytics.report.periods import Period

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analytics.report.axes import Axis
    from analytics.report.charts import Figure, Value

_HATCH = "/"
_PANEL_GAP = 0.12
_LABELLED_SHARE = 0.1  # of the days; a narrower band has no room for words


@dataclass(frozen=True)
class Days:
    """The days of a chart: which are hatched because they are incomplete, which were not read."""

    days: Sequence[date]
    incomplete: frozenset[date]
    unread: frozenset[date]


@dataclass(frozen=True)
class Series:
    """One measure of each day, and what a hover says of it."""

    name: str
    role: str
    values: Sequence[Value]
    texts: Sequence[str]
    pattern: str = ""


def day_columns(days: Days, series: Sequence[Series], axis: Axis) -> Figure:
    """Columns by day, stacked where there are several series."""
    figure = _time_figure(days, [_columns(days, each, "y") for each in series])
    figure["layout"] |= {"barmode": "stack", "yaxis": value_axis(axis)}
    _mark_unread(figure, days, "y", "y9")
    _mark_so_far(figure, days)
    if len(series) > 1:
        figure["data"] += [_legend_entry(each) for each in series]
        figure["layout"] |= {"legend": LEGEND | {"y": -0.14, "yanchor": "top"}, "showlegend": True}
    return figure


def day_panels(days: Days, upper: tuple[Series, Axis], lower: tuple[Series, Axis]) -> Figure:
    """Two measures of different size, one above the other over the same days."""
    half = (1 - _PANEL_GAP) / 2
    figure = _time_figure(days, [_columns(days, upper[0], "y"), _columns(days, lower[0], "y2")])
    layout = figure["layout"]
    layout["xaxis"]["anchor"] = "y2"
    layout["hoversubplots"] = "axis"
    layout["yaxis"] = value_axis(upper[1]) | {"domain": [1 - half, 1]}
    layout["yaxis2"] = value_axis(lower[1]) | {"domain": [0, half]}
    layout["annotations"] = [
        _note(upper[0].name, x=0, xref="paper", xanchor="left", y=1, yref="paper"),
        _note(lower[0].name, x=0, xref="paper", xanchor="left", y=half, yref="paper"),
    ]
    _mark_unread(figure, days, "y", "y8")
    _mark_unread(figure, days, "y2", "y9")
    layout["margin"] = {"t": 24}
    return figure


def _columns(days: Days, series: Series, axis: str) -> dict[str, Any]:
    shapes = [_HATCH if day in days.incomplete else series.pattern for day in days.days]
    trace: dict[str, Any] = {
        "type": "bar",
        "name": series.name,
        "x0": days.days[0].isoformat(),
        "dx": DAY_MS,
        "y": [number(value) for value in series.values],
        "customdata": list(series.texts),
        "hovertemplate": f"{series.name} %{{customdata}}<extra></extra>",
        "yaxis": axis,
        "showlegend": False,
        "marker": {"color": series.role, "line": {"color": "@page", "width": 0.5}},
    }
    if any(shapes):
        trace["marker"]["pattern"] = {"shape": shapes, "size": 5, "solidity": 0.4}
    return trace


def _legend_entry(series: Series) -> dict[str, Any]:
    """A trace for the legend alone: Plotly would show the hatch of the first day in it."""
    pattern = {"shape": series.pattern, "size": 5, "solidity": 0.4}
    marker = {"color": series.role, "pattern": pattern}
    return {"type": "bar", "name": series.name, "x": [None], "y": [None], "marker": marker}


def _time_figure(days: Days, data: list[dict[str, Any]]) -> Figure:
    span = Period(days.days[0], days.days[-1])
    return {
        "data": data,
        "layout": {"xaxis": day_axis(span), "bargap": 0.15},
    }


def _mark_unread(figure: Figure, days: Days, axis: str, overlay: str) -> None:
    """A pale hatched band over the days that were not read: no data is not zero."""
    unread = [day.isoformat() for day in days.days if day in days.unread]
    if not unread:
        return
    if len(unread) >= len(days.days) * _LABELLED_SHARE:
        middle = unread[len(unread) // 2]
        note = _note("no data", x=middle, y=0.5, yref=f"{axis} domain", yanchor="middle")
        figure["layout"].setdefault("annotations", []).append(note)
    figure["data"].append(
        {
            "type": "bar",
            "x": unread,
            "y": [1] * len(unread),
            "yaxis": overlay,
            "width": DAY_MS,
            "marker": {"color": "@rule", "pattern": {"shape": _HATCH, "size": 9, "solidity": 0.12}},
            "hovertemplate": "no data<extra></extra>",
            "showlegend": False,
        }
    )
    figure["layout"][f"yaxis{overlay[1:]}"] = {
        "overlaying": axis,
        "range": [0, 1],
        "visible": False,
    }


def _mark_so_far(figure: Figure, days: Days) -> None:
    today = days.days[-1]
    if today in days.incomplete:
        note = _note("so far", x=today.isoformat(), y=1, yref="paper", xanchor="right")
        figure["layout"].setdefault("annotations", []).append(note)


def _note(text: str, **place: Any) -> dict[str, Any]:
    return {
        "text": text,
        "showarrow": False,
        "yanchor": "bottom",
        "font": {"color": "@muted", "size": 11},
    } | place
