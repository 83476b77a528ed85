"""Drawings that need no script: sparklines, and the main chart until the script has drawn it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from markupsafe import Markup

from analytics.format.numbers import usd_headline

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT, _EDGE = 90, 20, 2
_PLOT = 100


def sparkline(values: Sequence[Decimal | int | None]) -> Markup:
    """Return a line on its own scale from zero, broken where a value is unknown, its end marked."""
    top = max((value for value in values if value is not None), default=0)
    if top <= 0:
        return Markup("")
    step = (_WIDTH - 2 * _EDGE) / max(1, len(values) - 1)
    height = _HEIGHT - 2 * _EDGE
    path, end = "", ""
    for index, value in enumerate(values):
        if value is None:
            end = ""
            continue
        x = f"{_EDGE + index * step:.1f}"
        y = f"{_EDGE + height * (1 - max(float(value), 0) / float(top)):.1f}"
        path += f"L{x} {y}" if end else f"M{x} {y}h0"
        end = f'<circle cx="{x}" cy="{y}" r="2"/>'
    return Markup(  # noqa: S704 - holds numbers alone
        f'<svg class="spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true"'
        f' focusable="false"><path d="{path}"/>{end}</svg>'
    )


def columns(values: Sequence[Decimal | None]) -> Markup:
    """Return columns that fill any width, with the largest value as the top of the axis."""
    top = max((value for value in values if value is not None), default=Decimal(0))
    if top <= 0:
        return Markup("")
    path = "".join(
        f"M{index}.1 {_PLOT}v-{height:g}h.8v{height:g}z"
        for index, value in enumerate(values)
        if (height := round(max(float((value or 0) / top), 0) * _PLOT, 1))
    )
    return Markup(  # noqa: S704 - holds numbers alone
        '<svg class="static" aria-hidden="true" focusable="false">'
        f'<svg viewBox="0 0 {len(values)} {_PLOT}" preserveAspectRatio="none"'
        f' y="8%" height="80%" width="100%"><path class="whole" d="{path}"/></svg>'
        f'<text x="0" y="8%" dy="-4">{usd_headline(top)}</text>'
        '<line class="base" x2="100%" y1="88%" y2="88%"/></svg>'
    )
