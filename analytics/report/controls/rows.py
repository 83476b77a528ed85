"""The rows that the pages on trust read from the marts. Money is exact; times are in UTC."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

Count: TypeAlias = int | None


@dataclass(frozen=True, slots=True)
class Explained:
    """What the vendor metered, and the amounts that explain it; the bill is None if not told."""

    metered_usd: Decimal
    runs_usd: Decimal
    open_usd: Decimal
    platform_usd: Decimal
    gaps_usd: Decimal
    edge_usd: Decimal
    unexplained_usd: Decimal
    billed_usd: Decimal | None
    not_billed_usd: Decimal | None

    @property
    def parts(self) -> list[Decimal]:
        """The amounts that add up to what was metered."""
        return [
            self.runs_usd,
            self.open_usd,
            self.platform_usd,
            self.gaps_usd,
            self.edge_usd,
            self.unexplained_usd,
        ]


AMOUNTS = tuple(each.name for each in fields(Explained))


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day of the reconciliation; its status is open, ok, pending or unreconciled."""

    date: date
    status: str
    explained: Explained


@dataclass(frozen=True, slots=True)
class Control:
    """One comparison of a control: our number, what explains the rest, and the API's."""

    control: str
    measure: str
    unit: str
    ours: Decimal
    explained: Decimal
    theirs: Decimal
    difference: Decimal
    is_ok: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """What of a day's unexplained cost is an agent's, or (without an agent) the platform's."""

    date: date
    agent_id: str | None
    api_usd: Decimal
    runs_usd: Decimal
    open_usd: Decimal
    platform_usd: Decimal
    gaps_usd: Decimal
    unexplained_usd: Decimal


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour's metered usage that names no agent."""

    hour: datetime
    request_count: Count
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A check as it stood at the last batch; `finding` says what contradicts it."""

    name: str
    claim: str | None
    control: str | None
    is_ok: bool
    is_blocking: bool
    finding: str | None


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A key of the workspace's own at a model provider; listed until it is revoked."""

    provider: str | None
    added_at: datetime | None
    is_listed: bool
    first_seen_at: datetime | None


def added(parts: Iterable[Explained]) -> Explained:
    """The amounts of several days together; an unknown bill is in no sum."""
    parts = list(parts)
    return Explained(*(_sum([getattr(each, name) for each in parts], name) for name in AMOUNTS))  # type: ignore[arg-type]


def _sum(amounts: list[Decimal | None], name: str) -> Decimal | None:
    known = [each for each in amounts if each is not None]
    if not known and name.endswith("billed_usd"):
        return None
    return sum(known, Decimal(0))
