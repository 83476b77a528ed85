"""Charges of a month by the cost centers that bear them: direct lines, and pools that are shared.

Pools of a workspace: *platform* is the platform's line; *no_agent* the part of it that is usage by
runs without an agent, as far as the line goes. Of an agent's line, *failed* is the cost of its
failed runs and *unlisted* that of its unlisted runs, each at most what the line still has, and only
where a rule shares it out; failed runs come first, and are listed runs, so that nothing is in both.
The bill of a line goes with its cost, in proportion.

A rule shares a pool out among the cost centers whose agents were charged or had runs in the
workspace and month: evenly, or by their metered cost, bill, runs or tokens; a fixed rule among
those that it names. A negative weight counts as none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal, Inexact, localcontext
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from analytics.format.names import NONE, NOT_ALLOCATED
from analytics.transform.day_costs import AGENTS, known_sum, named
from analytics.transform.models import Header, polars_model

SOURCES = ("direct", "platform", "no_agent", "unlisted", "failed")

_DECIMALS = 10
_MONEY = pl.Decimal(38, _DECIMALS)
# A value that would be rounded raises.
_EXACT = Context(prec=100, traps=[Inexact])

_LINE = ("month", "workspace_id", "agent_id", "line_type", "cost_center")
LINES = (
    *_LINE,
    "metered_cost_usd",
    "billed_usd",
    "cost_usd",
    "failed_cost_usd",
    "unlisted_cost_usd",
    "run_count",
    "tokens_in",
    "tokens_out",
)
RULES = (
    "workspace_id", "source", "precedence", "rule", "name", "method", "basis",
    "first_month", "last_month",
)  # fmt: skip
SHARES = ("rule", "cost_center", "share")
CLOSINGS = ("month", "status")
SCHEMA: Mapping[str, Any] = {
    "usage_month": pl.Date(),
    "workspace_id": pl.String(),
    "agent_id": pl.String(),
    "line_cost_center": pl.String(),
    "cost_center": pl.String(),
    "source": pl.String(),
    "rule": pl.String(),
    "metered_cost_usd": _MONEY,
    "billed_usd": _MONEY,
}
KEY = (
    "usage_month", "workspace_id", "agent_id", "line_cost_center", "cost_center", "source", "rule",
)  # fmt: skip

Amount: TypeAlias = Decimal | None
Amounts: TypeAlias = tuple[Amount, Amount]
"""Cost and bill in US dollars; None where it is not known at all."""

Weights: TypeAlias = Mapping[str, Decimal]


class _Line(NamedTuple):
    month: date
    workspace_id: str
    agent_id: str
    line_type: str
    cost_center: str
    cost: Amount
    billed: Amount
    run_cost: Decimal
    failed_cost: Decimal
    unlisted_cost: Decimal
    runs: Decimal
    tokens: Decimal


class _Rule(NamedTuple):
    workspace_id: str
    source: str
    precedence: int
    number: int
    name: str
    method: str
    basis: str | None
    first_month: date
    last_month: date


class _Target(NamedTuple):
    cost_center: str
    source: str
    rule: str


def allocate(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split an amount in proportion to weights, into parts of ten decimals that add up to it.

    Parts are rounded down, and the last digits go to those with the largest remainders, of equal
    ones to the first; the parts of a negative amount are those of its absolute value, negative.

    ValueError if no weight is above zero, one is below, or a number has more than ten decimals.
    """
    return _split(amount, _units_of(weights))


def _split(amount: Decimal, weights: Sequence[int]) -> list[Decimal]:
    units, total = _units(amount.copy_abs()), sum(weights)
    products = [units * weight for weight in weights]
    parts = [product // total for product in products]
    if left := units - sum(parts):
        order = sorted(range(len(parts)), key=lambda place: -(products[place] % total))
        for place in order[:left]:
            parts[place] += 1
    sign = -1 if amount < 0 else 1
    return [_EXACT.scaleb(Decimal(sign * part), -_DECIMALS) for part in parts]


def _units_of(weights: Iterable[Decimal]) -> list[int]:
    units = [_units(weight) for weight in weights]
    if not any(units) or min(units) < 0:
        raise ValueError("weights are zero or more, and not all of them zero")
    return units


def _units(number: Decimal) -> int:
    scaled = _EXACT.scaleb(number, _DECIMALS)
    if (units := int(scaled)) != scaled:
        raise ValueError(f"{number} has more than ten decimals")
    return units


def allocations(
    lines: pl.DataFrame,
    rules: pl.DataFrame,
    shares: pl.DataFrame,
    closings: pl.DataFrame,
    closed: pl.DataFrame,
    agents: pl.DataFrame,
) -> pl.DataFrame:
    """The charges of each line by cost center, source and rule; of closed months, as booked."""
    open_lines = lines.join(closings.filter(status="closed"), on="month", how="anti")
    by_workspace: defaultdict[str, list[_Rule]] = defaultdict(list)
    for row in rules.select(RULES).sort("workspace_id", "precedence").iter_rows():
        by_workspace[row[0]].append(_Rule(*row))
    fixed: defaultdict[int, dict[str, Decimal]] = defaultdict(dict)
    for number, cost_center, share in shares.select(SHARES).sort(SHARES).iter_rows():
        fixed[number][cost_center] = share
    with localcontext(_EXACT):
        rows = []
        for (month, workspace_id), group in groupby(_sums(open_lines), key=lambda line: line[:2]):
            in_force = _in_force(by_workspace[workspace_id], month)
            found = _of_month([*group], in_force, fixed)
            rows += [
                (month, workspace_id, *line, *target, *amounts)
                for line, target, amounts in found
                if any(amounts)
            ]
    computed = pl.DataFrame(rows, SCHEMA, orient="row")
    return named(pl.concat([closed.select(*SCHEMA), computed]).sort(KEY), agents)


def _sums(lines: pl.DataFrame) -> Iterator[_Line]:
    """Yield the lines of each month and workspace, of all owners of a cost center together."""
    tokens = pl.col("tokens_in").fill_null(0) + pl.col("tokens_out").fill_null(0)
    sums = (
        lines.with_columns(tokens=tokens)
        .group_by(_LINE)
        .agg(
            *(known_sum(pl.col(name)) for name in ("metered_cost_usd", "billed_usd")),
            *(
                pl.col(name).sum().cast(_MONEY)
                for name in (
                    "cost_usd", "failed_cost_usd", "unlisted_cost_usd", "run_count", "tokens",
                )
            ),
        )
        .sort(_LINE)
    )  # fmt: skip
    return (_Line(*row) for row in sums.iter_rows())


def _in_force(rules: Sequence[_Rule], month: date) -> dict[str, _Rule]:
    """Return the first rule for each source, of those for a month."""
    found = [rule for rule in rules if rule.first_month <= month <= rule.last_month]
    return {rule.source: rule for rule in reversed(found)}


def _of_month(
    lines: Sequence[_Line], rules: Mapping[str, _Rule], fixed: Mapping[int, Weights]
) -> Iterator[tuple[tuple[str, str], _Target, Amounts]]:
    """Yield the amounts of a workspace's month by line (agent and cost center) and target."""
    shares = {
        source: _targets(rule, _weights(rule, lines, fixed)) for source, rule in rules.items()
    }
    for line, source, (cost, billed) in _parts(lines, rules):
        key = line.agent_id, line.cost_center
        if source not in rules:
            yield key, _unshared(line, source), (cost, billed)
            continue
        targets, units = shares[source]
        amounts_of = zip(_shares(cost, units), _shares(billed, units), strict=True)
        for target, part in zip(targets, amounts_of, strict=True):
            yield key, target, part


def _parts(
    lines: Iterable[_Line], rules: Mapping[str, _Rule]
) -> Iterator[tuple[_Line, str, Amounts]]:
    """Yield what each line has of each source."""
    of_no_agent = sum((line.run_cost for line in lines if line.line_type == "no_agent"), Decimal())
    for line in lines:
        if line.line_type == "agent":
            wanted = {"failed": line.failed_cost, "unlisted": line.unlisted_cost}
            wanted = {source: cost for source, cost in wanted.items() if source in rules}
            rest = "direct"
        else:
            wanted, rest = {"no_agent": of_no_agent}, "platform"
        costs = {}
        left = line.cost or Decimal()
        for source, cost in wanted.items():
            costs[source] = min(max(cost, Decimal()), max(left, Decimal()))
            left -= costs[source]
        of_no_agent -= costs.get("no_agent", Decimal())
        if not any(costs.values()):
            yield line, rest, (line.cost, line.billed)
            continue
        costs[rest] = left
        billed = _shares(line.billed, _units_of(costs.values()))
        for (source, cost), part in zip(costs.items(), billed, strict=True):
            yield line, source, (cost, part)


def _unshared(line: _Line, source: str) -> _Target:
    """Return the cost center of what no rule shares out: that of the line, if it has one."""
    if source == "direct" or line.cost_center != NONE:
        return _Target(line.cost_center, source, NONE)
    return _Target(NOT_ALLOCATED, source, NONE)


def _weights(rule: _Rule, lines: Iterable[_Line], fixed: Mapping[int, Weights]) -> Weights:
    """Return the weight of each cost center, by name."""
    if rule.method == "fixed":
        return fixed[rule.number]
    sums: dict[str, Decimal] = {}
    for line in lines:
        is_there = line.cost or line.billed or line.runs
        if line.line_type == "agent" and line.cost_center != NONE and is_there:
            sums.setdefault(line.cost_center, Decimal())
            sums[line.cost_center] += Decimal(getattr(line, rule.basis) or 0) if rule.basis else 0
    if rule.basis is None:
        return {name: Decimal(1) for name in sorted(sums)}
    return {name: max(sums[name], Decimal()) for name in sorted(sums)}


def _targets(rule: _Rule, weights: Weights) -> tuple[list[_Target], list[int]]:
    """Return who bears the pool of a rule, and their weights in units.

    If no cost center has a weight, all of the pool is not allocated.
    """
    if not any(weights.values()):
        return [_Target(NOT_ALLOCATED, rule.source, rule.name)], [1]
    targets = [_Target(name, rule.source, rule.name) for name in weights]
    return targets, _units_of(weights.values())


def _shares(amount: Amount, weights: Sequence[int]) -> Sequence[Amount]:
    """Split an amount; of one that is not known, no part is."""
    return [None] * len(weights) if amount is None else _split(amount, weights)


MODEL = polars_model(
    "marts.fct_allocations",
    header=Header(
        "Charges of a month by the cost center that bears them. Direct lines are those of the"
        " agent's own cost center by finance/owners.csv; what is shared (source platform,"
        " no_agent, unlisted or failed) goes where a rule of finance/allocation.toml sends it."
        " What no rule shares out stays at the cost center of its line, and is '(not allocated)'"
        " where the line has none, or where no cost center has a weight. Of each line, all rows"
        " add up to its charges to the last digit; no row is zero. Closed months are as booked;"
        " their corrections stand at the cost center of their charge. Grain: usage month,"
        " workspace, line, cost center of the line, cost center, source and rule.",
        key=KEY,
        columns={
            "usage_month": "First day of the calendar month of the meter (UTC).",
            "agent_id": "Line whose charge it is, as in dim_agents; '(platform)' for usage that"
            " names no agent.",
            "line_cost_center": "Cost center at which it was charged, that of the line by"
            " finance/owners.csv; '(none)' without one.",
            "cost_center": "Cost center that bears it; '(none)' for agents without one, '(not"
            " allocated)' for what is shared and falls to nobody.",
            "source": "direct, or the pool: platform, no_agent (usage of runs without an agent),"
            " unlisted or failed (of the agent's runs).",
            "rule": "Name of the rule of finance/allocation.toml; '(none)' without one.",
        },
        refs={"agent_id": "dim_agents"},
        values={"source": SOURCES},
    ),
    inputs={
        "intermediate.int_agent_owner_months": LINES,
        "intermediate.int_allocation_rules": RULES,
        "finance.allocation_shares": SHARES,
        "finance.closings": CLOSINGS,
        "finance.closed_allocations": tuple(SCHEMA),
        "marts.dim_agents": AGENTS,
    },
    compute=allocations,
)
