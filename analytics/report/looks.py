"""Looks of charts: figures of Plotly without data, one a mark, whose arrays the engine fills in.

`meta` of a trace is its slot: the engine makes as many traces of it as it has data for, in its own
order. A colour is a custom property of the style sheet, which the engine resolves: it is another
one on dark pages. `own_look` is what a page of one's own may change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

_HOVER = "%{customdata}<extra></extra>"
_CLEAR = "rgba(0,0,0,0)"
_TEXT, _MUTED = "var(--text)", "var(--muted)"

_AXIS = {
    "fixedrange": True,
    "automargin": True,
    "gridcolor": "var(--grid)",
    "linecolor": "var(--control)",
    "showline": True,  # in a template, a colour alone shows no line
    "zeroline": False,
    "ticks": "",
    "tickangle": 0,
    "tickfont": {"color": _MUTED},
}
pio.templates["analytics"] = go.layout.Template(
    layout={
        "font": {"size": 12, "color": _TEXT},
        "paper_bgcolor": _CLEAR,
        "plot_bgcolor": _CLEAR,
        "dragmode": False,
        "showlegend": False,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": -0.14,
            "yanchor": "top",
            "itemclick": False,
            "itemdoubleclick": False,
            "traceorder": "normal",
        },
        "hovermode": "x unified",
        "hoverlabel": {
            "namelength": -1,
            "bgcolor": "var(--page)",
            "bordercolor": "var(--control)",
            "font": {"color": _TEXT},
        },
        "margin": {"l": 56, "r": 12, "t": 20, "b": 28},
        "xaxis": {**_AXIS, "showgrid": False},
        "yaxis": _AXIS,
        "annotationdefaults": {
            "showarrow": False,
            "yanchor": "bottom",
            "font": {"color": _MUTED, "size": 11},
        },
        "shapedefaults": {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 1}},
    }
)
_LINE = {"connectgaps": False, "cliponaxis": False, "line": {"width": 1.5}, "marker": {"size": 5}}
_ERROR = {"type": "data", "symmetric": False, "thickness": 1.25, "width": 3}
_LABEL = {
    "mode": "text",
    "textposition": "middle right",
    "textfont": {"color": _TEXT},
    "cliponaxis": False,
    "hoverinfo": "skip",
    "showlegend": False,
}
_RATE = go.Scatter(
    meta="rate",
    mode="markers",
    hovertemplate=_HOVER,
    error_x=_ERROR,
    error_y=_ERROR,
    marker={"size": 8, "line": {"width": 1.5}},
)
_ROWS: dict[str, Any] = {
    "hovermode": "closest",
    "minreducedwidth": 32,
    "bargap": 0.35,
    "margin": {"r": 96, "l": 8, "t": 8, "b": 8},
    "legend": {"y": 1.02, "yanchor": "bottom"},
    "xaxis": {"visible": False},
    "yaxis": {
        "type": "category",
        "autorange": "reversed",
        "categoryorder": "array",
        "showgrid": False,
        "ticklabelstandoff": 4,
    },
}


def _figures() -> dict[str, go.Figure]:
    return {
        "column": go.Figure(  # by day or month, stacked
            [
                go.Bar(meta="value", showlegend=False, hovertemplate=_HOVER),
                go.Scatter(
                    meta="before",
                    mode="lines",
                    connectgaps=False,
                    hovertemplate=_HOVER,
                    line={"color": "var(--before)", "width": 1.25},
                ),
                go.Bar(  # days that were not read
                    meta="unread",
                    hovertemplate="no data<extra></extra>",
                    showlegend=False,
                    marker={
                        "color": "var(--rule)",
                        "pattern": {"shape": "/", "size": 9, "solidity": 0.12},
                    },
                ),
                go.Bar(meta="legend", x=[None], y=[None]),
            ],
            {"barmode": "relative", "bargap": 0.15},
        ),
        "line": go.Figure([go.Scatter(_LINE, meta="value", hovertemplate=_HOVER)]),
        "bar": go.Figure(  # by row, several figures beside each other
            [
                go.Bar(
                    meta="value",
                    orientation="h",
                    hovertemplate=_HOVER,
                    textposition="outside",
                    textfont={"color": _TEXT},
                    cliponaxis=False,
                    constraintext="none",
                )
            ],
            {**_ROWS, "barmode": "group", "yaxis": {**_ROWS["yaxis"], "showline": False}},
        ),
        "stack": go.Figure(  # by row, on top of each other, with their sums
            [
                go.Bar(meta="value", orientation="h", hovertemplate=_HOVER),
                go.Scatter(_LABEL, meta="sum"),
            ],
            {**_ROWS, "barmode": "relative", "showlegend": True},
        ),
        "interval": go.Figure(  # rates by row, with their counts at the right
            [_RATE, go.Scatter(_LABEL, meta="counts")],
            {
                **_ROWS,
                "margin": {"r": 112, "l": 8, "t": 8},
                "xaxis": {"side": "bottom"},
            },
        ),
        "rates": go.Figure(  # rates over time
            [
                go.Scatter(
                    meta="course",
                    mode="lines",
                    connectgaps=False,
                    hoverinfo="skip",
                    line={"width": 1.5},
                ),
                _RATE,
            ]
        ),
    }


def looks() -> dict[str, Any]:
    """Return the template that all charts share, and the figure of each mark, as JSON holds them.

    A colour is written as the engine's own roles are: `@cost`.
    """
    made = {"template": pio.templates["analytics"].to_plotly_json()}
    for name, figure in _figures().items():
        made[name] = figure.to_plotly_json()
        made[name]["layout"].pop("template", None)  # Plotly's own, which would be sent along
    text = json.dumps(made, sort_keys=True)
    found: dict[str, Any] = json.loads(re.sub(r"var\(--([\w-]+)\)", r"@\1", text))
    return found


_AXIS_KEYS = ("type", "showgrid", "showline", "dtick", "nticks", "rangemode")
_ALLOWED: Mapping[str, Sequence[str]] = {
    "": ("barmode", "bargap", "bargroupgap", "showlegend", "hovermode"),
    "font": ("size",),
    "legend": ("orientation", "x", "y", "xanchor", "yanchor", "traceorder"),
    "margin": ("l", "r", "t", "b"),
    "xaxis": _AXIS_KEYS,
    "yaxis": _AXIS_KEYS,
}
"""The keys of a layout, and of objects in it, that pages may set: of no address, image or text."""


class LookError(Exception):
    """A layout that a page may not set."""


def own_look(text: str) -> dict[str, Any]:
    """Return the layout that a page declares as JSON; LookError says what is wrong with it."""
    try:
        layout = json.loads(text)
    except (ValueError, RecursionError):
        layout = None
    if not isinstance(layout, dict):
        raise LookError('a look is a JSON object: write `-- look: {"bargap": 0.4}`')
    for name, value in layout.items():
        if name in _ALLOWED and isinstance(value, dict):
            _require_allowed(value, f"{name}.", _ALLOWED[name])
        else:
            _require_allowed({name: value}, "", _ALLOWED[""])
    try:
        go.Layout(layout)
    except ValueError as error:
        raise LookError(" ".join(str(error).split("The '")[0].split())) from None
    return layout


def _require_allowed(layout: Mapping[str, Any], place: str, allowed: Sequence[str]) -> None:
    for name, value in layout.items():
        if name not in allowed:
            there_are = ", ".join(f"`{place}{each}`" for each in allowed)
            objects = "" if place else f", and objects {', '.join(filter(None, _ALLOWED))}"
            raise LookError(f"`{place}{name}` cannot be set: say {there_are}{objects}")
        if not isinstance(value, str | int | float):
            raise LookError(f"`{place}{name}` is a number, a text, true or false")
