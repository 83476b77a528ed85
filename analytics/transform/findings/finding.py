"""A finding as it is found: figures without words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl

from analytics.format.names import ALL

RECENT_DAYS = 28
"""Days in which most findings begin, and of which their cost is compared."""

Begun = Mapping[tuple[str, str], Collection[date]]
"""The UTC days on which something began, by workspace and agent."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that needs a person; `value` and `baseline` are in `unit`, instants in UTC.

    `detail` tells the subject apart, or says more of it. `sample_count` and `baseline_count` are
    what the two figures are of, `run_count` the runs affected. `until` is None while it lasts. A
    cost is in US dollars, and a range with `cost_high_usd`; None is unknown.
    """

    kind: str
    workspace_id: str
    agent_id: str = ALL
    subject: str
    detail: str | None = None
    since: datetime
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


_TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "str": pl.String,
    "datetime": pl.Datetime("us", "UTC"),
    "float": pl.Float64,
    "int": pl.Int64,
    "Decimal": pl.Decimal(38, 10),
    "bool": pl.Boolean,
}
SCHEMA = {each.name: _TYPES[str(each.type).removesuffix(" | None")] for each in fields(Finding)}


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
