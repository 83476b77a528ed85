"""Bursts of errors in some hours, of a provider, a tool or an agent.

Errors of a provider are those of the hourly meter, which sees unlisted runs, too; calls of a tool
and runs of an agent are of listed runs alone. Windows of 1 to 24 hours are judged, so that one of a
slow agent is seen, too. Of unlisted runs of an agent only the day is known: it is in no window, and
tells what is usual. One of a burst has at least seven errors (of requests ten), four times what is
expected of the rate of all other hours, and so many that chance makes them at p <= 1e-6. Errors
come in groups, as a run tries again, and some days are worse than others: counts are divided by how
much more they vary than chance, in other hours than the few that stand out. Errors of a tool in one
or two runs are no burst.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from analytics.format.names import ALL
from analytics.transform.findings.chance import binomial
from analytics.transform.findings.finding import Finding, usd

MOST_CHANCE = 1e-6

_FEWEST_ERRORS, _FEWEST_OF_PROVIDER = 7, 10  # of a window; requests come in groups
_LONGEST = timedelta(hours=24)
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
_SUBJECT = ("workspace_id", "subject")


def bursts(
    of: str,
    hours: pl.DataFrame,
    since: datetime,
    now: datetime,
    days: pl.DataFrame | None = None,
) -> list[Finding]:
    """Return the bursts of errors, that began at `since` or later, of each subject.

    One that was there in the hour before `now`, or in that of it, lasts.
    `hours` have `error_count` of `try_count`, and those of a tool the runs that met errors,
    `met_count`; `of` is what fails: provider, tool or agent. `days` have the counts of UTC days,
    under their first `hour`, that are in no hour.
    """
    totals = (
        hours.with_columns(met_count="error_count" if of != "tool" else "met_count")
        .group_by(*_SUBJECT, "hour")
        .agg(pl.col(_COUNTS).sum())
        .filter(pl.col("try_count") > 0)
        .filter(_ERRORS.sum().over(_SUBJECT) >= _FEWEST_ERRORS)
        .with_columns(is_hour=pl.lit(value=True), hour_count=1)
    )
    if days is not None:
        beside = (
            days.filter(_TRIES > 0)
            .join(totals, on=_SUBJECT, how="semi")
            .select(
                *_SUBJECT,
                "hour",
                "error_count",
                "try_count",
                met_count=0,
                is_hour=pl.lit(value=False),
                hour_count=pl.min_horizontal("try_count", 24),
            )
        )
        totals = pl.concat([totals, beside], how="vertical_relaxed")
    totals = totals.sort(*_SUBJECT, "hour", "is_hour").with_columns(
        (pl.col(_COUNTS) * _IS_HOUR).cum_sum().over(_SUBJECT).name.suffix("_so_far")
    )
    return [
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
        for row in _joined(*_judged(totals), totals).iter_rows(named=True)
        if row["hour"] >= since
        and row["error_count"] >= (_FEWEST_OF_PROVIDER if of == "provider" else _FEWEST_ERRORS)
        and row["met_count"] >= _FEWEST_OF_TOOL
    ]


_COUNTS = ("error_count", "try_count", "met_count")


def _judged(totals: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the windows that are of a burst, and all that chance hardly makes.

    Hours of bursts tell nothing of what is usual: they are left out, until none is added. The first
    to be left out are those that would stand out if errors came one by one: an outage would else
    hide behind how much errors vary in it.
    """
    totals = totals.with_columns(is_odd=pl.lit(value=False))
    out = _marked(totals, _odd(_windows(totals, one_by_one=True)))
    share = (_WEIGHT.filter("is_odd").sum() / _WEIGHT.sum()).over(_SUBJECT)
    totals = out.with_columns(is_odd=pl.col("is_odd") & (share <= _MOST_STANDING_OUT))
    while True:
        windows = _windows(totals)
        odd = _odd(windows)
        marked = _marked(totals, odd)
        if marked["is_odd"].sum() == totals["is_odd"].sum():
            return odd, windows
        totals = marked


_ERRORS, _TRIES, _RATE = map(pl.col, ("error_count", "try_count", "rate"))
_EXPECTED = _RATE * _TRIES
_IS_MUCH = (_ERRORS >= _FEWEST_ERRORS) & (_ERRORS >= _TIMES_EXPECTED * _EXPECTED)
_IS_USUAL, _IS_HOUR = ~pl.col("is_odd"), pl.col("is_hour")
_WEIGHT = pl.col("hour_count")
_DAY = (*_SUBJECT, pl.col("hour").dt.date())


def _spread(errors: pl.Expr, tries: pl.Expr) -> pl.Expr:
    """The variation of errors of a subject, in units of that of errors that come one by one."""
    expected = _RATE * tries
    spread = (errors - expected) ** 2 / (expected * (1 - _RATE))
    weight = _WEIGHT.filter(_IS_USUAL)
    return ((spread.filter(_IS_USUAL) * weight).sum() / weight.sum()).over(_SUBJECT)


def _windows(totals: pl.DataFrame, *, one_by_one: bool = False) -> pl.DataFrame:
    """Return the windows of up to a day with more errors than usual, with `rate` and `chance`.

    `chance` is the p-value by what is usual of the subject, as `rate` is. Errors come in groups,
    whose size is how much more they vary than `one_by_one`, from hour to hour, and in a window of
    more than one from day to day. A window begins and ends (`hour` to `last`) with an hour that has
    more errors than usual, as any does of which a part is not less probable.
    """
    judged = (
        totals.with_columns(usual=_TRIES.filter(_IS_USUAL).sum().over(_SUBJECT))
        .filter(pl.col("usual") >= _FEWEST_TRIES)
        .with_columns(
            rate=(_ERRORS.filter(_IS_USUAL).sum().over(_SUBJECT) + 1) / (pl.col("usual") + 1)
        )
        .filter(_RATE <= _HIGHEST_RATE)
    )
    of_day = [each.filter(_IS_USUAL).sum().over(_DAY) for each in (_ERRORS, _TRIES)]
    group = pl.lit(1.0) if one_by_one else pl.max_horizontal(1, _spread(_ERRORS, _TRIES))
    raised = judged.with_columns(
        group=group,
        group_of_day=pl.max_horizontal(group, group if one_by_one else _spread(*of_day)),
        **{f"{name}_of_date": pl.col(f"{name}_so_far").last().over(_DAY) for name in _COUNTS[:2]},
    ).filter(_IS_HOUR, _ERRORS > 2 * _EXPECTED)
    ends = raised.select(
        *_SUBJECT,
        *(pl.col(f"{name}_so_far").alias(f"{name}_at_end") for name in _COUNTS),
        last="hour",
        date=pl.col("hour").dt.date(),
    )
    windows = (
        pl.concat(
            raised.with_columns(date=pl.col("hour").dt.date() + pl.duration(days=later))
            for later in (0, 1)
        )
        .join(ends, on=[*_SUBJECT, "date"])
        .filter((pl.col("last") - pl.col("hour")).is_between(timedelta(), _LONGEST, closed="left"))
        .with_columns(
            *(
                pl.col(name) + pl.col(f"{name}_at_end") - pl.col(f"{name}_so_far")
                for name in _COUNTS
            ),
            # of the window's first UTC date
            **{
                f"{name}_of_date": pl.col(name)
                + pl.min_horizontal(f"{name}_of_date", f"{name}_at_end")
                - pl.col(f"{name}_so_far")
                for name in _COUNTS[:2]
            },
            group=pl.when(pl.col("hour") == pl.col("last"))
            .then(pl.col("group"))
            .otherwise("group_of_day"),
        )
        .filter(_IS_MUCH | (pl.col("hour") == pl.col("last")) & (_ERRORS >= _FEWEST_BESIDE))
    )
    chances = [
        binomial(int(hits / of), max(round(count / of), int(hits / of)), usual_rate)
        for hits, count, usual_rate, of in windows.select(
            _ERRORS, _TRIES, _RATE, "group"
        ).iter_rows()
    ]
    return windows.select(
        *_SUBJECT,
        "hour",
        "last",
        *_COUNTS,
        "error_count_of_date",
        "try_count_of_date",
        "rate",
        chance=pl.Series(chances, dtype=pl.Float64),
    )


def _odd(windows: pl.DataFrame) -> pl.DataFrame:
    """Return the windows of bursts: of those that overlap, the one that chance makes least.

    None begins on a UTC date of which it has no more than chance makes: its date is what tells a
    burst apart, and must not move when a later batch knows more of it.
    """
    taken = defaultdict[tuple[str, str], list[Mapping[str, Any]]](list)
    for row in (
        windows.filter(_IS_MUCH, pl.col("chance") <= MOST_CHANCE)
        .sort("chance", pl.col("last") - pl.col("hour"), "hour")
        .iter_rows(named=True)
    ):
        others = taken[row["workspace_id"], row["subject"]]
        if any(row["hour"] <= each["last"] and each["hour"] <= row["last"] for each in others):
            continue
        of_date = int(row["error_count_of_date"]), int(row["try_count_of_date"])
        if binomial(*of_date, row["rate"]) <= _MOST_CHANCE_BESIDE:
            others.append(row)
    rows = [each for others in taken.values() for each in others]
    return pl.DataFrame(rows, schema=windows.schema)


def _marked(totals: pl.DataFrame, odd: pl.DataFrame) -> pl.DataFrame:
    """Return the hours with those marked that are of odd windows."""
    hours = _hours_of(odd, totals).select(*_SUBJECT, "hour", found=pl.lit(value=True))
    return totals.join(hours, on=[*_SUBJECT, "hour"], how="left").select(
        pl.exclude("found", "is_odd"), is_odd=pl.col("is_odd") | pl.col("found").fill_null(False)
    )


def _hours_of(windows: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Return the hours of windows, with the first hour, `rate` and `chance` of the window."""
    spans = windows.select(*_SUBJECT, "last", "rate", "chance", window="hour")
    return totals.join(spans, on=_SUBJECT).filter(
        _IS_HOUR, pl.col("hour").is_between(pl.col("window"), pl.col("last"))
    )


def _joined(odd: pl.DataFrame, windows: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Return one row a burst: between the hours that are of it lie few or quiet ones.

    They are those of odd windows, and single ones beside them that chance hardly makes. Bursts that
    began on one UTC date are one.
    """
    beside = windows.filter(
        pl.col("hour") == pl.col("last"), pl.col("chance") <= _MOST_CHANCE_BESIDE
    )
    key = [*_SUBJECT, "hour"]
    of_odd = _hours_of(odd, totals)
    joined = pl.concat(
        [of_odd, _hours_of(beside, totals).join(of_odd, on=key, how="anti")], how="vertical"
    ).sort(key)

    def before(name: str) -> pl.Expr:
        return pl.col(name).shift().over(_SUBJECT)

    def between(name: str) -> pl.Expr:
        return pl.col(f"{name}_so_far") - pl.col(name) - before(f"{name}_so_far")

    gap = pl.col("hour") - before("hour")
    is_quiet = (between("try_count") < _FEW_TRIES) | (
        2 * between("error_count") >= between("try_count")
    )
    is_near = (
        (gap <= _LONGEST_GAP)
        | ((gap <= _LONGEST_QUIET) & is_quiet)
        | (pl.col("window") == before("window"))
    )
    ends = (
        pl.col("hour").first(),
        pl.col("rate").first(),
        *(pl.col(f"{name}_before").first() for name in _COUNTS),
        *(pl.col(f"{name}_so_far").last() for name in _COUNTS),
        pl.col("chance").min(),
        pl.col("end").last(),
    )
    return (
        joined.with_columns(
            *(
                (pl.col(f"{name}_so_far") - pl.col(name)).alias(f"{name}_before")
                for name in _COUNTS
            ),
            burst=is_near.fill_null(value=False).not_().cum_sum(),
            end=pl.col("hour") + _HOUR,
        )
        .group_by(*_SUBJECT, "burst", maintain_order=True)
        .agg(ends)
        .filter(pl.col("chance") <= MOST_CHANCE)
        .group_by(*_SUBJECT, date=pl.col("hour").dt.date(), maintain_order=True)
        .agg(ends)
        .with_columns(
            (pl.col(f"{name}_so_far") - pl.col(f"{name}_before")).alias(name) for name in _COUNTS
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
