"""A finding as it is found: figures without words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl
import polars.selectors as cs

from analytics.format.names import ALL

KINDS = (
    "version_worse",
    "price_step",
    "failure_burst",
    "cost_jump",
    "idle_runs",
    "repeated_errors",
    "budget",
    "silent_agent",
    "new_agent",
    "unlisted",
    "data",
)
"""The kinds of findings, as docs/findings.md has them."""

Begun = Mapping[tuple[str, str], Collection[date]]
"""The UTC days on which something began, by workspace and agent."""

MONEY = pl.Decimal(38, 10)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that needs a person; `value` and `baseline` are in `unit`, instants in UTC.

    `detail` tells the subject apart, or says more of it. `sample_count` and `baseline_count` are
    what the two figures are of, `run_count` the runs affected. `until` is None while it lasts. A
    cost is in US dollars, and a range with `cost_high_usd`; None is unknown.
    """

    kind: str
    workspace_id: str
    subject: str
    since: datetime
    agent_id: str = ALL
    detail: str | None = None
    until: datetime | None = None
    value: float | None = None
    baseline: float | None = None
    unit: str | None = None
    sample_count: int | None = None
    baseline_count: int | None = None
    run_count: int | None = None
    p_value: float | None = None
    cost_usd: Decimal | None = None
    cost_high_usd: Decimal | None = None
    is_chronic: bool = False


SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String,
    "workspace_id": pl.String,
    "agent_id": pl.String,
    "subject": pl.String,
    "detail": pl.String,
    "since": pl.Datetime("us", "UTC"),
    "until": pl.Datetime("us", "UTC"),
    "value": pl.Float64,
    "baseline": pl.Float64,
    "unit": pl.String,
    "sample_count": pl.Int64,
    "baseline_count": pl.Int64,
    "run_count": pl.Int64,
    "p_value": pl.Float64,
    "cost_usd": MONEY,
    "cost_high_usd": MONEY,
    "is_chronic": pl.Boolean,
}


def in_utc(*frames: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the frames with their instants in UTC, whatever the reporting time zone."""
    return [each.with_columns(cs.datetime().dt.convert_time_zone("UTC")) for each in frames]


def midnight(day: date) -> datetime:
    """Return the beginning of a UTC day."""
    return datetime.combine(day, time(), UTC)


def usd(amounts: pl.Series) -> Decimal | None:
    """Return the sum of what is known of amounts; None where there are some and none is known."""
    known = amounts.drop_nulls()
    return None if len(amounts) and not len(known) else Decimal(known.sum())


def part_of(amount: Decimal | None, share: float) -> Decimal | None:
    """Return an estimated share of an amount, to ten decimals."""
    return None if amount is None else (amount * Decimal(share)).quantize(Decimal("1e-10"))
