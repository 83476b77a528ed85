"""Drawings that need no script: budgets, effects, rates, and cost by day until one draws it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from analytics.format import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EFFECT, _INTERVAL = 240, 96
_PLOT = 100
_BUDGET, _MOST_USED = 120, 1.5  # the place of a budget's tick, and what is cut off in budgets


def effect(share: float) -> Markup:
    """Return a bar from zero, in the middle, to a share of the largest one, from -1 to 1."""
    half = _EFFECT / 2
    width = round(abs(share) * half, 1)
    kind, x = ("more", half) if share > 0 else ("less", half - width)
    return Markup(  # noqa: S704 - holds numbers alone
        f'<svg class="effect" viewBox="0 0 {_EFFECT} 14" aria-hidden="true" focusable="false">'
        f'<rect class="{kind}" x="{x:g}" y="2" width="{width:g}" height="10"/>'
        f'<path class="tick" d="M{half:g} 0v14"/></svg>'
    )


def bullet(row: Mapping[str, Any]) -> Markup:
    """Return a bar of the amount of a budget that is used, its tick, and the forecast's range.

    The tick of every budget stands at the same place, so that rows compare the share used.
    """
    budget = row["budget_usd"]
    if not budget or row["actual_usd"] is None:
        return Markup("")

    def at(amount: Decimal) -> float:
        return round(min(float(amount / budget), _MOST_USED) * _BUDGET, 1)

    low, high = row["forecast_low_usd"], row["forecast_high_usd"]
    ahead = ""
    if low is not None and high is not None:
        ahead = f'<rect class="ahead" x="{at(low)}" y="3" width="{at(high) - at(low):.1f}"'
        ahead += ' height="8"/>'
    return Markup(  # noqa: S704 - holds numbers alone
        f'<svg class="bullet" viewBox="0 0 {_BUDGET * _MOST_USED:g} 14" aria-hidden="true"'
        f' focusable="false"><path class="base" d="M0 7H{_BUDGET * _MOST_USED:g}"/>'
        f'{ahead}<rect class="used" y="4" width="{at(row["actual_usd"])}" height="6"/>'
        f'<path class="tick" d="M{_BUDGET} 0v14"/></svg>'
    )


def interval(failed: int, finished: int, top: float) -> Markup:
    """Return a rate with its 95 % Wilson interval, of which `top` stands at the right.

    It is hollow where few runs have finished.
    """
    bounds = (*numbers.wilson_interval(failed, finished), failed / finished)
    low, high, rate = (round(3 + each / top * (_INTERVAL - 6), 1) for each in bounds)
    few = " few" * (finished < numbers.SMALL_SAMPLE)
    return Markup(  # noqa: S704 - holds numbers alone
        f'<svg class="interval{few}" viewBox="0 0 {_INTERVAL} 14" aria-hidden="true"'
        f' focusable="false"><title>95% interval, %: {numbers.interval(failed, finished)}</title>'
        f'<path d="M{low} 3v8m0-4H{high}m0-4v8"/>'
        f'<circle cx="{rate}" cy="7" r="3"/></svg>'
    )


def columns(amounts: Sequence[Decimal | None]) -> Markup:
    """Return columns that fill any width, with the largest amount as the top of the axis."""
    top = max((each for each in amounts if each is not None), default=Decimal(0))
    if top <= 0:
        return Markup("")
    path = "".join(
        f"M{place}.1 {_PLOT}v-{height:g}h.8v{height:g}z"
        for place, each in enumerate(amounts)
        if (height := round(max(float((each or 0) / top), 0) * _PLOT, 1))
    )
    return Markup(  # noqa: S704 - holds numbers alone
        '<svg class="static" aria-hidden="true" focusable="false">'
        f'<svg viewBox="0 0 {len(amounts)} {_PLOT}" preserveAspectRatio="none"'
        f' y="12%" height="64%" width="100%"><path d="{path}"/></svg>'
        f'<text y="12%" dy="-4">{numbers.usd_headline(top)}</text>'
        '<line x2="100%" y1="76%" y2="76%"/></svg>'
    )
