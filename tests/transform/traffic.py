"""Simulated years of what agents cost a day: seasons, trends, bursts, launches, incidents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp
from random import Random

import polars as pl

from analytics.format.names import ALL
from analytics.transform.day_costs import SCOPE

FIRST = date(2024, 1, 1)


@dataclass(frozen=True)
class Traffic:
    """What sets the agents of a world apart; a growth is per week."""

    growth: tuple[float, float] = (0, 0)
    days_between_bursts: int = 0
    launched: float = 0  # share of the agents that begin after the world
    retired: float = 0
    cost_deviation: float = 0.8  # of the logarithm of the cost of a run
    giants: float = 0  # share of the runs that cost 20 times as much, or far more
    has_incidents: bool = False
    has_holidays: bool = False


WORLDS = {
    "steady": Traffic(),
    "growing": Traffic(growth=(0, 0.025), has_holidays=True),
    "shrinking": Traffic(growth=(-0.02, 0)),
    "launches": Traffic(launched=0.6, retired=0.2),
    "bursts": Traffic(days_between_bursts=40),
    "heavy-tailed": Traffic(cost_deviation=1.3, giants=0.002),
    "incidents": Traffic(has_incidents=True),
    "everything": Traffic((-0.02, 0.02), 80, 0.3, 0.2, 1.3, 0.002, True, True),
}


def costs(world: str, seed: int, *, agents: int, days: int) -> pl.DataFrame:
    """The amount of each agent and date, and of all of them as a whole."""
    rng, traffic = Random(f"{world} {seed}"), WORLDS[world]
    shared = [_shock(rng, day, traffic) for day in range(days)]
    if traffic.has_incidents:
        for _ in range(days // 45):
            factor, start = rng.choice([0.0, 0.1, 2.5, 4.0]), rng.randrange(days)
            for day in range(start, min(days, start + rng.randint(1, 2))):
                shared[day] *= factor
    dates = [FIRST + timedelta(days=day) for day in range(days)]
    of_agents = [list(_agent(rng, traffic, shared)) for _ in range(agents)]
    rows = {f"a-{number}": amounts for number, amounts in enumerate(of_agents)}
    rows[ALL] = [sum(amounts) for amounts in zip(*of_agents, strict=True)]
    return pl.concat(
        pl.DataFrame(
            {"date": dates, "amount": pl.Series([round(amount * 10**10) for amount in amounts])}
        ).select(
            pl.lit(f"{world} {seed}").alias(SCOPE[0]),
            pl.lit(agent).alias(SCOPE[1]),
            "date",
            pl.col("amount").cast(pl.Int128),
        )
        for agent, amounts in rows.items()
    )


def _shock(rng: Random, day: int, traffic: Traffic) -> float:
    """What all agents have in common on a day."""
    on = FIRST + timedelta(days=day)
    is_holiday = traffic.has_holidays and (on.month, on.day) >= (12, 22)
    return rng.lognormvariate(0, 0.08) * (0.4 if is_holiday else 1)


def _agent(rng: Random, traffic: Traffic, shared: list[float]) -> Iterator[float]:
    """The cost of each day of one agent."""
    days = len(shared)
    runs, run_cost = rng.lognormvariate(2.2, 1), rng.lognormvariate(-2, 1)
    weekend = rng.choices([1, 0.5, 0.15, 0], [25, 25, 30, 20])[0]
    weekly = [1, 1.05, 1.1, 1, 0.9, weekend, weekend]
    growth = rng.uniform(*traffic.growth)
    launch = rng.randrange(days - 30) if rng.random() < traffic.launched else -30
    ramp = rng.randint(1, 30)
    end = rng.randrange(60, days) if rng.random() < traffic.retired else days
    burst_ends, burst, mood = 0, 1.0, 0.0
    for day in range(days):
        if day >= burst_ends:
            burst = 1.0
            if traffic.days_between_bursts and rng.random() < 1 / traffic.days_between_bursts:
                burst, burst_ends = rng.uniform(1.5, 4), day + rng.randint(2, 8)
        mood = 0.6 * mood + rng.gauss(0, 0.12)
        begun = min(1, max(0, (day - launch) / ramp)) if day < end else 0
        expected = runs * weekly[day % 7] * exp(growth * day / 7 + mood) * burst * begun
        yield sum(
            rng.lognormvariate(0, traffic.cost_deviation)
            * run_cost
            * (20 * rng.paretovariate(1.8) if rng.random() < traffic.giants else 1)
            for _ in range(_run_count(rng, expected * shared[day]))
        )


def _run_count(rng: Random, expected: float) -> int:
    """A Poisson variate: the arrivals within one unit of time."""
    if expected > 50:
        return max(0, round(rng.gauss(expected, expected**0.5)))
    arrivals, product = -1, 1.0
    while product > exp(-expected):
        arrivals, product = arrivals + 1, product * rng.random()
    return max(0, arrivals)
