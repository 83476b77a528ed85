"""Simulated years of what agents cost a day: seasons, trends, bursts, launches, incidents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from math import exp
from random import Random
from typing import NamedTuple

import polars as pl

from analytics.format.names import ALL
from analytics.transform.day_costs import SCOPE

FIRST = date(2024, 1, 1)


class Traffic(NamedTuple):
    """What sets the agents of a world apart."""

    growth: tuple[float, float] = (0, 0)  # per week
    days_between_bursts: int = 0
    launched: float = 0  # share of the agents that begin after the world
    deviation: float = 0.4  # of the logarithm of the cost of a day
    days_between_incidents: int = 0  # on which all agents cost nothing, or far more


WORLDS = {
    "steady": Traffic(),
    "growing": Traffic(growth=(0, 0.025)),
    "shrinking": Traffic(growth=(-0.01, 0)),
    "launches": Traffic(launched=0.6),
    "bursts": Traffic(days_between_bursts=60),
    "heavy-tailed": Traffic(deviation=0.8),
    "incidents": Traffic(days_between_incidents=45),
    "everything": Traffic((-0.01, 0.02), 120, 0.3, 0.7, 45),
}


def costs(world: str, seed: int, *, agents: int, days: int) -> pl.DataFrame:
    """The amount of each agent and date, and of all of them as a whole."""
    rng, traffic = Random(f"{world} {seed}"), WORLDS[world]
    shared = [rng.lognormvariate(0, 0.08) for _ in range(days)]
    for _ in range(traffic.days_between_incidents and days // traffic.days_between_incidents):
        shared[rng.randrange(days)] *= rng.choice([0.0, 0.1, 2.5, 4.0])
    rows = {f"a-{number}": [*_agent(rng, traffic, shared)] for number in range(agents)}
    rows[ALL] = [sum(amounts) for amounts in zip(*rows.values(), strict=True)]
    return pl.DataFrame(
        [
            (f"{world} {seed}", agent, FIRST + timedelta(days=day), round(amount * 10**10))
            for agent, amounts in rows.items()
            for day, amount in enumerate(amounts)
        ],
        schema=dict.fromkeys(SCOPE, pl.String) | {"date": pl.Date, "amount": pl.Int128},
        orient="row",
    )


def _agent(rng: Random, traffic: Traffic, shared: list[float]) -> Iterator[float]:
    """The cost of each day of one agent."""
    level, growth = rng.lognormvariate(0, 1.5), rng.uniform(*traffic.growth)
    weekend = rng.choice([1, 0.5, 0.15, 0])
    weekly = [1, 1.05, 1.1, 1, 0.9, weekend, weekend]
    launch = rng.randrange(len(shared) - 30) if rng.random() < traffic.launched else -30
    burst_ends, burst, mood = 0, 1.0, 0.0
    for day, of_all in enumerate(shared):
        if day >= burst_ends:
            burst = 1.0
            if traffic.days_between_bursts and rng.random() < 1 / traffic.days_between_bursts:
                burst, burst_ends = rng.uniform(1.5, 4), day + rng.randint(2, 8)
        mood = 0.6 * mood + rng.gauss(0, 0.12)
        trend = exp(growth * day / 7 + mood) * burst * min(1, max(0, (day - launch) / 15))
        yield level * weekly[day % 7] * trend * of_all * rng.lognormvariate(0, traffic.deviation)
