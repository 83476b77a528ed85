"""When runs cost: weekday by hour."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.format import numbers
from analytics.report.writing import phrases
from analytics.report.writing.blocks import Chart, Spec, missing
from analytics.report.writing.tables import Column, Table

if TYPE_CHECKING:
    from analytics.report.figures.facts import Subject
    from analytics.report.figures.splits import Split
    from analytics.report.writing.phrases import Value

_LABEL = "Cost by weekday and hour"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def chart(subject: Subject, split: Split, timezone: str) -> Chart:
    """The cost of recent runs by weekday and hour of their creation."""
    period = subject.coverage.calendar.recent
    caption = f"Cost of runs by hour and weekday, US dollars, {{span}}, {timezone}"
    spec: Spec = {
        "kind": "heat",
        "split": "hours",
        "measure": "cost_usd",
        "unit": "usd",
        "label": _LABEL,
        "days": list(_DAYS),
        "title": "The most expensive hour of the week is {first}: "
        "{first_cost_usd/sum_cost_usd|percent} of the cost",
        "subtitle": "Cost of runs by weekday and hour of creation; stronger is more expensive; "
        f"empty: no run. US dollars, {{span}}, {timezone}.{{detail}}",
        "text": "{cost_usd|usd}, {run_count|plural:run}",
        "table": {
            "key": "cost-by-hour",
            "kind": "grid",
            "caption": caption,
        },
    }
    costs = {
        (int(day), int(hour)): cost
        for (day, hour), values in split.over(period).items()
        if isinstance(cost := values["cost_usd"], Decimal)
    }
    if not any(costs.values()):
        return missing("hours", _LABEL, f"No cost: {period}.", spec)
    day, hour = max(costs, key=lambda cell: costs[cell])
    context: dict[str, Value] = {
        "first": f"{_DAYS[day - 1]}, {hour}:00",
        "first_cost_usd": costs[day, hour],
        "sum_cost_usd": sum(costs.values()),
        "span": str(period),
        "detail": phrases.detail(subject),
    }
    return Chart(
        "hours",
        phrases.fill(spec["title"], context),
        phrases.fill(spec["subtitle"], context),
        spec,
        _table(costs, phrases.fill(caption, context)),
    )


def _table(costs: dict[tuple[int, int], Decimal], caption: str) -> Table:
    return Table(
        "cost-by-hour",
        caption,
        [Column("Hour", "text"), *(Column(day) for day in _DAYS)],
        [
            [
                f"{hour:02d}:00",
                *(
                    numbers.usd(cost) if (cost := costs.get((day, hour))) is not None else ""
                    for day in range(1, 8)
                ),
            ]
            for hour in range(24)
        ],
        is_sortable=True,
    )
