"""Charts and tables of the parts of a total: error classes, models, versions, agents."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from analytics.report import names, numbers
from analytics.report.bar_charts import Bar, bars
from analytics.report.blocks import Chart, missing
from analytics.report.facts import known_sum
from analytics.report.tables import Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.report.charts import Figure
    from analytics.report.facts import Agent, Subject
    from analytics.report.rows import ErrorClass, ModelCost
    from analytics.report.tables import Row

T = TypeVar("T")

SHOWN_BARS = 10
NOT_SPLIT = "Not in the model split"


def errors(subject: Subject, parts: Iterable[ErrorClass]) -> Chart:
    """What the recent failures of each error class cost."""
    period, total = subject.coverage.calendar.recent, subject.recent.failed_cost_usd
    by_class: defaultdict[str, list[ErrorClass]] = defaultdict(list)
    for part in parts:
        by_class[part.name].append(part)
    classes = _dearest_first(
        (
            names.display(name),
            known_sum(each.cost_usd for each in group),
            sum(each.run_count for each in group),
        )
        for name, group in by_class.items()
    )
    if not classes:
        return missing("errors", "Cost of failures by error class", f"No failed runs: {period}.")
    return Chart(
        "errors",
        _finding(classes[0][0], classes[0][1], total, "the cost of failures"),
        f"Cost of failed runs by error class, US dollars, {period}.",
        _bars([(name, cost) for name, cost, _ in classes], "Cost of failed runs", "@failure"),
        Table(
            "error-classes",
            f"Failed runs by error class, US dollars, {period}",
            [
                Column("Error class", "name"),
                Column("Cost"),
                Column("Share of cost"),
                Column("Failed runs"),
            ],
            [
                [name, money(cost), _share(cost, total), numbers.count(run_count)]
                for name, cost, run_count in classes
            ],
            foot(
                Sum(total, [cost for _, cost, _ in classes]),
                "",
                numbers.count(sum(run_count for _, _, run_count in classes)),
            ),
        ),
    )


def models(subject: Subject, parts: Iterable[ModelCost]) -> Chart:
    """What the recent runs cost with each model; what is not split yet is a part of its own."""
    period, total = subject.coverage.calendar.recent, subject.recent.cost_usd
    by_model: defaultdict[tuple[str, str], list[ModelCost]] = defaultdict(list)
    for part in parts:
        by_model[part.model, part.provider].append(part)
    if not by_model:
        return missing("models", "Cost by model", f"No model split was read: {period}.")
    splits = _dearest_first(
        (_model_label(model, provider, by_model), known_sum(each.cost_usd for each in group), group)
        for (model, provider), group in by_model.items()
    )
    rest = (total or Decimal(0)) - sum((cost or 0 for _, cost, _ in splits), Decimal(0))
    costs = [(name, cost) for name, cost, _ in splits]
    rows: list[Row] = [
        [
            name,
            names.display(group[0].provider, "no provider"),
            money(cost),
            _share(cost, total),
            numbers.tokens(sum(each.tokens_in for each in group)),
            numbers.tokens(sum(each.tokens_out for each in group)),
        ]
        for name, cost, group in splits
    ]
    if rest:
        rows.append([NOT_SPLIT, "", money(rest), _share(rest, total), "", ""])
    return Chart(
        "models",
        _finding(*costs[0], total, "the cost"),
        f"Cost of runs by model, US dollars, {period}.",
        _bars(costs, "Cost", "@cost", [(NOT_SPLIT, rest)] if rest > 0 else []),
        Table(
            "model-split",
            f"Runs by model and provider, US dollars and tokens, {period}",
            [
                Column("Model", "name"),
                Column("Provider", "name"),
                Column("Cost"),
                Column("Share of cost"),
                Column("Tokens in"),
                Column("Tokens out"),
            ],
            rows,
            foot("", Sum(total, [*(cost for _, cost in costs), rest]), "", "", ""),
        ),
    )


def dearest_agents(subject: Subject, agents: Sequence[Agent]) -> Chart:
    """The agents whose recent runs cost most, and what all others cost together."""
    period, total = subject.coverage.calendar.recent, subject.recent.cost_usd
    active = [agent for agent in agents if agent.subject.recent.run_count]
    if not active:
        return missing("agents", "Dearest agents", f"No runs: {period}.")
    costs = [(agent.name, agent.subject.recent.cost_usd) for agent in active]
    share = _share(known_sum(cost for _, cost in costs[:SHOWN_BARS]), total)
    return Chart(
        "agents",
        f"The {SHOWN_BARS} dearest agents make {share} of the cost"
        if len(costs) > SHOWN_BARS
        else _finding(*costs[0], total, "the cost"),
        f"Cost of runs by agent, US dollars, {period}.",
        _bars(costs, "Cost", "@cost"),
        see_table="all-agents",
    )


def _bars(
    parts: Sequence[tuple[str, Decimal | None]],
    measure: str,
    role: str,
    rest: Sequence[tuple[str, Decimal]] = (),
) -> Figure:
    """The dearest parts as bars; the others, and what is no part, are grey and last."""
    shown, hidden = parts[:SHOWN_BARS], parts[SHOWN_BARS:]
    grey: list[tuple[str, Decimal | None]] = [*rest]
    if hidden:
        others = numbers.plural(len(hidden), "other")
        grey.insert(0, (others, known_sum(cost for _, cost in hidden)))
    rows = [_bar(name, cost, None) for name, cost in shown]
    return bars(rows + [_bar(name, cost, "@others") for name, cost in grey], [(measure, role)])


def _bar(name: str, cost: Decimal | None, role: str | None) -> Bar:
    return Bar(names.plotly_text(name), [cost], [numbers.usd_headline(cost)], role)


def _dearest_first(
    parts: Iterable[tuple[str, Decimal | None, T]],
) -> list[tuple[str, Decimal | None, T]]:
    return sorted(parts, key=lambda part: (-(part[1] or 0), part[0].casefold()))


def _model_label(model: str, provider: str, known: Iterable[tuple[str, str]]) -> str:
    """The model's name, with its provider where others have it too."""
    name = names.display(model)
    if sum(each == model for each, _ in known) == 1:
        return name
    return f"{name} ({names.display(provider, 'no provider')})"


def _finding(name: str, cost: Decimal | None, total: Decimal | None, whole: str) -> str:
    if not total:
        return f"{whole.capitalize()} is {numbers.usd(total)}"
    return f"{names.in_sentence(name)} makes {_share(cost, total)} of {whole}"


def _share(part: Decimal | None, whole: Decimal | None) -> str:
    if part is None or whole is None:
        return numbers.NOT_AVAILABLE
    return numbers.percent(part, whole)
