"""The agents of the demo, and how each works: `agents.toml`, by workspace."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from analytics.emulator import catalogue, texts
from analytics.emulator.chance import CODE, CONVERSATION
from analytics.emulator.records import DEFAULT_TIMEOUT_MINUTES
from analytics.emulator.workers import ALL_HOURS, NIGHT_HOURS, Habit

FOLDER = Path(__file__).parent
_TRAFFIC = {"code": CODE, "conversation": CONVERSATION}
_HOURS = {"all": ALL_HOURS, "night": NIGHT_HOURS}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAgent:
    """An agent of the demo; days count back from the present."""

    name: str
    slug: str
    habit: Habit | None = None  # without habits: a draft
    description: str | None = None
    since_days: int | None = None  # None: from the beginning
    max_budget: Decimal = Decimal(5)
    timeout_minutes: int = DEFAULT_TIMEOUT_MINUTES
    notify_on_run: bool = False
    releases: tuple[tuple[int, str], ...] = ()  # of versions 2, 3 and on: the day, what changed
    left_days: int | None = None
    left_as: Literal["paused", "archived", "deleted"] = "paused"
    calls: str | None = None
    schedule: tuple[str, str] | None = None  # cron expression and time zone
    next_name: str | None = None  # taken in the last hours before the present


def workspaces() -> dict[str, list[DemoAgent]]:
    """Return the agents of each workspace."""
    tables = tomllib.loads((FOLDER / "agents.toml").read_text(encoding="utf-8"))
    return {name: [_agent(**fields) for fields in agents] for name, agents in tables.items()}


def _agent(
    *, habit: dict[str, Any] | None = None, max_budget: str = "5", **fields: Any
) -> DemoAgent:
    work = _habit(**habit) if habit else None
    return DemoAgent(habit=work, max_budget=Decimal(max_budget), **fields)


def _habit(traffic: tuple[str, int], offers: list[str], hours: str = "", **fields: Any) -> Habit:
    """Return a habit, in which traffic, models, hours and errors are told by their names."""
    service, factor = traffic
    if hours:
        fields["hours"] = _HOURS[hours]
    if "errors" in fields:
        fields["errors"] = [getattr(texts, name) for name in fields["errors"]]
    return Habit(
        traffic=_TRAFFIC[service].times(factor),
        offers=tuple(getattr(catalogue, name) for name in offers),
        **fields,
    )
