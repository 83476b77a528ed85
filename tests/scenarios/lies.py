"""Ten days of a workspace, wrong numbers of its API, and the controls that must find them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from analytics.emulator.platform_agents import BUILDER
from analytics.emulator.records import Agent, Run, Workspace
from analytics.emulator.world import World
from tests.worlds import NOW

DAY, NEXT = date(2026, 11, 10), date(2026, 11, 11)
FIRST = datetime(2026, 11, 10, 6, tzinfo=NOW.tzinfo)
SONNET = ("claude-sonnet-5", "anthropic")
GLM = ("zai.glm-5", "bedrock")

LISTED_DAYS = "listed_days_agree_with_the_api"

Found = set[tuple[Any, ...]]
"""Check, measure, the agent, provider or run that a row names, day, and both numbers."""


@dataclass
class Life:
    """Ten days of a workspace: two agents with few runs, and a busy one with unlisted runs."""

    baker: Agent
    """Two listed runs on DAY, one of two models, and one on each of two later days."""
    miller: Agent
    """A listed run of 0.80 dollars, of which 0.50 were metered after midnight, on NEXT."""
    busy: Agent
    """Nine runs of 0.25 dollars on DAY: five are listed, and of the others two failed.

    They might have taken two days.
    """
    run: Run
    """The baker's run of two models on DAY: 0.10 and 0.06 dollars."""


def work(
    world: World, owner: Agent | Workspace, at: datetime, *costs: str, status: Any = "succeeded"
) -> Run:
    """A run of a minute, with a request of 1,000 and 100 tokens for each cost."""
    run = world.start_run(owner, at=at)
    world.launch_run(run, at=at)
    for (model, provider), cost in zip((SONNET, GLM), costs, strict=False):
        world.meter(
            run, model=model, provider=provider, tokens_in=1000, tokens_out=100,
            cost_usd=Decimal(cost), at=at,
        )  # fmt: skip
    world.finish_run(run, status, at=at + timedelta(minutes=1))
    return run


def live(world: World) -> list[Life]:
    """Let ten days pass; return the life of each workspace."""
    lives = [begin(world, each) for each in world.workspaces]
    world.pass_time(timedelta(days=9))
    for life in lives:
        across = world.start_run(life.miller, at=FIRST + timedelta(hours=17, minutes=50))
        world.launch_run(across, at=across.created_at)
        for minutes, cost in ((5, "0.30"), (15, "0.50")):
            world.meter(
                across, model=SONNET[0], provider=SONNET[1], tokens_in=1000, tokens_out=100,
                cost_usd=Decimal(cost), at=across.created_at + timedelta(minutes=minutes),
            )  # fmt: skip
        world.finish_run(across, at=across.created_at + timedelta(minutes=16))
        work(world, life.baker, FIRST + timedelta(days=9, hours=-1), "0.5")
    world.pass_time(timedelta(days=1))
    for life in lives:
        work(world, life.baker, NOW - timedelta(hours=1), "0.5")
    return lives


def begin(world: World, workspace: Workspace) -> Life:
    """Let a workspace hire its agents and work on DAY."""
    baker, miller, busy = (
        world.add_agent(workspace, name.title(), name, at=FIRST - timedelta(days=9))
        for name in ("baker", "miller", "busy")
    )
    busy.timeout_minutes = 2 * 24 * 60
    hour = timedelta(hours=1)
    run = work(world, baker, FIRST + hour, "0.10", "0.06")
    work(world, baker, FIRST + 2 * hour, "0.25", status="failed")
    work(world, workspace, FIRST + 3 * hour, "0.75")
    for minute in range(9):
        at = FIRST + timedelta(minutes=minute)
        work(world, busy, at, "0.25", status="failed" if minute in {1, 2, 7} else "succeeded")
    build = world.start_platform_run(workspace, BUILDER)
    world.meter(
        build, model=SONNET[0], provider=SONNET[1], tokens_in=1000, tokens_out=100,
        cost_usd=Decimal("0.125"),
    )  # fmt: skip
    world.finish_run(build)
    return Life(baker, miller, busy, run)


def more(amount: Any) -> Callable[[Any], Any]:
    return lambda true: true + amount


def matches(life: Life) -> dict[str, dict[str, Any]]:
    """Return the fields of the answer that a lie is about, by the word of the table."""
    baker, day = life.baker.id, DAY.isoformat()
    return {
        "of_run": {"id": life.run.id},
        "run_model": {"run_id": life.run.id, "provider": "bedrock"},
        "count": {"agent_id": baker, "date": day, "status": "succeeded"},
        "roll_up": {"agent_id": baker, "start": DAY},
        "roll_up_of_unlisted": {"agent_id": life.busy.id, "start": DAY},
        "hour": {"agent_id": baker, "hour": DAY, "provider": "bedrock"},
        "hour_of_the_platform": {"agent_id": None, "hour": FIRST},
        "hour_after_midnight": {"agent_id": life.miller.id, "hour": NEXT},
        "bill": {"date": day, "provider": "bedrock"},
        "agent_bill": {"bucket": DAY, "agent_id": baker},
        "platform": {"start": DAY},
    }


# A name, which answer's field is wrong and how; then each finding: check, measure, run or agent or
# provider, day, and both numbers. A count below the listed runs contradicts roll-up and list; an
# hour the bill of its provider, and roll-up and bill of its agent; one without an agent both bills
# and the platform's own sum; a bill the hours and the costs by agent. What left the day of a run
# that crossed midnight is no more than is metered since.
TABLE = """
cost of a listed run: runs of_run cost_usd =45
  listed_runs_agree_with_their_model_costs cost_usd run DAY 45 0.16
cost of a model of a run: run_costs run_model total_cost +0.01
  listed_runs_agree_with_their_model_costs cost_usd run DAY 0.16 0.17
status of a listed run: runs of_run status =cancelled
  listed_days_agree_with_the_api succeeded_count baker DAY 0 1
  listed_days_agree_with_the_api cancelled_count baker DAY 1 0
a run too few in the count: run_counts count count -1
  run_counts_agree_with_the_roll_ups run_count baker DAY 1 2
  listed_days_agree_with_the_api run_count baker DAY 2 1
  listed_days_agree_with_the_api succeeded_count baker DAY 1 0
cost of a roll-up: agent_rollups roll_up cost_usd +0.01
  listed_days_agree_with_the_api cost_usd baker DAY 0.41 0.42
cost of a roll-up below that of the listed runs: agent_rollups roll_up_of_unlisted cost_usd =1
  unlisted_parts_are_not_negative cost_usd busy DAY 1.25 1
cost of a roll-up of unlisted runs: agent_rollups roll_up_of_unlisted cost_usd +0.675
  roll_ups_agree_with_the_hourly_meter cost_usd busy DAY 2.925 2.25
cost of an hour: usage_hours hour cost_usd +0.01
  hourly_usage_agrees_with_the_bill cost_usd bedrock DAY 0.07 0.06
  roll_ups_agree_with_the_hourly_meter cost_usd baker DAY 0.41 0.42
  costs_by_agent_agree_with_the_bill cost_usd baker DAY 0.41 0.42
cost of an hour after midnight: usage_hours hour_after_midnight cost_usd -0.01
  hourly_usage_agrees_with_the_bill cost_usd anthropic NEXT 0.49 0.50
  costs_by_agent_agree_with_the_bill cost_usd miller NEXT 0.50 0.49
  roll_ups_agree_with_the_hourly_meter cost_usd miller DAY 0.31 0.30
cost of an hour of the platform: usage_hours hour_of_the_platform cost_usd +0.01
  hourly_usage_agrees_with_the_bill cost_usd anthropic DAY 3.785 3.775
  usage_without_an_agent_agrees_with_the_platform cost_usd (platform) DAY 0.875 0.885
  costs_by_agent_agree_with_the_bill cost_usd (platform) DAY 0.875 0.885
cost of the platform: platform_rollups platform cost_usd +0.01
  usage_without_an_agent_agrees_with_the_platform cost_usd (platform) DAY 0.885 0.875
cost of a bill: billing_days bill cost_usd +0.01
  hourly_usage_agrees_with_the_bill cost_usd bedrock DAY 0.06 0.07
  costs_by_agent_agree_with_the_bill cost_usd - DAY 3.835 3.845
amount of a bill: billing_days bill billed_usd +0.01
  costs_by_agent_agree_with_the_bill billed_usd - DAY 4.2185 4.2285
cost of an agent's bill: agent_billing_days agent_bill cost_usd +0.01
  costs_by_agent_agree_with_the_bill cost_usd - DAY 3.845 3.835
  costs_by_agent_agree_with_the_bill cost_usd baker DAY 0.42 0.41
"""


@dataclass
class Case:
    """A wrong number, and what the controls must find."""

    endpoint: str
    match: str
    field: str
    change: Any
    rows: list[list[str]]

    def expected(self, life: Life) -> Found:
        """Return the findings in a workspace."""
        at = {each: getattr(life, each).id for each in ("run", "baker", "miller", "busy")}
        days = {"DAY": DAY, "NEXT": NEXT}
        return {
            (
                check,
                measure,
                at.get(name, None if name == "-" else name),
                days[day],
                *map(Decimal, both),
            )
            for check, measure, name, day, *both in self.rows
        }


def _cases() -> Iterator[tuple[str, Case]]:
    """Yield the cases of the table, by name."""
    for part in re.split(r"\n(?=\w)", TABLE.strip()):
        head, *rows = part.splitlines()
        name, _, told = head.partition(": ")
        endpoint, match, field, text = told.split()
        amount = Decimal(text.strip("=")) if re.search(r"\d", text) else text.strip("=")
        if not field.endswith(("usd", "cost")) and isinstance(amount, Decimal):
            amount = int(amount)
        change = amount if text.startswith("=") else more(amount)
        yield name, Case(endpoint, match, field, change, [row.split() for row in rows])


CASES = dict(_cases())
