"""Looks of charts: what Python declares, and the engine fills."""

from __future__ import annotations

import re

import pytest

from analytics.files import folder
from analytics.report.looks import LookError, looks, own_look

REPORTS = folder("reports")


def test_the_engine_fills_the_slots_that_are_declared() -> None:
    """The names of slots are a contract of two languages: each side has those of the other."""
    script = (REPORTS / "engine" / "plot.js").read_text("utf-8")
    declared = {
        trace["meta"] for name, of in looks().items() if name != "template" for trace in of["data"]
    }

    assert declared == set(re.findall(r'meta: "(\w+)"', script))


def test_a_look_has_no_data_and_no_look_of_plotly() -> None:
    """Arrays are the engine's, but for those of a legend, and the template is our own alone."""
    for name, of in looks().items():
        arrays = [trace["meta"] for trace in of.get("data", []) if {"x", "y"} & trace.keys()]
        assert arrays == ["legend"] * (name == "column")
        assert "template" not in of["layout"]


def test_colours_are_roles_of_the_style_sheet() -> None:
    """A chart has no colour of its own, which would be the same on dark pages."""
    style = (REPORTS / "assets" / "style.css").read_text("utf-8")
    roles = set(re.findall(r"@([\w-]+)", str(looks())))

    assert {"text", "muted", "grid", "control", "before", "rule", "page"} == roles
    assert all(f"  --{each}: light-dark(" in style for each in roles)
    assert not re.search(r"#[0-9a-f]{3,6}\b|rgb\(", str(looks()))


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("bargap 0.4", "a look is a JSON object"),
        ("[" * 100_000, "a look is a JSON object"),
        ('{"images": [{"source": "https://example.com/x.png"}]}', "`images` cannot be set"),
        ('{"title": {"text": "<a href=\'javascript:alert()\'>"}}', "`title` cannot be set"),
        ('{"template": {"data": {}}}', "`template` cannot be set"),
        ('{"xaxis": {"title": "x"}}', "`xaxis.title` cannot be set: say `xaxis.type`"),
        ('{"xaxis": {"type": {"a": 1}}}', "`xaxis.type` is a number, a text, true or false"),
        ('{"margin": 3}', "`margin` cannot be set"),
        ('{"bargap": 4}', "Invalid value .* 'bargap' property .* Received value: 4"),
    ],
)
def test_a_look_of_ones_own_sets_what_is_harmless(declared: str, told: str) -> None:
    """No key of an address, an image, a text or data is taken, nor a value that Plotly refuses."""
    with pytest.raises(LookError, match=told):
        own_look(declared)


def test_a_look_of_ones_own_is_a_layout() -> None:
    """The layout is changed by just the keys that it declares."""
    declared = '{"bargap": 0.4, "yaxis": {"type": "log"}}'

    assert own_look(declared) == {"bargap": 0.4, "yaxis": {"type": "log"}}
