"""Drawings that need no script: the main chart, and the small ones inside of tables."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from markupsafe import Markup

from analytics.format.days import day_on_axis
from analytics.report.figures import timeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analytics.report.figures.facts import Subject
    from analytics.report.writing.axes import Axis

_PLOT_HEIGHT = 100
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_EDGE = 90, 20, 2
_X_LABELS = 4


def columns(subject: Subject, axis: Axis) -> Markup:
    """Columns of cost by charted day that fill any width: shapes are stretched, texts are not."""
    days = list(subject.coverage.chart_period.days())
    count = len(days)
    drawn: dict[str, str] = {"whole": "", "partial": "", "unread": ""}
    for index, day in enumerate(days):
        known = subject.on(day)
        drawn[_kind(subject, day)] += _column(index, known.cost_usd if known else None, axis)
    paths = "".join(f'<path class="{kind}" d="{path}"/>' for kind, path in drawn.items() if path)
    lines = "".join(
        f'<line x2="100%" y1="{_y(tick / axis.top)}%" y2="{_y(tick / axis.top)}%"/>'
        f'<text x="-6" y="{_y(tick / axis.top)}%" dy="4">{text}</text>'
        for tick, text in zip(axis.ticks[1:], axis.texts[1:], strict=True)
    )
    step = max(1, count // _X_LABELS)
    labels = "".join(
        f'<text x="{100 * (index + 0.5) / count:.1f}%" y="100%" dy="-6">'
        f"{day_on_axis(days[index])}</text>"
        for index in range(step // 2, count, step)
    )
    return Markup(  # noqa: S704 - holds numbers, dates and axis texts, and nothing from data
        '<svg class="static" aria-hidden="true" focusable="false">'
        f'<g class="grid">{lines}</g>'
        f'<svg viewBox="0 0 {count} {_PLOT_HEIGHT}" preserveAspectRatio="none"'
        f' y="8%" height="80%" width="100%">{paths}</svg>'
        f'<line class="base" x2="100%" y1="88%" y2="88%"/><g class="ticks">{labels}</g></svg>'
    )


def sparkline(values: Sequence[Decimal | None]) -> Markup:
    """A line on its own scale from zero, broken where a value is unknown, its end marked."""
    top = max((value for value in values if value is not None), default=0)
    if not top:
        return Markup("")
    step = (_SPARK_WIDTH - 2 * _SPARK_EDGE) / max(1, len(values) - 1)
    height = _SPARK_HEIGHT - 2 * _SPARK_EDGE
    path, end = "", ""
    for index, value in enumerate(values):
        if value is None:
            end = ""
            continue
        x = f"{_SPARK_EDGE + index * step:.1f}"
        y = f"{_SPARK_EDGE + height * float(1 - value / top):.1f}"
        path += f"L{x} {y}" if end else f"M{x} {y}h0"
        end = f'<circle cx="{x}" cy="{y}" r="2"/>'
    return Markup(  # noqa: S704 - holds numbers alone
        f'<svg class="spark" viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}" aria-hidden="true"'
        f' focusable="false"><path d="{path}"/>{end}</svg>'
    )


def bar(share: Decimal | float) -> Markup:
    """A bar for the inside of a table's cell; `share` is of the largest, up to 1."""
    return Markup(  # noqa: S704 - holds a number alone
        '<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"'
        f' focusable="false"><rect width="{100 * max(float(share), 0):.1f}" height="4"/></svg>'
    )


def _kind(subject: Subject, day: date) -> str:
    if subject.on(day) is None:
        return "unread"
    return "partial" if subject.state(day) in timeline.INCOMPLETE else "whole"


def _column(index: int, value: Decimal | None, axis: Axis) -> str:
    """A column from the base up; the whole height where the day was not read."""
    share = 1.0 if value is None else max(float(value / axis.top), 0)
    height = round(share * _PLOT_HEIGHT, 1)
    return f"M{index}.1 {_PLOT_HEIGHT}v-{height:g}h.8v{height:g}z" if height else ""


def _y(share: Decimal) -> str:
    """Where a share of the axis stands in the whole drawing, in percent from its top."""
    return f"{88 - 80 * float(share):.1f}"
