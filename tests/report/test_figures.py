from __future__ import annotations

import math
import re
from typing import Any

import plotly.graph_objects as go
import pytest

from analytics.resources import folder
from tests.report.pages import Site

_COLOURS = {"color", "bgcolor", "fgcolor", "gridcolor", "linecolor"}


def _roles(value: Any, key: str = "") -> set[str]:
    if isinstance(value, dict):
        return {role for name, each in value.items() for role in _roles(each, name)}
    if isinstance(value, list):
        return {role for each in value for role in _roles(each, key)}
    return {value} if key in _COLOURS and isinstance(value, str) and value[0] == "@" else set()


def _painted(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _painted(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_painted(each, key) for each in value]
    return "#000000" if _roles(value, key) else value


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [each for item in value.values() for each in _numbers(item)]
    if isinstance(value, list):
        return [each for item in value for each in _numbers(item)]
    return [value] if isinstance(value, float) else []


@pytest.fixture(scope="module")
def figures(site: Site) -> list[tuple[str, dict[str, Any]]]:
    """Each figure of each page, with its name."""
    return [
        (f"{page.path.name}: {key}", figure)
        for page in site.pages
        for key, figure in page.figures.items()
    ]


def test_figures_are_what_plotly_takes(figures: list[tuple[str, dict[str, Any]]]) -> None:
    """Every trace and every layout passes Plotly's own validation."""
    assert len({name.split(": ")[1] for name, _ in figures}) == 10
    for name, figure in figures:
        assert set(figure) == {"data", "layout"}, name
        go.Figure(_painted(figure))


def test_every_colour_is_a_role_of_the_style_sheet(
    figures: list[tuple[str, dict[str, Any]]],
) -> None:
    """A colour in a figure is a role, and the style sheet has a light and a dark value for it."""
    style = (folder("reports") / "style.css").read_text("utf-8")
    known = set(re.findall(r"--([\w-]+): light-dark\(", style))
    used = {role[1:] for _, figure in figures for role in _roles(figure)}

    assert used
    assert used <= known


def test_no_figure_holds_a_number_that_json_lacks(
    figures: list[tuple[str, dict[str, Any]]],
) -> None:
    """Positions are finite numbers; what is missing is null."""
    for name, figure in figures:
        assert all(math.isfinite(each) for each in _numbers(figure)), name


def test_columns_and_bars_begin_at_zero(figures: list[tuple[str, dict[str, Any]]]) -> None:
    """Every axis of values begins at zero."""
    for name, figure in figures:
        ranges = [
            axis["range"]
            for key, axis in figure["layout"].items()
            if re.match("[xy]axis", key) and isinstance(axis.get("range", [""])[0], int | float)
        ]
        assert ranges, name
        assert all(low == 0 for low, _ in ranges), name


def test_hover_templates_hold_no_data(figures: list[tuple[str, dict[str, Any]]]) -> None:
    """What comes from data reaches a hover through custom data alone."""
    templates = {
        trace["hovertemplate"]
        for _, figure in figures
        for trace in figure["data"]
        if "hovertemplate" in trace
    }

    assert all(re.fullmatch(r"[\w ]*(%\{customdata\})?<extra></extra>", each) for each in templates)
    assert len(templates) < 15


def test_agents_of_one_name_are_two_bars(site: Site) -> None:
    """Bars stand at positions of their own: two rows of one label do not become one."""
    for page in site.workspaces:
        (trace,) = page.figures["agents"]["data"]
        assert len(set(trace["y"])) == len(trace["y"]) == len(trace["x"])
