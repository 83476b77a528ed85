"""Steps: prices of models and costs of agents that are higher from one UTC day on.

A price is compared with the tokens of each hour. Cost is what a model's tokens in and out cost at
two prices that are fitted to the window, times a level of the day; the level is a trimmed mean over
the hours of all agents, each compared with its own median, so that a change of the mix of agents,
one expensive run and a cached share that varies do not count as a price. What is cached makes
tokens in cheaper, and those alone: the larger their part of an hour's cost, the less the hour
weighs, as the square of that part is how its variance grows. A level has stepped where
the days after are higher than the days before by more than Student's test allows at p <= 2e-5:
stricter than other tests, since each batch looks at each of 28 days. Days that are like the ones
before them, as where a cached share drifts, count as fewer.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import fmean, median
from typing import TypeAlias

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
_LEAST_COST_STEPS = {"day": math.log(1.5), "run": math.log(1.3)}
_LEAST_ALIKE, _MOST_ALIKE = 0.2, 0.9  # of neighbouring days: less is chance
_TRIMMED = 0.2  # of the weight of a day's hours, at each end
_OTHER_VARIANCE = 0.04  # of an hour's ratio, where that of the cached share is the square of a part
_OF_ALL_AGENTS = 0.75
_DENIED_AT = 2  # standard deviations below half of a step
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
    days = [(day, day.weekday() if has_weeks else 0, levels[day]) for day in sorted(levels)]
    tested = {
        place: found
        for place in range(FEWEST_BEFORE, len(days) - FEWEST_AFTER + 1)
        if (found := _compared(days, place, least))
    }
    if not tested:
        return None
    largest = max(tested, key=lambda place: tested[place].t)
    place = _begun(days, largest, tested[largest].rise)
    found = tested.get(place) or tested[place := largest]
    p_value = student(found.least_t(), found.freedom)
    if p_value > MOST_CHANCE:
        return None
    return Step(days[place][0], math.exp(found.rise), p_value, len(days) - place)


_Days: TypeAlias = Sequence[tuple[date, int, float]]
"""Days in order, each with the group of days that it is compared with, and its level."""


def _by_group(days: _Days) -> Mapping[int, list[float]]:
    groups: dict[int, list[float]] = defaultdict(list)
    for _, group, level in days:
        groups[group].append(level)
    return groups


def _begun(days: _Days, place: int, rise: float) -> int:
    """Return the place of the most likely first day of a step, of which one is known about where.

    Each day from it on is rather of the level after than of the one before.
    """
    before = _by_group(days[max(0, place - MOST_BEFORE) : place])
    usual = {group: median(levels) for group, levels in before.items()}
    places = range(FEWEST_BEFORE, len(days) - FEWEST_AFTER + 1)
    most, total, best = -math.inf, 0.0, place
    for each in reversed(range(len(days))):
        _, group, level = days[each]
        total += level - usual[group] - rise / 2 if group in usual else 0.0
        if each in places and total > most:
            most, best = total, each
    return best


@dataclass(frozen=True)
class _Compared:
    """Days from one on and those before it: the mean rise, and its value of t.

    `apart` and `rises` are by how much days before and after differ from the level before, and
    `spread` is the variance of the mean of the `rises` by that of a day.
    """

    rise: float
    t: float
    apart: Sequence[float]
    rises: Sequence[float]
    spread: float
    freedom: int

    def least_t(self) -> float:
        """Return the value of t of days each of which is like the one before it, if they are."""
        days = 1 / len(self.rises) + 1 / len(self.apart)
        unlike = math.sqrt(days / self.spread)  # how few weekdays there are
        return min(self.t, _t_if_alike(self.apart, self.rises, self.rise, self.freedom) * unlike)


def _compared(days: _Days, place: int, least: float) -> _Compared | None:
    """Compare the days from `place` on with those before it; None with too few, or a lower rise."""
    since = days[place][0]
    if (days[-1][0] - since).days >= CHANGED_WITHIN:
        return None
    first = since - timedelta(days=MOST_BEFORE)
    before = [each for each in days[:place] if each[0] >= first]
    groups = _by_group(before)
    freedom = len(before) - len(groups)
    if len(before) < FEWEST_BEFORE or freedom < FEWEST_BEFORE - 1:
        return None
    means = {group: fmean(levels) for group, levels in groups.items()}
    after = [(group, level - means[group]) for _, group, level in days[place:] if group in means]
    rises = [each for _, each in after]
    if len(rises) < FEWEST_AFTER:
        return None
    rise = min(fmean(rises), median(rises))  # one extreme day is no step
    if rise < least:
        return None
    apart = [level - means[group] for _, group, level in before]
    count, counts = len(rises), Counter(group for group, _ in after)
    spread = 1 / count + sum((n / count) ** 2 / len(groups[group]) for group, n in counts.items())
    squares = sum(each**2 for each in apart)
    deviation = max(math.sqrt(squares / freedom), _LEAST_DEVIATION)
    return _Compared(rise, rise / (deviation * math.sqrt(spread)), apart, rises, spread, freedom)


def _t_if_alike(apart: Sequence[float], rises: Sequence[float], rise: float, freedom: int) -> float:
    """Return the value of t of a step, where each day is like the one before it.

    `apart` is by how much the days before it differ from their usual level, `rises` that of those
    after. Each day is lessened by its part of the one before it: least squares of what remains.
    """
    level_after = fmean(rises)
    sides = apart, [each - level_after for each in rises]
    squares = sum(each**2 for side in sides for each in side)
    together = sum(one * other for side in sides for one, other in pairwise(side))
    alike = together / squares if squares else 0.0
    alike += (1 + 4 * alike) / (len(apart) + len(rises))  # that of few days is too low by so much
    alike = min(alike, _MOST_ALIKE) if alike > _LEAST_ALIKE else 0.0
    first = math.sqrt(1 - alike**2)
    level = [first, *[1 - alike] * (len(apart) + len(rises) - 1)]
    step = [*[0.0] * len(apart), 1.0, *[1 - alike] * (len(rises) - 1)]
    remaining = [first * apart[0], *(b - alike * a for a, b in pairwise([*apart, *rises]))]

    def product(one: Sequence[float], other: Sequence[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    levels, both, steps = product(level, level), product(level, step), product(step, step)
    determinant = levels * steps - both**2
    fitted = product(step, remaining) * levels - product(level, remaining) * both
    usual = sum(each**2 for each in remaining[: len(apart)]) / freedom
    deviation = max(math.sqrt(usual), _LEAST_DEVIATION)
    return min(fitted / determinant, rise) / (deviation * math.sqrt(levels / determinant))


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
    """Return the hours with `ratio`: the logarithm of cost / cost at fitted prices, by agent.

    `weight` is the inverse of its variance, in some unit.
    """
    level, weight, at_prices = pl.lit(0.0), pl.lit(1.0), pl.col("cost")
    for _ in range(3):  # relative to what is fitted, as errors relative to costs favour low ones
        price_in, price_out = _prices(hours, level, weight.sqrt() / at_prices)
        of_input = price_in * pl.col("tokens_in")
        at_prices = of_input + price_out * pl.col("tokens_out")
        weight = 1 / (_OTHER_VARIANCE + (of_input / at_prices) ** 2)
        ratio = (pl.col("cost") / at_prices).log()
        level = ratio.median().over("utc_date")  # else a step is taken for a price of the mix
    return (
        hours.with_columns(ratio=ratio, weight=weight)
        .filter(pl.col("ratio").is_finite())
        .with_columns(ratio=pl.col("ratio") - pl.col("ratio").median().over("agent_id"))
    )


def _prices(hours: pl.DataFrame, level: pl.Expr, scale: pl.Expr) -> tuple[float, float]:
    """Return the prices of tokens in and out with the least squares of scaled errors.

    `level` is the logarithm of how much more than at these prices all costs on a day.
    """
    one, other = (pl.col(name) * scale for name in ("tokens_in", "tokens_out"))
    cost = pl.col("cost") * (-level).exp() * scale
    ((ii, io, oo, ic, oc),) = hours.select(
        ii=(one * one).sum(),
        io=(one * other).sum(),
        oo=(other * other).sum(),
        ic=(one * cost).sum(),
        oc=(other * cost).sum(),
    ).iter_rows()
    determinant = ii * oo - io * io
    if determinant > 1e-9 * ii * oo:
        price_in = (ic * oo - oc * io) / determinant
        price_out = (oc * ii - ic * io) / determinant
        if price_in > 0 and price_out > 0:
            return price_in, price_out
    of_all = (ic + oc) / (ii + 2 * io + oo)
    return of_all, of_all


def _levels(hours: pl.DataFrame) -> pl.DataFrame:
    """Return the weighted trimmed mean of the ratios of each UTC day."""
    weight = pl.col("weight")
    place = (weight.cum_sum() - weight / 2) / weight.sum()  # of an hour's middle
    is_kept = place.over("utc_date", order_by="ratio").is_between(_TRIMMED, 1 - _TRIMMED)
    mean = (pl.col("ratio") * weight).sum() / weight.sum()
    return hours.filter(is_kept).group_by("utc_date").agg(mean)


def _is_of_all(hours: pl.DataFrame, step: Step, begun: Begun) -> bool:
    """Return True if most agents of both times have at least half of the step.

    Three in four have it, or have days that vary so much that they do not deny it.
    """
    is_after = pl.col("utc_date") >= step.since
    day = pl.col("ratio")
    after, before = day.filter(is_after), day.filter(~is_after)
    variance = after.var() / after.len() + before.var() / before.len()
    means = (
        hours.group_by("workspace_id", "agent_id", "utc_date")
        .agg(day.mean())
        .group_by("workspace_id", "agent_id")
        .agg(rise=after.mean() - before.mean(), deviation=variance.sqrt())
        .drop_nulls("rise")
        .with_columns(lack=math.log(step.ratio) / 2 - pl.col("rise"))
        .with_columns(
            has_step=pl.col("lack") <= 0,
            may_have=(pl.col("lack") <= _DENIED_AT * pl.col("deviation")).fill_null(value=False),
        )
    )
    if len(means) == 1:
        ((workspace_id, agent_id, *_),) = means.iter_rows()
        days = begun.get((workspace_id, agent_id), ())
        return not any(abs((day - step.since).days) <= 1 for day in days)
    has_step = means["has_step"]
    may_have = has_step | means["may_have"]
    return bool(2 * has_step.sum() > len(means) and may_have.sum() >= _OF_ALL_AGENTS * len(means))


def _rising(days: pl.DataFrame, least: float) -> pl.DataFrame:
    """Return the days of agents that may have a step: looking closely at all takes too long.

    The mean from some day on is higher than that of the days before, each day without its weekday.
    """
    level = pl.col("cost").log()
    level -= level.mean().over(*_AGENT, pl.col("date").dt.weekday())
    number = pl.int_range(pl.len())
    after = level.cum_sum(reverse=True) / (pl.len() - number)
    before = level.rolling_mean(MOST_BEFORE, min_samples=FEWEST_BEFORE).shift()
    is_candidate = pl.len() - number >= FEWEST_AFTER
    rise = (after - before).filter(is_candidate).max()
    return days.filter(pl.len().over(_AGENT) >= _FEWEST_COST_DAYS, rise.over(_AGENT) > least * 0.7)


def cost_jumps(
    of_what: str, days: pl.DataFrame, explained: Callable[[str, str, date], bool]
) -> list[Finding]:
    """Return the agents whose cost of a day, or of a run, stepped up, by more than $1 a day.

    `days` have the `usd` of days that had any, and its `part_count`: 1, or the runs of the day.
    `explained` tells whether another finding says why an agent costs more from a day on.
    """
    least = _LEAST_COST_STEPS[of_what]
    days = days.with_columns(cost=pl.col("usd").cast(pl.Float64) / pl.col("part_count"))
    found = []
    for (workspace_id, agent_id), of in _rising(days, least).group_by(*_AGENT, maintain_order=True):
        levels = {day: math.log(cost) for day, cost in of.select("date", "cost").iter_rows()}
        step = step_of(levels, least=least, has_weeks=of_what == "day")
        if step is None or explained(str(workspace_id), str(agent_id), step.since):
            continue
        since = of.filter(pl.col("date") >= step.since)
        amount = usd(since["usd"])
        excess = part_of(amount, 1 - 1 / step.ratio)
        if amount is None or excess is None or excess < step.day_count:
            continue
        value = float(amount) / int(since["part_count"].sum())
        found.append(
            Finding(
                kind="cost_jump",
                workspace_id=str(workspace_id),
                agent_id=str(agent_id),
                subject=str(agent_id),
                detail=of_what,
                since=midnight(step.since),
                value=value,
                baseline=value / step.ratio,
                unit=f"usd_per_{of_what}",
                sample_count=step.day_count,
                p_value=step.p_value,
                cost_usd=excess,
            )
        )
    return found
