"""The rows that reports read from the marts, one type a question. Money is exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

AgentKey: TypeAlias = tuple[str, str]
"""A workspace's id, and an agent's or NO_AGENT or PLATFORM."""

NO_AGENT, PLATFORM = "(none)", "(platform)"
WHOLE = "(all)"
"""A workspace as a whole, among the lines of forecasts."""


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """A workspace, the instant to which its data reach, and its first complete day."""

    workspace_id: str
    name: str | None
    cut_off: datetime | None
    first_day: date | None
    incomplete_days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent, runs of none or the platform, and the first and the last day with figures of it."""

    key: AgentKey
    name: str | None
    slug: str | None
    status: str | None
    is_listed: bool
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """How the current month will end (`fct_forecasts`); amounts are None with too little history.

    The month is known up to `days_left` days before its end.
    """

    month: date
    cost_to_date_usd: Decimal | None
    low_usd: Decimal | None
    expected_usd: Decimal | None
    high_usd: Decimal | None
    days_left: int
    basis_day_count: int
    tested_month_count: int
    hit_month_count: int


@dataclass(frozen=True, slots=True)
class UnusualDay:
    """A day that cost far more than usual (`fct_unusual_days`); no cause for the platform."""

    date: date
    cost_usd: Decimal
    usual_cost_usd: Decimal
    run_count: int
    usual_runs: float
    usd_per_run: Decimal | None
    usual_usd_per_run: Decimal | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class RunCosts:
    """How the known costs of an agent's recent finished runs are spread."""

    run_count: int
    median_usd: Decimal
    ninetieth_usd: Decimal
    largest_usd: Decimal


@dataclass(frozen=True, slots=True)
class Run:
    """A run of an agent. Times are in UTC; `number` counts from 1, the newest."""

    number: int
    run_id: str
    status: str
    agent_version: int | None
    kind: str | None
    parent_run_id: str | None
    session_id: str | None
    date: date
    created_at: datetime
    duration_seconds: float | None
    cost_usd: Decimal | None
    tokens_in: int | None
    tokens_out: int | None
    error_class: str | None


@dataclass(frozen=True, slots=True)
class Bill:
    """Metered cost + surcharge - own-key cost = billed; None where the API does not report it."""

    cost_usd: Decimal | None
    surcharge_usd: Decimal | None
    own_key_usd: Decimal | None
    billed_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class ProviderMonth(Bill):
    """The bill of a provider's models in a month of UTC days."""

    provider: str
    month: date


@dataclass(frozen=True, slots=True)
class PlatformMonth:
    """What one of the platform's own agents did in a month of UTC days."""

    month: date
    platform_agent_id: str | None
    name: str | None
    slug: str | None
    run_count: int
    cost_usd: Decimal | None
    billed_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Records of one source that could not be understood, for one reason."""

    source: str
    reason: str
    record_count: int


@dataclass(frozen=True, slots=True)
class Check:
    """A check, as it stood when it last ran."""

    name: str
    claim: str
    violation_count: int
    is_ok: bool
