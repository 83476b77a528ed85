"""The parts of the metered cost and their residual: a drawing that is its own table."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from markupsafe import Markup

from analytics.format.days import Period
from analytics.format.numbers import cents_together, percent, usd_exact, usd_in_cents
from analytics.report.controls.rows import added
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.rows import Day
    from analytics.report.writing.tables import Row

_PARTS = (
    ("Listed runs", "cost of those that have ended", "runs"),
    ("Open runs", "cost of listed runs that have not ended", "open"),
    ("Platform", "the platform's own agents", "platform"),
    ("Unlisted runs", "runs that the API reports and no list showed", "gaps"),
    ("Timing difference", "metered on another UTC day than the run's creation", "edge"),
    ("Unexplained", "residual: metered less all parts above", "unexplained"),
)


def table(days: Sequence[Day]) -> Table:
    """The parts of the metered cost of all days, each beginning where the one above ends."""
    whole = added(each.explained for each in days)
    reach = _reach(whole.parts)
    rows: list[Row] = []
    before = Decimal(0)
    for (label, meaning, kind), cents, exact in zip(
        _PARTS, cents_together(whole.parts), whole.parts, strict=True
    ):
        share = percent(exact, whole.metered_usd) if exact > 0 and whole.metered_usd > 0 else ""
        drawing = _bar(kind, before, before + exact, reach)
        rows.append(
            [
                Cell(label, note=meaning),
                Cell("", drawing=drawing),
                Cell(usd_in_cents(cents, exact), usd_exact(exact), note=share),
            ]
        )
        before += exact
    printed = sum(cents_together(whole.parts), Decimal(0))
    total = Cell(usd_in_cents(printed, whole.metered_usd), usd_exact(whole.metered_usd))
    bar = _bar("metered", Decimal(0), whole.metered_usd, reach)
    period = Period(days[-1].utc_date, days[0].utc_date)
    return Table(
        "waterfall",
        f"Parts of the metered cost of {period}, days in UTC, US dollars",
        [Column("Part", "name"), Column("From zero to metered", "drawing"), Column("Amount")],
        rows,
        [["Metered", Cell("", drawing=bar), total]],
    )


def _reach(parts: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The least and the most that the sums so far come to; zero is within."""
    sums, so_far = [Decimal(0)], Decimal(0)
    for each in parts:
        so_far += each
        sums.append(so_far)
    return min(sums), max(sums)


def _bar(kind: str, start: Decimal, end: Decimal, reach: tuple[Decimal, Decimal]) -> Markup:
    """A bar from one amount to another; one that is not nothing is never too thin to be seen."""
    least, most = reach
    if start == end or least == most:
        return Markup("")
    scale = Decimal(100) / (most - least)
    width = max(abs(end - start) * scale, Decimal("0.6"))
    x = min((min(start, end) - least) * scale, 100 - width)
    return Markup(  # noqa: S704 - holds numbers and a word of ours
        '<svg class="step" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"'
        f' focusable="false"><rect class="{kind}" x="{x:.2f}" width="{width:.2f}" height="8"/>'
        "</svg>"
    )
