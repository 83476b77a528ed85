"""Records of the API's analytics; money in US dollars."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec


class _Usage(msgspec.Struct, frozen=True, kw_only=True):
    """`cost_usd` is the models' list price, `billed_usd` Levain's charge."""

    cost_usd: Decimal | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class Totals(_Usage, frozen=True, kw_only=True):
    """Totals of a period."""

    billed_usd: Decimal | None = None
    request_count: int | None = None
    run_count: int | None = None
    agent_count: int | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The workspace's totals of a period, and of the period before it."""

    period: str
    start: datetime | None = None
    end: datetime | None = None
    current: Totals = Totals()
    previous: Totals = Totals()
    last_activity_at: datetime | None = None


class AgentBucket(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's cost and bill in an hour or a UTC day; without an agent it is the platform's."""

    bucket: datetime
    agent_id: str | None = None
    agent_name: str | None = None
    agent_slug: str | None = None
    cost_usd: Decimal | None = None
    billed_usd: Decimal | None = None


class UsageHour(_Usage, frozen=True, kw_only=True):
    """Usage by hour, agent, model and provider."""

    hour: datetime
    agent_id: str | None = None
    model: str | None = None
    provider: str | None = None
    request_count: int | None = None
    error_count: int | None = None


class BillingDay(_Usage, frozen=True, kw_only=True):
    """Usage and charges by UTC day and provider."""

    date: str
    provider: str | None = None
    billed_usd: Decimal | None = None
    request_count: int | None = None


class AgentTotals(_Usage, frozen=True, kw_only=True):
    """An agent's totals over the runs created in a window; durations in milliseconds."""

    agent_id: str | None = None
    agent_name: str | None = None
    agent_slug: str | None = None
    billed_usd: Decimal | None = None
    request_count: int | None = None
    run_count: int | None = None
    total_duration_ms: int | None = None
    last_run_at: datetime | None = None


class PlatformAgentTotals(_Usage, frozen=True, kw_only=True):
    """Usage by one of the vendor's own agents; `targets` are the agents that it worked on."""

    platform_agent_id: str | None = None
    platform_agent_slug: str | None = None
    platform_agent_name: str | None = None
    run_count: int | None = None
    billed_usd: Decimal | None = None
    targets: list[Any] = []


class RunCost(msgspec.Struct, frozen=True, kw_only=True):
    """Usage of one model by a run; the API has an older and a newer name for each measure."""

    model: str | None = None
    provider: str | None = None
    request_count: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    billed_usd: Decimal | None = None
    total_cost: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    total_tokens_in: int | msgspec.UnsetType | None = msgspec.UNSET
    total_tokens_out: int | msgspec.UnsetType | None = msgspec.UNSET
    cost_usd: Decimal | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None

    def __post_init__(self) -> None:
        """Move each measure to its newer name."""
        for old, new in (
            ("total_cost", "cost_usd"),
            ("total_tokens_in", "tokens_in"),
            ("total_tokens_out", "tokens_out"),
        ):
            if (value := getattr(self, old)) is not msgspec.UNSET:
                msgspec.structs.force_setattr(self, new, value)
                msgspec.structs.force_setattr(self, old, msgspec.UNSET)
