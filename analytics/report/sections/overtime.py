"""How a cost is made up, day by day: by model, and by the agents that matter."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report.figures import splits, timeline
from analytics.report.sections.rankings import NOT_SPLIT, name_of
from analytics.report.writing import names, phrases
from analytics.report.writing.blocks import Chart, Spec, missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.figures.facts import Agent, Subject
    from analytics.report.figures.splits import Split
    from analytics.report.writing.phrases import Value

OTHERS = "Others"
_HUES = tuple(f"@hue-{number}" for number in range(1, 6))


def models(subject: Subject, split: Split) -> Chart:
    """Cost by day or week and model."""
    return _chart("models-over-time", "models", "model", subject, split)


def agents(subject: Subject, split: Split) -> Chart:
    """Cost by day or week and agent."""
    return _chart("agents-over-time", "top", "agent", subject, split)


def dearest(subject: Subject, agents: Sequence[Agent]) -> Split:
    """The cost of each charted day by the agents that are dearest in all of them."""
    period = subject.coverage.chart_period
    costs = {
        index: cost
        for index, agent in enumerate(agents)
        if (cost := agent.subject.over(period).complete_cost_usd)
    }
    top = sorted(costs, key=lambda index: -costs[index])[: len(_HUES)]
    rows = []
    for index in top:
        agent = agents[index]
        rows += [
            (day, (agent.name, agent.data), (measures.complete_cost_usd,))
            for day, measures in agent.subject.days.items()
            if day in period
        ]
    return splits.of_rows(subject.coverage.calendar.history.first, ["complete_cost_usd"], rows)


def _chart(key: str, split_name: str, part: str, subject: Subject, split: Split) -> Chart:
    period = subject.coverage.chart_period
    measure = "complete_cost_usd" if split_name == "top" else "cost_usd"
    label = f"Cost over time by {part}"
    spec: Spec = {
        "kind": "stack",
        "label": label,
        "split": split_name,
        "measure": measure,
        "total": "complete_cost_usd",
        "unit": "usd",
        "roles": list(_HUES),
        "rest": OTHERS if split_name == "top" else NOT_SPLIT,
        "charted": True,
        "title": f"{{first}} makes {{first_{measure}/complete_cost_usd|percent}} of the cost in "
        "{period}",
        "subtitle": f"Cost of runs by day (by week, from Monday, in a long period) and {part}, US "
        "dollars, {span}. Colours stand for the dearest of the whole period.",
    }
    groups = split.over(period)
    costs = {
        group: cost
        for group, values in groups.items()
        if isinstance(cost := values[measure], Decimal)
    }
    if not costs:
        return missing(key, label, f"{timeline.NO_RUNS_YET}: {period}.", spec)
    first = max(costs, key=lambda group: costs[group])
    context: dict[str, Value] = {
        "first": names.in_sentence(name_of(split_name, first, groups)),
        f"first_{measure}": costs[first],
        "complete_cost_usd": subject.over(period).complete_cost_usd,
        "span": str(period),
        "period": str(period),
    }
    return Chart(
        key,
        phrases.fill(spec["title"], context),
        phrases.fill(spec["subtitle"], context),
        spec,
    )
