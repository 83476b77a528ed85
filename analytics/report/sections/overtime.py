"""How a cost is made up, day by day: by model, and by the agents that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.report.figures import splits
from analytics.report.sections import rankings
from analytics.report.sections.rankings import Ranking
from analytics.report.writing.figured import Figure, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.figures.facts import Agent, Subject
    from analytics.report.figures.splits import Split
    from analytics.report.writing.blocks import Chart

OTHERS = "Others"
_HUES = tuple(f"@hue-{number}" for number in range(1, 6))


def models(subject: Subject, split: Split) -> Chart:
    """Cost by day or week and model."""
    return _chart("models-over-time", "models", "model", subject, split)


def agents(subject: Subject, split: Split) -> Chart:
    """Cost by day or week and agent."""
    return _chart("agents-over-time", "top", "agent", subject, split)


def most_expensive(subject: Subject, agents: Sequence[Agent]) -> Split:
    """The cost of each charted day by the agents that are most expensive in all of them."""
    period = subject.coverage.chart_period
    costs = {
        index: cost
        for index, agent in enumerate(agents)
        if (cost := agent.subject.over(period).cost_usd)
    }
    top = sorted(costs, key=lambda index: -costs[index])[: len(_HUES)]
    rows = []
    for index in top:
        agent = agents[index]
        rows += [
            (day, (agent.name, agent.data), (measures.cost_usd,))
            for day, measures in agent.subject.days.items()
            if day in period
        ]
    return splits.of_rows(subject.coverage.calendar.history.first, ["cost_usd"], rows)


def _chart(key: str, split_name: str, part: str, subject: Subject, split: Split) -> Chart:
    is_top = split_name == "top"
    total, cost = ("cost_usd", "cost") if is_top else ("", "metered cost")
    day, utc = ("day", "") if is_top else ("UTC day", "UTC days, ")
    providers = () if is_top else (Figure("Provider", "note", "name"),)
    ranking = Ranking(
        key=key,
        split=split_name,
        title=f"{{first}} makes {{first_cost_usd/{total or 'sum_cost_usd'}|percent}} of the {cost} "
        "in {period}",
        subtitle=f"{cost.capitalize()} by {day} (by week, from Monday, "
        f"in a long period) and {part}, US dollars, {{span}}. Colours stand for the most expensive "
        "of the whole period.",
        none=f"Cost over time by {part}",
        table=f"{key}-table",
        caption=f"{cost.capitalize()} by {part}, {utc}US dollars, {{span}}",
        figures=(
            Figure(part.capitalize(), "key", "name"),
            *providers,
            measure("cost_usd"),
            Figure("Share of cost", f"cost_usd/{'@' if is_top else 'sum_'}cost_usd", "percent"),
        ),
        total=total,
        rest=OTHERS if is_top else "",
        kind="stack",
        is_charted=True,
    )
    made = rankings.chart(ranking, subject, split)
    if made.spec is not None:
        most = {"most": len(_HUES)} if is_top else {}
        made.spec.update({"measure": "cost_usd", "roles": list(_HUES), **most})
    return made
