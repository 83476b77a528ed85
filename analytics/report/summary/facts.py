"""What the morning summary says, as exact figures: the fields of `summary.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs of a workspace; an amount is None where none is known.

    Hidden runs are counted by `missing_run_count` and `gap_cost_usd`, and in `all_runs_cost_usd`;
    all else is of listed runs.
    """

    workspace_id: str
    workspace_name: str
    last_batch_at: datetime | None
    run_count: int
    failed_count: int
    finished_count: int
    cost_usd: Decimal | None
    missing_run_count: int
    gap_cost_usd: Decimal | None
    all_runs_cost_usd: Decimal | None
    tokens_in: int | None
    tokens_out: int | None


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of all workspaces, both ends included.

    `all_runs_cost_usd` is what listed and hidden runs cost together, `complete_cost_usd` that and
    the platform's own; the failures are those of listed runs.
    """

    first_date: date
    last_date: date
    run_count: int
    failed_count: int
    finished_count: int
    failed_cost_usd: Decimal | None
    unknown_cost_count: int
    missing_run_count: int
    gap_cost_usd: Decimal | None
    unknown_gap_count: int
    all_runs_cost_usd: Decimal | None
    platform_cost_usd: Decimal | None
    complete_cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Mover:
    """What all runs of an agent cost in the last seven complete days, and in the seven before."""

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
    failed_cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Pace:
    """The agent that fills its list of 200 runs fastest, and the batches a day that miss none.

    `required_batches_per_day` is None where 200 runs came at one instant.
    """

    workspace_name: str
    agent_name: str
    shortest_span_seconds: float
    required_batches_per_day: int | None


@dataclass(frozen=True, slots=True)
class Controls:
    """The checks that do not hold, and the days whose metered usage is not explained."""

    check_count: int
    broken_checks: list[str]
    unreconciled_day_count: int
    unexplained_usd: Decimal


@dataclass(frozen=True, slots=True)
class Summary:
    """The batch in figures. Days are those of `timezone`; hidden runs' and the platform's of UTC.

    `usual_usd` is the median of up to four days before yesterday of the same weekday.
    `month_complete_days` are no more than last month has, and `same_days_of_last_month` are as
    many. Any of them is None where there are no such days, the data do not reach back, or
    yesterday lies after `complete_to`, the last day that was read and counted of every workspace.
    """

    as_of: datetime
    timezone: str
    workspaces: list[Runs]
    yesterday: Days
    complete_to: date | None
    usual_usd: Decimal | None
    month: Days
    month_complete_days: Days | None
    same_days_of_last_month: Days | None
    movers: list[Mover]
    most_failing: Failing | None
    fastest_list: Pace | None
    open_count: int
    provisional_count: int
    controls: Controls

    @property
    def is_whole(self) -> bool:
        """Whether all of yesterday is known."""
        return self.complete_to is not None and self.complete_to >= self.yesterday.first_date
