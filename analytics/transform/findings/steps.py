"""Steps: prices of models and costs of agents that are higher from one UTC day on.

A price is compared with the tokens of each hour. Cost is what a model's tokens in and out cost at
two prices that are fitted to the window, times a level of the day; the level is a trimmed mean over
the hours of all agents, each compared with its own median, so that a change of the mix of agents,
one expensive run and a cached share that varies do not count as a price. A level has stepped where
the days after are higher than the days before by more than Student's test allows at p <= 2e-5:
stricter than other tests, since each batch looks at each of 28 days.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, median

import polars as pl

from analytics.transform.findings.chance import student
from analytics.transform.findings.finding import Begun, Finding, midnight, part_of, usd

MOST_CHANCE = 2e-5
CHANGED_WITHIN = 28  # days before the last one, on one of which a step may lie
FEWEST_BEFORE, MOST_BEFORE = 10, 28
FEWEST_AFTER = 3
WINDOW = CHANGED_WITHIN + MOST_BEFORE

_LEAST_DEVIATION = 0.005  # of a level's logarithm: less is rounding
_LEAST_PRICE_STEP = math.log(1.03)
_LEAST_COST_STEP = math.log(1.5)
_TRIMMED = 0.2  # of the hours of a day, at each end
_OF_ALL_AGENTS = 0.75
_FEWEST_COST_DAYS = 20
_AGENT = ("workspace_id", "agent_id")


@dataclass(frozen=True)
class Step:
    """A level that is higher from `since` on: the ratio of levels, and the p-value."""

    since: date
    ratio: float
    p_value: float
    day_count: int


def step_of(levels: Mapping[date, float], *, least: float, has_weeks: bool = False) -> Step | None:
    """Return the most likely step upwards of the logarithms of levels, of at least `least`.

    With `has_weeks`, each day is compared with the same weekdays before; without, with all days.
    """
    days = sorted(levels)
    best: tuple[float, Step] | None = None
    for place in range(FEWEST_BEFORE, len(days) - FEWEST_AFTER + 1):
        since = days[place]
        if (days[-1] - since).days >= CHANGED_WITHIN:
            continue
        first = since - timedelta(days=MOST_BEFORE)
        before = [day for day in days[:place] if day >= first]
        if len(before) < FEWEST_BEFORE:
            continue
        found = _compared(levels, before, days[place:], has_weeks=has_weeks)
        if found is None or found[0] < least:
            continue
        rise, t, freedom = found
        if best is None or t > best[0]:
            p_value = student(t, freedom)
            if p_value <= MOST_CHANCE:
                best = t, Step(since, math.exp(rise), p_value, len(days) - place)
    return best and best[1]


def _compared(
    levels: Mapping[date, float], before: Sequence[date], after: Sequence[date], *, has_weeks: bool
) -> tuple[float, float, int] | None:
    """Return the mean rise, its value of t, and the degrees of freedom; None with too few days."""
    groups: dict[int, list[float]] = defaultdict(list)
    for day in before:
        groups[day.weekday() if has_weeks else 0].append(levels[day])
    means = {group: fmean(of) for group, of in groups.items()}
    freedom = len(before) - len(groups)
    if freedom < FEWEST_BEFORE - 1:
        return None
    squares = sum((each - means[group]) ** 2 for group, of in groups.items() for each in of)
    counts: dict[int, int] = defaultdict(int)
    rises = []
    for day in after:
        group = day.weekday() if has_weeks else 0
        if group in means:
            counts[group] += 1
            rises.append(levels[day] - means[group])
    if len(rises) < FEWEST_AFTER:
        return None
    count = len(rises)
    spread = 1 / count + sum((n / count) ** 2 / len(groups[group]) for group, n in counts.items())
    deviation = max(math.sqrt(squares / freedom), _LEAST_DEVIATION)
    rise = min(fmean(rises), median(rises))  # one extreme day is no step
    return rise, rise / (deviation * math.sqrt(spread)), freedom


def price_steps(hours: pl.DataFrame, begun: Begun) -> list[Finding]:
    """Return the prices of models that stepped up for their agents.

    `hours` are metered hours up to the end of a UTC day; `begun` has the UTC days on which versions
    of an agent began: one that alone uses a model changed it itself.
    """
    found = []
    of_models = _usable(hours).group_by("workspace_id", "provider", "model", maintain_order=True)
    for (workspace_id, provider, model), of in of_models:
        priced = _compared_with_tokens(of)
        step = step_of(dict(_levels(priced).iter_rows()), least=_LEAST_PRICE_STEP)
        if step is None or not _is_of_all(priced, step, begun):
            continue
        since = of.filter(pl.col("utc_date") >= step.since)
        cost, tokens = (float(since[name].sum()) for name in ("cost", "tokens"))
        price = cost * 1e6 / tokens
        found.append(
            Finding(
                kind="price_step",
                workspace_id=str(workspace_id),
                subject=str(model),
                detail=str(provider),
                since=midnight(step.since),
                value=price,
                baseline=price / step.ratio,
                unit="usd_per_million_tokens",
                sample_count=step.day_count,
                p_value=step.p_value,
                cost_usd=part_of(usd(since["metered_cost_usd"]), 1 - 1 / step.ratio),
            )
        )
    return found


def _usable(hours: pl.DataFrame) -> pl.DataFrame:
    """Return the hours whose cost can be compared with tokens, with `cost` as a float."""
    return hours.with_columns(
        cost=pl.col("metered_cost_usd").cast(pl.Float64),
        tokens=pl.col("tokens_in") + pl.col("tokens_out"),
    ).filter(pl.col("cost") > 0, pl.col("tokens") > 0)


def _compared_with_tokens(hours: pl.DataFrame) -> pl.DataFrame:
    """Return the hours with `ratio`: the logarithm of cost / cost at fitted prices, by agent."""
    cost, tokens_in, tokens_out = map(pl.col, ("cost", "tokens_in", "tokens_out"))
    one, other = tokens_in / cost, tokens_out / cost
    ((ii, io, oo, ic, oc),) = hours.select(
        ii=(one * one).sum(),
        io=(one * other).sum(),
        oo=(other * other).sum(),
        ic=one.sum(),
        oc=other.sum(),
    ).iter_rows()
    price_in, price_out = _prices(ii, io, oo, ic, oc)
    at_prices = price_in * tokens_in + price_out * tokens_out
    return (
        hours.with_columns(ratio=(cost / at_prices).log())
        .filter(pl.col("ratio").is_finite())
        .with_columns(ratio=pl.col("ratio") - pl.col("ratio").median().over("agent_id"))
    )


def _prices(ii: float, io: float, oo: float, ic: float, oc: float) -> tuple[float, float]:
    """Return the prices of tokens in and out with the least squares of relative errors."""
    determinant = ii * oo - io * io
    if determinant > 1e-9 * ii * oo:
        price_in = (ic * oo - oc * io) / determinant
        price_out = (oc * ii - ic * io) / determinant
        if price_in > 0 and price_out > 0:
            return price_in, price_out
    of_all = (ic + oc) / (ii + 2 * io + oo)
    return of_all, of_all


def _levels(hours: pl.DataFrame) -> pl.DataFrame:
    """Return the trimmed mean of the ratios of each UTC day."""
    ratio, count = pl.col("ratio").sort(), pl.len()
    cut = (count * _TRIMMED).floor().cast(pl.Int64)
    return hours.group_by("utc_date").agg(ratio.slice(cut, count - 2 * cut).mean())


def _is_of_all(hours: pl.DataFrame, step: Step, begun: Begun) -> bool:
    """Return True if three in four agents of both times have at least half of the step."""
    means = (
        hours.group_by("workspace_id", "agent_id")
        .agg(
            before=pl.col("ratio").filter(pl.col("utc_date") < step.since).mean(),
            after=pl.col("ratio").filter(pl.col("utc_date") >= step.since).mean(),
        )
        .drop_nulls()
        .with_columns(has_step=pl.col("after") - pl.col("before") >= math.log(step.ratio) / 2)
    )
    if len(means) == 1:
        ((workspace_id, agent_id, *_),) = means.iter_rows()
        days = begun.get((workspace_id, agent_id), ())
        return not any(abs((day - step.since).days) <= 1 for day in days)
    return bool(means["has_step"].sum() >= _OF_ALL_AGENTS * len(means) > 0)


def _rising(days: pl.DataFrame) -> pl.DataFrame:
    """Return the days of agents that may have a step: looking closely at all takes too long.

    The mean from some day on is higher than that of the days before, each day without its weekday.
    """
    level = pl.col("cost").log()
    level -= level.mean().over(*_AGENT, pl.col("utc_date").dt.weekday())
    number = pl.int_range(pl.len())
    after = level.cum_sum(reverse=True) / (pl.len() - number)
    before = level.rolling_mean(MOST_BEFORE, min_samples=FEWEST_BEFORE).shift()
    is_candidate = pl.len() - number >= FEWEST_AFTER
    rise = (after - before).filter(is_candidate).max()
    return days.filter(
        pl.len().over(_AGENT) >= _FEWEST_COST_DAYS, rise.over(_AGENT) > _LEAST_COST_STEP * 0.7
    )


def cost_jumps(days: pl.DataFrame, explained: Callable[[str, str, date], bool]) -> list[Finding]:
    """Return the agents whose metered cost of a UTC day stepped up, by more than $1 a day.

    `days` have the cost of days that had any. `explained` tells whether another finding says why
    an agent costs more from a day on.
    """
    found = []
    for (workspace_id, agent_id), of in _rising(days).group_by(*_AGENT, maintain_order=True):
        levels = {day: math.log(cost) for day, cost in of.select("utc_date", "cost").iter_rows()}
        step = step_of(levels, least=_LEAST_COST_STEP, has_weeks=True)
        if step is None or explained(str(workspace_id), str(agent_id), step.since):
            continue
        since = of.filter(pl.col("utc_date") >= step.since)
        excess = part_of(usd(since["metered_cost_usd"]), 1 - 1 / step.ratio)
        if excess is None or excess < step.day_count:
            continue
        a_day = float(since["cost"].sum()) / step.day_count
        found.append(
            Finding(
                kind="cost_jump",
                workspace_id=str(workspace_id),
                agent_id=str(agent_id),
                subject=str(agent_id),
                since=midnight(step.since),
                value=a_day,
                baseline=a_day / step.ratio,
                unit="usd_per_day",
                sample_count=step.day_count,
                p_value=step.p_value,
                cost_usd=excess,
            )
        )
    return found
