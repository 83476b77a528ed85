"""Rows that the pages on trust read from the published file. Money is exact; times are in UTC."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Explained:
    """Cost that the API metered, the parts that explain it, and the bill (None if unknown)."""

    metered_usd: Decimal
    run_usd: Decimal
    open_usd: Decimal
    platform_usd: Decimal
    unlisted_usd: Decimal
    timing_difference_usd: Decimal
    unexplained_usd: Decimal
    billed_usd: Decimal | None

    @property
    def parts(self) -> list[Decimal]:
        """The amounts that add up to the metered cost; the last one is their residual."""
        return [
            self.run_usd,
            self.open_usd,
            self.platform_usd,
            self.unlisted_usd,
            self.timing_difference_usd,
            self.unexplained_usd,
        ]


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day of the reconciliation; its status is open, pending, reconciled or unreconciled."""

    utc_date: date
    status: str
    explained: Explained


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a month's bridge from the cost of runs to the bill."""

    month: date
    number: int
    step: str
    amount_usd: Decimal
    comment: str


@dataclass(frozen=True, slots=True)
class Control:
    """A comparison of two independent sources, in one workspace; None where nothing was compared.

    Its number of findings is that of the workspace.
    """

    control: str
    claim: str
    sources: tuple[str, str]
    measure: str | None
    compared_count: int | None
    ours: Decimal | None
    theirs: Decimal | None
    finding_count: int

    @property
    def is_passed(self) -> bool | None:
        """None if there was nothing to compare."""
        if self.finding_count:
            return False
        return True if self.compared_count else None


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference that a control found: whose figure it is, and both numbers."""

    control: str
    number: int
    finding_count: int
    utc_date: date | None
    agent_id: str | None
    run_id: str | None
    provider: str | None
    measure: str | None
    ours: Decimal | None
    theirs: Decimal | None
    difference_usd: Decimal | None
    is_closed: bool | None


@dataclass(frozen=True, slots=True)
class Origin:
    """What of a day's unexplained cost belongs to an agent, or to the platform."""

    utc_date: date
    agent_id: str
    explained: Explained


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour's metered usage that names no agent."""

    hour: datetime
    request_count: int | None
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check of the last batch, of all workspaces together."""

    name: str
    claim: str | None
    control: str | None
    sources: str | None
    is_passed: bool
    is_blocking: bool
    finding: str | None


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A key of the workspace's own at a model provider; listed until it is revoked."""

    provider: str | None
    added_at: datetime | None
    is_listed: bool


def added(parts: Iterable[Explained]) -> Explained:
    """The amounts of several days together; an unknown bill is in no sum."""
    parts = list(parts)
    names = [each.name for each in fields(Explained)]
    sums = {name: _sum([getattr(each, name) for each in parts]) for name in names}
    if all(each.billed_usd is None for each in parts):
        sums["billed_usd"] = None
    return Explained(**sums)  # type: ignore[arg-type]


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    return sum((each for each in amounts if each is not None), Decimal(0))
