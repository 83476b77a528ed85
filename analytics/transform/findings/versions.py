"""Versions that are worse than the one that began before, without the hours of bursts.

Fisher's exact test on failed runs of finished ones, and a rank test on the costs of successful
runs, at p <= 0.003: a version is tested by each batch for four weeks, but there are few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean, median
from typing import Any

import polars as pl

from analytics.transform.findings.chance import fisher, rank_sum
from analytics.transform.findings.finding import Begun, Finding, part_of

MOST_CHANCE = 0.003
MOST_CHANCE_OF_COSTS = 1e-5

_FEWEST_RUNS, _FEWEST_RUNS_BEFORE = 10, 20
_LEAST_RISE, _LEAST_TIMES = 0.03, 1.5  # of a failure rate
_LEAST_COST_TIMES = 1.2
_VERSION = ("workspace_id", "agent_id", "agent_version")


@dataclass(frozen=True)
class Counts:
    """Finished and failed runs of a version, and the cost of failed ones; None if unknown."""

    finished: int
    failed: int
    failed_cost_usd: Decimal | None


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
    if now.finished < _FEWEST_RUNS or before.finished < _FEWEST_RUNS_BEFORE:
        return None
    rate, rate_before = now.failed / now.finished, before.failed / before.finished
    if rate < max(rate_before + _LEAST_RISE, _LEAST_TIMES * rate_before):
        return None
    chance = fisher(now.failed, now.finished, before.failed, before.finished)
    if chance > MOST_CHANCE:
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
    if len(amounts) < _FEWEST_RUNS or len(before) < _FEWEST_RUNS_BEFORE:
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
