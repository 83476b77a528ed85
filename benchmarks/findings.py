"""Findings in made-up histories: how many are false, and how many events are found in time.

    python -m benchmarks.findings [SEEDS]

Each night of a history without any change is a batch; a finding counts when it appears. An event is
found if a batch finds it, by kind and subject, within its days.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from analytics.transform.findings.steps import WINDOW
from tests.transform.histories import START, Agent, Events, History

CACHE = (0.2, 0.05)
FIRST = WINDOW + 1  # the first night: what is found in it lies in the past
EVENT = 70
_QUIET = 3  # nights after which a finding that comes back counts again
_VERSIONS = 35  # days of a version


def main() -> None:
    """Print the two tables, of so many seeds each."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print("| agents | models | cached | agent-weeks | false findings | in 100 agent-weeks |")
    print("| --- | --- | --- | --- | --- | --- |")
    for agents, weeks in ((1, 40), (16, 10), (500, 2)):
        for models, is_cached in ((1, False), (1, True), (4, True)):
            if models <= agents:
                count = seeds if agents <= 16 else max(1, seeds // 5)
                _false_findings(agents, weeks, models, count, is_cached=is_cached)
    print("\n| event | histories | found in time | on the right day, or the next |")
    print("| --- | --- | --- | --- |")
    for event in _events():
        _power(event, seeds * 10)


def _false_findings(agents: int, weeks: int, models: int, seeds: int, *, is_cached: bool) -> None:
    found = 0
    for seed in range(seeds):
        last = FIRST + 7 * weeks
        history = History(_agents(agents, models, last, seed, is_cached=is_cached), last, seed)
        seen: dict[tuple[str, str, str], int] = {}
        for night in range(FIRST, last + 1):
            for each in history.found(night):
                key = each["kind"], each["agent_id"], each["subject"]
                found += night - seen.get(key, -_QUIET - 1) > _QUIET
                seen[key] = night
    all_weeks = agents * weeks * seeds
    cached = "yes" if is_cached else "no"
    rate = f"{100 * found / all_weeks:.2f}"
    print(
        f"| {agents} | {models} | {cached} | {all_weeks:,} | {found} | {rate} |",
        flush=True,
    )


def _agents(count: int, models: int, days: int, seed: int, *, is_cached: bool) -> Iterator[Agent]:
    """Make agents of 1 to 5,000 runs a day, each with a new version every few weeks."""
    draw = Random(seed)  # noqa: S311 - made-up histories keep no secret
    for number in range(count):
        yield Agent(
            f"agent-{number}",
            math.exp(draw.uniform(0, math.log(5000))),
            draw.choice((0.01, 0.05, 0.15)),
            f"model-{number % models}",
            CACHE if is_cached else None,
            (0, *range(draw.randrange(1, _VERSIONS), days, _VERSIONS)),
        )


@dataclass(frozen=True)
class _Event:
    """An event on day `EVENT`, and the kind of finding that says so within some days."""

    name: str
    days: int
    kind: str
    agents: tuple[Agent, ...]
    events: Events


def _power(event: _Event, count: int) -> None:
    in_time = right = 0
    for seed in range(count):
        history = History(event.agents, EVENT + event.days, seed, event.events)
        nights = range(EVENT + 1, EVENT + event.days + 1)
        found = (each for night in nights for each in history.found(night))
        first = next((each for each in found if each["kind"] == event.kind), None)
        if first:
            in_time += 1
            right += abs((first["since"] - START).days - EVENT) <= 1
    print(f"| {event.name} | {count} | {in_time / count:.0%} | {right / count:.0%} |", flush=True)


def _events() -> Iterator[_Event]:
    for rate, days in ((0.2, 7), (0.3, 5)):
        yield _Event(
            f"a version of ten runs a day fails at {rate:.0%} after 5%, within {days} days",
            days,
            "version_worse",
            (Agent("a", 10, 0.05, versions=(0, EVENT)),),
            Events(rates={("a", 2): rate}),
        )
    for ratio, runs, cache, days in ((1.1, 10, None, 3), (1.2, 50, CACHE, 3), (1.1, 50, CACHE, 10)):
        what = "with caching" if cache else "linear in tokens"
        yield _Event(
            f"a price of {runs} runs a day, {what}, rises by {ratio - 1:.0%}, within {days} days",
            days,
            "price_step",
            (Agent("a", runs, cache=cache),),
            Events(prices={"model-1": (EVENT, ratio)}),
        )
    yield _Event(
        "an outage of two hours fails 80% of 100 runs, within a day",
        1,
        "failure_burst",
        tuple(Agent(f"a-{number}", 120) for number in range(5)),
        Events(outage=(EVENT, 9, 2, 0.8)),
    )
    for runs, first, hours, share in ((60, 18, 6, 14 / 15), (12, 0, 24, 2 / 3)):
        yield _Event(
            f"{share:.0%} of the runs of an agent of {runs} a day fail for {hours} hours,"
            " within a day",
            1,
            "failure_burst",
            (Agent("a", runs, 0.04),),
            Events(failing={"a": (EVENT, first, hours, share)}),
        )


if __name__ == "__main__":
    main()
