"""Failures: bursts of errors in some hours, and versions that are worse than the one before.

A burst is of a model provider (errors of the hourly meter, which sees unlisted runs, too), of a
tool, or of an agent (listed runs alone). Its hours have at least five errors (ten in all), four
times what is expected of the rate of all other hours, and so many that chance makes them at
p <= 1e-6. Errors come in groups, as a run tries again: counts are divided by how much more they
vary than chance, in other hours than the few that stand out. Errors of a tool in one or two runs
are no burst.

A version is compared with the one that began before it, without the hours of bursts: Fisher's exact
test on failed runs of finished ones, and a rank test on the costs of successful runs, at
p <= 0.003: a version is tested by each batch for four weeks, but there are few of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import fmean, median
from typing import Any

import polars as pl

from analytics.format.names import ALL
from analytics.transform.findings.chance import binomial, fisher, rank_sum
from analytics.transform.findings.finding import Begun, Finding, part_of, usd

MOST_CHANCE_OF_BURST = 1e-6
MOST_CHANCE_OF_VERSION = 0.003
MOST_CHANCE_OF_COSTS = 1e-5
FEWEST_RUNS = 10

_FEWEST_ERRORS, _FEWEST_IN_ALL = 5, 10  # of an hour; of a burst
_TIMES_EXPECTED = 4
_FEWEST_BESIDE = 3
_MOST_CHANCE_BESIDE = 1e-3  # of an hour beside one of a burst, that belongs to it
_LONGEST_GAP = timedelta(hours=3)  # between the beginnings of two hours
_LONGEST_QUIET = timedelta(hours=16)  # in which next to nothing was tried, or most of it failed
_FEW_TRIES = 5
_FEWEST_TRIES = 200  # by which a usual rate is known
_HIGHEST_RATE = 0.25  # of which a burst can be four times as much
_MOST_STANDING_OUT = 0.05  # of the hours of a subject: more are usual
_FEWEST_OF_TOOL = 3  # runs that met the errors
_HOUR, _SECOND = timedelta(hours=1), timedelta(seconds=1)
_FEWEST_RUNS_BEFORE = 20
_LEAST_RISE, _LEAST_TIMES = 0.03, 1.5  # of a failure rate
_LEAST_COST_TIMES = 1.2
_SUBJECT = ("workspace_id", "subject")
_VERSION = ("workspace_id", "agent_id", "agent_version")


@dataclass(frozen=True)
class Counts:
    """Finished and failed runs of a version, and the cost of failed ones; None if unknown."""

    finished: int
    failed: int
    failed_cost_usd: Decimal | None


def bursts(of: str, hours: pl.DataFrame, since: datetime, now: datetime) -> list[Finding]:
    """Return the bursts of errors, that began at `since` or later, of each subject.

    One that was there in the hour before `now`, or in that of it, lasts.
    `hours` have `error_count` of `try_count`, and those of a tool the runs that met errors,
    `met_count`; `of` is what fails: provider, tool or agent.
    """
    counts = "error_count", "try_count", "met_count"
    totals = (
        hours.with_columns(met_count="error_count" if of != "tool" else "met_count")
        .group_by(*_SUBJECT, "hour")
        .agg(pl.col(counts).sum())
        .filter(pl.col("try_count") > 0)
        .filter(_ERRORS.max().over(_SUBJECT) >= _FEWEST_BESIDE)  # no burst lacks such an hour
    )
    found = []
    for row in _joined(_judged(totals), totals).iter_rows(named=True):
        if row["hour"] < since or row["chance"] > MOST_CHANCE_OF_BURST:
            continue
        if row["error_count"] < _FEWEST_IN_ALL or row["met_count"] < _FEWEST_OF_TOOL:
            continue
        found.append(
            Finding(
                kind="failure_burst",
                workspace_id=row["workspace_id"],
                agent_id=row["subject"] if of == "agent" else ALL,
                subject=row["subject"],
                detail=of,
                since=row["hour"],
                until=None if row["end"] > now - _HOUR else row["end"],
                value=row["error_count"] / row["try_count"],
                baseline=row["rate"],
                unit="share",
                sample_count=row["try_count"],
                p_value=row["chance"],
            )
        )
    return found


def _judged(totals: pl.DataFrame) -> pl.DataFrame:
    """Return the hours that may be of a burst, with the usual `rate`, and `chance`, their p-value.

    Hours of bursts tell nothing of what is usual: they are left out, until none is added. The first
    to be left out are those that would stand out if errors came one by one: an outage would else
    hide behind how much errors vary in it.
    """
    totals = totals.with_columns(is_odd=pl.lit(value=False))
    out = _marked(totals, _odd(_with_chances(totals, group=pl.lit(1.0))))
    share = pl.col("is_odd").mean().over(_SUBJECT)
    totals = out.with_columns(is_odd=pl.col("is_odd") & (share <= _MOST_STANDING_OUT))
    while True:
        judged = _with_chances(totals, group=_GROUP)
        odd = _odd(judged)
        if odd.is_empty():
            return judged.filter(pl.col("chance") <= _MOST_CHANCE_BESIDE)
        totals = _marked(totals, odd)


_ERRORS, _TRIES, _RATE = map(pl.col, ("error_count", "try_count", "rate"))
_EXPECTED = _RATE * _TRIES
_IS_USUAL = ~pl.col("is_odd")
_SPREAD = (_ERRORS - _EXPECTED) ** 2 / (_EXPECTED * (1 - _RATE))
_GROUP = pl.max_horizontal(1, _SPREAD.filter(_IS_USUAL).mean().over(_SUBJECT))
"""The size of the groups that errors come in: how much more they vary than one by one."""


def _with_chances(totals: pl.DataFrame, group: pl.Expr) -> pl.DataFrame:
    """Return the hours with many errors, with their `rate` and `chance` by what is usual."""
    judged = (
        totals.with_columns(usual=_TRIES.filter(_IS_USUAL).sum().over(_SUBJECT))
        .filter(pl.col("usual") >= _FEWEST_TRIES)
        .with_columns(
            rate=(_ERRORS.filter(_IS_USUAL).sum().over(_SUBJECT) + 1) / (pl.col("usual") + 1)
        )
        .filter(_RATE <= _HIGHEST_RATE)
        .with_columns(group=group)
        .filter(_ERRORS >= _FEWEST_BESIDE, _ERRORS > 2 * _EXPECTED)
    )
    chances = [
        binomial(int(hits / of), max(round(count / of), int(hits / of)), usual_rate)
        for hits, count, usual_rate, of in judged.select(
            _ERRORS, _TRIES, _RATE, "group"
        ).iter_rows()
    ]
    return judged.with_columns(chance=pl.Series(chances, dtype=pl.Float64))


def _odd(judged: pl.DataFrame) -> pl.DataFrame:
    """Return the hours of bursts that are taken for usual ones."""
    return judged.filter(
        _IS_USUAL,
        _ERRORS >= _FEWEST_ERRORS,
        _ERRORS >= _TIMES_EXPECTED * _EXPECTED,
        pl.col("chance") <= MOST_CHANCE_OF_BURST,
    )


def _marked(totals: pl.DataFrame, odd: pl.DataFrame) -> pl.DataFrame:
    """Return the hours with those marked that are odd."""
    key = [*_SUBJECT, "hour"]
    return totals.join(odd.select(*key, found=True), on=key, how="left").select(
        pl.exclude("found", "is_odd"), is_odd=_IS_USUAL.not_() | pl.col("found").fill_null(False)
    )


def _joined(hours: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Return one row a burst: between the hours of `hours` that are of it lie few or quiet ones.

    `totals` have the errors and tries of each hour.
    """
    counts = "error_count", "try_count", "met_count"
    so_far = totals.sort(*_SUBJECT, "hour").select(
        *_SUBJECT,
        "hour",
        *(pl.col(name).cum_sum().over(_SUBJECT).name.suffix("_so_far") for name in counts),
    )
    joined = hours.join(so_far, on=[*_SUBJECT, "hour"]).sort(*_SUBJECT, "hour")

    def between(name: str) -> pl.Expr:
        before = pl.col(f"{name}_so_far").shift().over(_SUBJECT)
        return pl.col(f"{name}_so_far") - pl.col(name) - before

    gap = pl.col("hour") - pl.col("hour").shift().over(_SUBJECT)
    is_quiet = (between("try_count") < _FEW_TRIES) | (
        2 * between("error_count") >= between("try_count")
    )
    is_near = (gap <= _LONGEST_GAP) | ((gap <= _LONGEST_QUIET) & is_quiet)
    return (
        joined.with_columns(burst=is_near.fill_null(value=False).not_().cum_sum())
        .group_by(*_SUBJECT, "burst", maintain_order=True)
        .agg(
            pl.col("hour").first(),
            *(
                pl.col(name).first()
                + pl.col(f"{name}_so_far").last()
                - pl.col(f"{name}_so_far").first()
                for name in counts
            ),
            pl.col("rate").first(),
            pl.col("chance").min(),
            end=pl.col("hour").last() + _HOUR,
        )
    )


def with_runs(
    found: Iterable[Finding],
    met: Mapping[str, pl.DataFrame],
    runs: pl.DataFrame,
    days: pl.DataFrame,
) -> list[Finding]:
    """Return bursts with the runs that failed in them, and their cost.

    They are those of the agents that met the errors (`met` has them by hour, for each sort of
    burst): listed ones of these hours, and unlisted ones of the same days, of which no hour is
    known: the cost is a range then.
    """
    known = []
    for each in found:
        end = each.until or datetime.max.replace(tzinfo=each.since.tzinfo)
        within = pl.col("hour").is_between(each.since, end, closed="left")
        here = pl.col("workspace_id") == each.workspace_id
        agents = met[str(each.detail)].filter(
            here, within, pl.col("subject") == each.subject, pl.col("error_count") > 0
        )["agent_id"]
        of_agents = pl.col("agent_id").is_in(agents.unique().implode())
        listed = runs.filter(here, of_agents, within)
        on_days = pl.col("date").is_between(each.since.date(), (end - _SECOND).date())
        unlisted = days.filter(here, of_agents, on_days)
        unlisted_count = unlisted["unlisted_failed_count"].sum() or 0
        cost = usd(listed["failed_cost_usd"])
        high = usd(unlisted["failed_spread_usd"]) if unlisted_count else None
        known.append(
            replace(
                each,
                run_count=int(listed["failed_count"].sum() or 0) + int(unlisted_count),
                cost_usd=cost,
                cost_high_usd=cost + high if cost is not None and high else None,
            )
        )
    return known


def worse_versions(
    versions: pl.DataFrame, hours: pl.DataFrame, costs: pl.DataFrame, stepped: Begun
) -> list[Finding]:
    """Return versions that fail more often, or cost more for a success, than the one before.

    `versions` have those that began lately, with `previous_version`; `hours` their finished and
    failed runs, `costs` their newest successful runs by UTC day. Costs of before the last price
    step of an agent's models, `stepped`, are left out.
    """
    counts = {
        (*row[:2], row[2]): Counts(*row[3:])
        for row in hours.group_by(_VERSION)
        .agg(pl.col("finished_count", "failed_count", "failed_cost_usd").sum())
        .iter_rows()
    }
    firsts = pl.DataFrame(
        [(*agent, max(days)) for agent, days in stepped.items()],
        schema={"workspace_id": pl.String, "agent_id": pl.String, "first": pl.Date},
        orient="row",
    )
    alike = costs.join(firsts, on=firsts.columns[:2], how="left").filter(
        pl.col("first").is_null() | (pl.col("utc_date") >= pl.col("first"))
    )
    paid = {row[:3]: row[3] for row in alike.group_by(_VERSION).agg("cost").iter_rows()}
    found = []
    for row in versions.iter_rows(named=True):
        agent = row["workspace_id"], row["agent_id"]
        one, other = (*agent, row["agent_version"]), (*agent, row["previous_version"])
        if one not in counts or other not in counts:
            continue
        now, before = counts[one], counts[other]
        figures = _failing_more(now, before) or _costing_more(
            now, paid.get(one, ()), paid.get(other, ())
        )
        if figures:
            found.append(
                Finding(
                    kind="version_worse",
                    workspace_id=agent[0],
                    agent_id=agent[1],
                    subject=f"v{row['agent_version']}",
                    detail=f"v{row['previous_version']}",
                    since=row["first_run_at"],
                    until=row["until"],
                    **figures,
                )
            )
    return found


def _failing_more(now: Counts, before: Counts) -> dict[str, Any] | None:
    """Return the figures of a version that fails more often; None of another."""
    if now.finished < FEWEST_RUNS or before.finished < _FEWEST_RUNS_BEFORE:
        return None
    rate, rate_before = now.failed / now.finished, before.failed / before.finished
    if rate < max(rate_before + _LEAST_RISE, _LEAST_TIMES * rate_before):
        return None
    chance = fisher(now.failed, now.finished, before.failed, before.finished)
    if chance > MOST_CHANCE_OF_VERSION:
        return None
    return {
        "value": rate,
        "baseline": rate_before,
        "unit": "share",
        "sample_count": now.finished,
        "baseline_count": before.finished,
        "run_count": now.failed,
        "p_value": chance,
        "cost_usd": now.failed_cost_usd,
    }


def _costing_more(
    now: Counts, amounts: Sequence[float], before: Sequence[float]
) -> dict[str, Any] | None:
    """Return the figures of a version whose successful runs cost more; None of another."""
    if len(amounts) < FEWEST_RUNS or len(before) < _FEWEST_RUNS_BEFORE:
        return None
    usual, usual_before = median(amounts), median(before)
    if usual < _LEAST_COST_TIMES * usual_before:
        return None
    chance = rank_sum(amounts, before)
    if chance > MOST_CHANCE_OF_COSTS:
        return None
    success_count = now.finished - now.failed
    excess = (fmean(amounts) - fmean(before)) * success_count
    return {
        "value": usual,
        "baseline": usual_before,
        "unit": "usd_per_success",
        "sample_count": success_count,
        "baseline_count": len(before),
        "run_count": success_count,
        "p_value": chance,
        "cost_usd": part_of(Decimal(1), excess) if excess > 0 else None,
    }
