"""Forecasts of daily amounts: what days ahead will sum to, with an 80 % and a 95 % range.

Each day ahead counts as the mean of its weekday so far, in which a week counts half as much as one
three weeks later: it follows a trend, and is not thrown by a burst. The range comes from how wrong
the same forecast was: at each of the 112 days before, one, 7 and 28 days ahead, in proportion to
the level of these days and today's. Between these horizons the error grows evenly on a logarithmic
scale; beyond the last one that was measured, by the power 0.75 of the number of days.

A series begins at its first amount that is not zero: an agent launched last week has a week of
history. One that has none counts as zero from its first date on. With fewer than 12 known days of
the last 112, or a weekday of which none is known, there is no forecast. It knows no holiday, launch
or change of price beforehand.

It is tested: the forecast of a line is made as of days of earlier months, and compared with the
cost of those that are known as a whole. `queries/frames/` has what is forecast, `fct_forecasts` and
`fct_budgets` make figures of it.

Amounts are whole ten-billionths of a US dollar, in which sums and comparisons are exact whatever
their order; estimates are floats, computed in the order of dates and rounded half-even at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import polars as pl

from analytics.transform.models import Header, polars_model

FEWEST_DAYS = 12
LONGEST_BASIS = 112
WEEK = tuple(f"day_{number}" for number in range(7))
"""Columns of a forecast: what each of the seven days from its start is expected to cost."""

_WEEKS_UNTIL_HALF = 3
_HORIZONS = (1, 7, 28)
_GROWTH = 0.75  # of the error, beyond the longest horizon that was measured
_WIDTH_80 = 1.2815515655446004  # the normal distribution's
_WIDTH_95 = 2.2  # the normal distribution's is 1.96; these errors have heavier tails
_ERRORS = tuple(f"error_{days}" for days in _HORIZONS)
_SERIES = ("scope", "name", "workspace_id")
_MONEY = pl.Decimal(38, 10)


def forecast(days: pl.DataFrame, periods: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return `periods` with what each of them will sum to.

    `days` has one row per `key` and `date`, without gaps and in order; `amount` is null where it is
    unknown. A period goes from `first` to the day before `end`; of the days from `start` on, which
    is no later than `first`, nothing is used. Several may be of one key.

    Added are `basis_days`, the known days; `expected`, null if there are too few of them; half the
    widths of the ranges, `spread_80` and `spread_95`; and `day_0` to `day_6`, the amounts of the
    day `start` and the six after it, which repeat.
    """
    ahead, skipped = _day_count("start", "end"), _day_count("start", "first")
    made = periods.join(
        _known_at_start(days, key), on=[*key, "start"], how="left", maintain_order="left"
    )
    is_made = pl.all_horizontal(pl.col("basis_days") >= FEWEST_DAYS, pl.col(WEEK).is_not_null())
    expected = pl.sum_horizontal(
        pl.col(day) * (_repeats(ahead, number) - _repeats(skipped, number))
        for number, day in enumerate(WEEK)
    )
    return made.with_columns(
        pl.col("basis_days").fill_null(0),
        expected=pl.when(is_made).then(_rounded(expected)),
        **{
            name: pl.when(is_made).then(_rounded(width * _error(ahead - skipped)))
            for name, width in (("spread_80", _WIDTH_80), ("spread_95", _WIDTH_95))
        },
    ).drop(_ERRORS)


def with_actual(periods: pl.DataFrame, days: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return `periods` with `actual`, the sum of each; null unless all its days are known."""
    known, amount = pl.col("amount").is_not_null().cast(pl.Int64), pl.col("amount").fill_null(0)
    sums = days.select(
        *key,
        end=pl.col("date") + pl.duration(days=1),
        known=known.cum_sum().over(key),
        total=amount.cum_sum().over(key),
    )
    is_whole = pl.col("known") - pl.col("known_before") == _day_count("first", "end")
    return (
        periods.join(sums, on=[*key, "end"], how="left", maintain_order="left")
        .join(
            sums.rename({"end": "first"}),
            on=[*key, "first"],
            how="left",
            suffix="_before",
            maintain_order="left",
        )
        .with_columns(pl.col("known_before", "total_before").fill_null(0))
        .with_columns(actual=pl.when(is_whole).then(pl.col("total") - pl.col("total_before")))
        .drop("known", "total", "known_before", "total_before")
    )


def _known_at_start(days: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return for each `start`, the day after a date, what is known and expected by then."""
    amount, mean = pl.col("amount"), pl.col("mean")
    begun = (amount.fill_null(0) != 0).cum_max().over(key)
    return (
        days.with_columns(weekday=pl.col("date").dt.weekday())
        .with_columns(amount=pl.when(begun | ~begun.any().over(key)).then(amount.cast(pl.Float64)))
        .with_columns(
            mean=amount.ewm_mean(half_life=_WEEKS_UNTIL_HALF).forward_fill().over(*key, "weekday")
        )
        .with_columns(level=mean.rolling_sum(7).over(key))
        .with_columns(
            _measured_error(horizon, key).alias(name)
            for horizon, name in zip(_HORIZONS, _ERRORS, strict=True)
        )
        .select(
            *key,
            *_ERRORS,
            start=pl.col("date") + pl.duration(days=1),
            basis_days=amount.is_not_null()
            .cast(pl.Int64)
            .rolling_sum(LONGEST_BASIS, min_samples=1)
            .over(key),
            **{day: mean.shift(6 - number).over(key) for number, day in enumerate(WEEK)},
        )
    )


def _measured_error(horizon: int, key: Sequence[str]) -> pl.Expr:
    """The root of the mean square of the errors so far, at the level of the day.

    Null with fewer than two horizons of days: errors of days that overlap are alike.
    """
    mean, level = pl.col("mean"), pl.col("level")
    made = mean.shift(6) if horizon == 1 else level * (horizon // 7)
    error = pl.col("amount").rolling_sum(horizon) - made.shift(horizon)
    fewest = 1 if horizon == 1 else 2 * horizon
    measured = (error**2).rolling_mean(LONGEST_BASIS, min_samples=fewest).clip(0).sqrt()
    usual_level = (level**2).rolling_mean(LONGEST_BASIS, min_samples=1).clip(0).sqrt()
    at_level = pl.when(usual_level > 0).then(level / usual_level).otherwise(1.0)
    return (measured * at_level).over(key)


def _error(horizon: pl.Expr) -> pl.Expr:
    """The error of a sum over so many days, from those of the horizons that were measured."""
    measured = list(zip(_HORIZONS, map(pl.col, _ERRORS), strict=True))
    longer = [*measured[1:], None]
    of_horizons = []
    for (days, error), beyond in zip(measured, longer, strict=True):
        growth: pl.Expr = pl.lit(_GROWTH)
        if beyond is not None:
            known = pl.when(error > 0, beyond[1] > 0)
            growth = known.then((beyond[1] / error).log() / log(beyond[0] / days)).otherwise(growth)
        grown = error * (horizon / days).pow(growth)
        of_horizons.append(pl.when(horizon >= days).then(grown))
    return pl.when(horizon == 0).then(0.0).otherwise(pl.coalesce(reversed(of_horizons)))


def _repeats(days: pl.Expr, number: int) -> pl.Expr:
    """Of so many days from the start on, those that are the day of this number of their week."""
    return (days + 6 - number) // 7


def _day_count(first: str, end: str) -> pl.Expr:
    return (pl.col(end) - pl.col(first)).dt.total_days()


def _rounded(estimate: pl.Expr) -> pl.Expr:
    return estimate.round(0, mode="half_to_even").cast(pl.Int128)


def forecasts(series: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Return the forecast of the current month of each series, and how well those before did."""
    # By a number of theirs, rows are grouped in half the time.
    numbered = series.with_row_index("series")
    days = (
        numbered.select("series", date="dates", amount="amounts")
        .explode("date", "amount")
        .with_columns(pl.col("amount").cast(_MONEY).to_physical())
    )
    made = forecast(
        days,
        periods.join(numbered.select("series", *_SERIES), on=_SERIES, how="left"),
        ("series",),
    )
    current = made.filter("is_current")
    week_before = pl.col("start") - pl.duration(days=len(WEEK))
    rates = with_actual(
        current.select("series", first=week_before, end="start"), days, ("series",)
    ).select("series", run_rate=_divided(pl.col("actual"), pl.lit(len(WEEK))))
    tested = _tested(made.filter(~pl.col("is_current")), days)
    return (
        current.join(rates, on="series", how="left")
        .join(tested, on="series", how="left")
        .select(
            *_SERIES,
            "month",
            "start",
            "first",
            "end",
            basis_day_count="basis_days",
            expected_usd=_usd(pl.col("expected")),
            spread_80_usd=_usd(pl.col("spread_80")),
            spread_95_usd=_usd(pl.col("spread_95")),
            week_usd=pl.concat_list(_usd(pl.col(day)) for day in WEEK),
            run_rate_usd=_usd(pl.col("run_rate")),
            mean_error_usd=_usd(pl.col("mean_error")),
            **{name: pl.col(name).fill_null(0) for name in _COUNTS},
        )
    )


_COUNTS = ("tested_month_count", "test_count", "hit_count", "hit_95_count")


def _tested(made: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return the number of tests, of those within each range, and their mean absolute error."""
    error = (pl.col("actual") - pl.col("expected")).abs()
    return (
        with_actual(made.drop_nulls("expected"), days, ("series",))
        .drop_nulls("actual")
        .group_by("series")
        .agg(
            tested_month_count=pl.col("month").n_unique().cast(pl.Int64),
            test_count=pl.len().cast(pl.Int64),
            hit_count=(error <= pl.col("spread_80")).sum().cast(pl.Int64),
            hit_95_count=(error <= pl.col("spread_95")).sum().cast(pl.Int64),
            mean_error=_divided(error.sum(), pl.len()),
        )
    )


def _usd(amount: pl.Expr) -> pl.Expr:
    """Money from ten-billionths; a float is an estimate, and is rounded half-even here, once."""
    return _rounded(amount).reinterpret(dtype=_MONEY)


def _divided(amount: pl.Expr, by: pl.Expr) -> pl.Expr:
    """A whole number divided by a positive one, rounded half-even, without a float."""
    by = by.cast(pl.Int128)
    low = amount // by
    twice_the_rest = (amount - low * by) * 2
    rounds_up = (twice_the_rest > by) | ((twice_the_rest == by) & (low % 2 == 1))
    return low + rounds_up.cast(pl.Int128)


MODEL = polars_model(
    "intermediate.int_forecasts",
    forecasts,
    Header(
        "Forecasts of the current month of lines and of budgets, from its day `first` to the one"
        " before `end`, by what was known before `start`: what is expected, half the widths of its"
        " ranges, of each of the seven days from `start` on, and of the mean day of the week"
        " before. Grain: scope, name, workspace and month.",
        key=(*_SERIES, "month"),
    ),
)
