"""Drawings that need no script: budgets and effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

_EFFECT = 240
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
