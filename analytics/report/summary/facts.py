"""The figures of the morning summary, exact: the fields of `summary.json`.

Fields that a day or month table has too are named as there, and mean the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All runs of some days, listed and unlisted; an amount is None where nothing of it is known.

    `cost_usd` includes the platform's own. `failed_cost_usd` is exact where no failed run is
    unlisted, else the low end of a range up to `failed_cost_high_usd`.
    """

    run_count: int
    succeeded_count: int
    failed_count: int
    cost_usd: Decimal | None
    platform_cost_usd: Decimal | None
    tokens_in: int | None
    tokens_out: int | None
    listed_run_count: int
    unlisted_run_count: int
    unlisted_cost_usd: Decimal | None
    failed_cost_usd: Decimal | None
    failed_cost_high_usd: Decimal | None
    unlisted_failed_count: int
    unknown_cost_count: int

    @property
    def finished_count(self) -> int:
        """The runs of which a share may have failed: cancelled ones stand apart."""
        return self.succeeded_count + self.failed_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace(Measures):
    """A workspace since its first date."""

    workspace_id: str
    workspace_name: str
    last_batch_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Days(Measures):
    """Some days of all workspaces, both ends included."""

    first_date: date
    last_date: date


@dataclass(frozen=True, slots=True)
class Mover:
    """The cost of an agent in the last seven complete days, and in the seven before."""

    workspace_name: str
    agent_name: str
    current_cost_usd: Decimal
    previous_cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Failing:
    """The agent whose failures of yesterday cost most."""

    workspace_name: str
    agent_name: str
    failed_count: int
    failed_cost_usd: Decimal | None
    failed_cost_high_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The agent that fills its list of 200 runs fastest, and the batches a day that list all.

    `required_batches_per_day` is None where 200 runs came at one instant.
    """

    workspace_name: str
    agent_name: str
    shortest_span_seconds: float
    required_batches_per_day: int | None


@dataclass(frozen=True, slots=True)
class Controls:
    """The checks that failed, and the days whose metered cost is unexplained.

    `api_check_count` of the checks compare two independent sources of the API; all others compare
    keys and sums of our own.
    """

    check_count: int
    api_check_count: int
    failed_checks: list[str]
    unreconciled_day_count: int
    unexplained_usd: Decimal


@dataclass(frozen=True, slots=True)
class Summary:
    """The batch in figures. Days are those of `timezone`.

    `usual_cost_usd` is the median of the same weekday of the four weeks before yesterday.
    `month_complete_days` are no more than last month has, and `same_days_of_last_month` are as
    many. Any of them is None where there are no such days, the data do not reach back, or
    yesterday lies after `last_complete_date`, the last one that is complete in every workspace.
    """

    as_of: datetime
    timezone: str
    workspaces: list[Workspace]
    yesterday: Days
    last_complete_date: date | None
    usual_cost_usd: Decimal | None
    month: Days
    month_complete_days: Days | None
    same_days_of_last_month: Days | None
    movers: list[Mover]
    most_failing: Failing | None
    schedule: Schedule | None
    open_count: int
    provisional_count: int
    controls: Controls

    @property
    def is_complete(self) -> bool:
        """Whether yesterday is complete in every workspace."""
        return (
            self.last_complete_date is not None
            and self.last_complete_date >= self.yesterday.first_date
        )
