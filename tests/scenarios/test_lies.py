"""One wrong number in one endpoint's answer: the right control fails, and no other check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from analytics.emulator.lies import Lie
from analytics.emulator.records import Agent, Run, Workspace
from analytics.emulator.runs.platform import BUILDER
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.settings import Workspace as Setting
from analytics.settings import load_settings
from tests.batches import Published, publish, run_batch, short_lists
from tests.conftest import NOW, Batch

DAY, NEXT, LATE = date(2026, 11, 10), date(2026, 11, 11), date(2026, 11, 19)
FIRST = datetime(2026, 11, 10, 6, tzinfo=NOW.tzinfo)
SONNET = ("claude-sonnet-5", "anthropic")
GLM = ("zai.glm-5", "bedrock")

RUN_COSTS = "listed_runs_agree_with_their_model_costs"
LISTED_DAYS = "listed_days_agree_with_the_api"
UNLISTED = "unlisted_parts_are_not_negative"
RUN_COUNTS = "run_counts_agree_with_the_roll_ups"
CUT_OFF = "roll_ups_agree_with_the_hourly_meter"
PLATFORM = "usage_without_an_agent_agrees_with_the_platform"
BILL = "hourly_usage_agrees_with_the_bill"
ALLOCATION = "costs_by_agent_agree_with_the_bill"

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
    """Nine runs of 0.25 dollars on DAY: five are listed, and of the others two failed."""
    run: Run
    """The baker's run of two models on DAY: 0.10 and 0.06 dollars."""


def work(
    world: World,
    owner: Agent | Workspace,
    at: datetime,
    *costs: str,
    status: Any = "succeeded",
    models: tuple[tuple[str, str], ...] = (SONNET, GLM),
) -> Run:
    """A run of a minute, with a request of 1,000 and 100 tokens for each cost."""
    run = world.start_run(owner, at=at)
    world.launch_run(run, at=at)
    for (model, provider), cost in zip(models, costs, strict=False):
        world.meter(
            run, model=model, provider=provider, tokens_in=1000, tokens_out=100,
            cost_usd=Decimal(cost), at=at,
        )  # fmt: skip
    world.finish_run(run, status, at=at + timedelta(minutes=1))
    return run


@pytest.fixture
def world() -> World:
    return World.empty(1, FIRST)


@pytest.fixture
def life(world: World) -> Life:
    (life,) = live(world)
    return life


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


@pytest.fixture
def batch(batch: Batch) -> Batch:
    """A batch that reads all days, with all details."""
    batch.set_extract(history_days=14, details_per_batch=0)
    return batch


def failures(batch: Batch) -> Found:
    """Every violation that the checks of a batch show."""
    return {
        (
            check.name,
            row.get("measure"),
            row.get("run_id") or row.get("provider") or row.get("agent_id"),
            row.get("utc_date"),
            row.get("ours"),
            row.get("theirs"),
        )
        for check in run_batch(batch).checks
        for row in check.violations
    }


@pytest.mark.usefixtures("life")
def test_without_a_lie(batch: Batch, world: World) -> None:
    """Given true answers, no check fails, in two batches."""
    assert failures(batch) == set()
    world.pass_time(timedelta(days=1))
    assert failures(batch) == set()


def more(amount: Any) -> Callable[[Any], Any]:
    return lambda true: true + amount


def usd(value: str) -> Decimal:
    return Decimal(value)


def of_run(life: Life) -> dict[str, Any]:
    return {"id": life.run.id}


def run_model(life: Life) -> dict[str, Any]:
    return {"run_id": life.run.id, "provider": "bedrock"}


def count(life: Life) -> dict[str, Any]:
    return {"agent_id": life.baker.id, "date": DAY.isoformat(), "status": "succeeded"}


def roll_up(life: Life) -> dict[str, Any]:
    return {"agent_id": life.baker.id, "start": DAY}


def roll_up_of_unlisted(life: Life) -> dict[str, Any]:
    return {"agent_id": life.busy.id, "start": DAY}


def hour(life: Life) -> dict[str, Any]:
    return {"agent_id": life.baker.id, "hour": DAY, "provider": "bedrock"}


def hour_of_the_platform(_: Life) -> dict[str, Any]:
    return {"agent_id": None, "hour": FIRST}


def hour_after_midnight(life: Life) -> dict[str, Any]:
    return {"agent_id": life.miller.id, "hour": NEXT}


def bill(_: Life) -> dict[str, Any]:
    return {"date": DAY.isoformat(), "provider": "bedrock"}


def agent_bill(life: Life) -> dict[str, Any]:
    return {"bucket": DAY, "agent_id": life.baker.id}


def platform(_: Life) -> dict[str, Any]:
    return {"start": DAY}


def at_run(life: Life) -> str:
    return life.run.id


def at_baker(life: Life) -> str:
    return life.baker.id


def at_busy(life: Life) -> str:
    return life.busy.id


Case = tuple[str, Any, str, Any, list[tuple[Any, ...]]]
CASES: dict[str, Case] = {
    "cost of a listed run": (
        "runs", of_run, "cost_usd", Decimal(45),
        [(RUN_COSTS, "cost_usd", at_run, DAY, 45, usd("0.16"))],
    ),
    "tokens in of a listed run": (
        "runs", of_run, "tokens_in", more(7),
        [(RUN_COSTS, "tokens_in", at_run, DAY, 2007, 2000)],
    ),
    "tokens out of a listed run": (
        "runs", of_run, "tokens_out", more(-7),
        [(RUN_COSTS, "tokens_out", at_run, DAY, 193, 200)],
    ),
    "cost of a model of a run": (
        "run_costs", run_model, "total_cost", more(usd("0.01")),
        [(RUN_COSTS, "cost_usd", at_run, DAY, usd("0.16"), usd("0.17"))],
    ),
    "tokens in of a model of a run": (
        "run_costs", run_model, "total_tokens_in", more(-1),
        [(RUN_COSTS, "tokens_in", at_run, DAY, 2000, 1999)],
    ),
    "tokens out of a model of a run": (
        "run_costs", run_model, "total_tokens_out", more(1),
        [(RUN_COSTS, "tokens_out", at_run, DAY, 200, 201)],
    ),
    "status of a listed run": (
        "runs", of_run, "status", "cancelled",
        [
            (LISTED_DAYS, "succeeded_count", at_baker, DAY, 0, 1),
            (LISTED_DAYS, "cancelled_count", at_baker, DAY, 1, 0),
        ],
    ),
    "a run too many in the count": (
        "run_counts", count, "count", more(1),
        [(RUN_COUNTS, "run_count", at_baker, DAY, 3, 2)],
    ),
    # A count below the listed runs contradicts both the roll-up and the list.
    "a run too few in the count": (
        "run_counts", count, "count", more(-1),
        [
            (RUN_COUNTS, "run_count", at_baker, DAY, 1, 2),
            (LISTED_DAYS, "run_count", at_baker, DAY, 2, 1),
            (LISTED_DAYS, "succeeded_count", at_baker, DAY, 1, 0),
        ],
    ),
    "cost of a roll-up": (
        "agent_rollups", roll_up, "cost_usd", more(usd("0.01")),
        [(LISTED_DAYS, "cost_usd", at_baker, DAY, usd("0.41"), usd("0.42"))],
    ),
    "tokens in of a roll-up": (
        "agent_rollups", roll_up, "tokens_in", more(1),
        [(LISTED_DAYS, "tokens_in", at_baker, DAY, 3000, 3001)],
    ),
    "tokens out of a roll-up": (
        "agent_rollups", roll_up, "tokens_out", more(-1),
        [(LISTED_DAYS, "tokens_out", at_baker, DAY, 300, 299)],
    ),
    "run count of a roll-up": (
        "agent_rollups", roll_up, "run_count", more(1),
        [(RUN_COUNTS, "run_count", at_baker, DAY, 2, 3)],
    ),
    "cost of a roll-up below that of the listed runs": (
        "agent_rollups", roll_up_of_unlisted, "cost_usd", Decimal(1),
        [(UNLISTED, "cost_usd", at_busy, DAY, usd("1.25"), 1)],
    ),
    # An hour contradicts the bill of its provider and the roll-up of its agent.
    "cost of an hour": (
        "usage_hours", hour, "cost_usd", more(usd("0.01")),
        [
            (BILL, "cost_usd", "bedrock", DAY, usd("0.07"), usd("0.06")),
            (CUT_OFF, "cost_usd", at_baker, DAY, usd("0.41"), usd("0.42")),
        ],
    ),
    "tokens of an hour": (
        "usage_hours", hour, "tokens_in", more(-1),
        [
            (BILL, "tokens_in", "bedrock", DAY, 999, 1000),
            (CUT_OFF, "tokens_in", at_baker, DAY, 3000, 2999),
        ],
    ),
    # On the day after a run crossed midnight, the roll-up allows what the run used later.
    "cost of an hour after midnight": (
        "usage_hours", hour_after_midnight, "cost_usd", more(usd("-0.01")),
        [(BILL, "cost_usd", "anthropic", NEXT, usd("0.49"), usd("0.50"))],
    ),
    "requests of an hour": (
        "usage_hours", hour, "request_count", more(1),
        [(BILL, "request_count", "bedrock", DAY, 2, 1)],
    ),
    # An hour without an agent contradicts the bill and the platform's own sum.
    "cost of an hour of the platform": (
        "usage_hours", hour_of_the_platform, "cost_usd", more(usd("0.01")),
        [
            (BILL, "cost_usd", "anthropic", DAY, usd("3.785"), usd("3.775")),
            (PLATFORM, "cost_usd", "(platform)", DAY, usd("0.875"), usd("0.885")),
        ],
    ),
    "cost of the platform": (
        "platform_rollups", platform, "cost_usd", more(usd("0.01")),
        [(PLATFORM, "cost_usd", "(platform)", DAY, usd("0.885"), usd("0.875"))],
    ),
    # The cost of a bill contradicts the hours of its provider and the costs by agent.
    "cost of a bill": (
        "billing_days", bill, "cost_usd", more(usd("0.01")),
        [
            (BILL, "cost_usd", "bedrock", DAY, usd("0.06"), usd("0.07")),
            (ALLOCATION, "cost_usd", None, DAY, usd("3.835"), usd("3.845")),
        ],
    ),
    "amount of a bill": (
        "billing_days", bill, "billed_usd", more(usd("0.01")),
        [(ALLOCATION, "billed_usd", None, DAY, usd("4.2185"), usd("4.2285"))],
    ),
    "tokens of a bill": (
        "billing_days", bill, "tokens_out", more(1),
        [(BILL, "tokens_out", "bedrock", DAY, 100, 101)],
    ),
    "cost of an agent's bill": (
        "agent_billing_days", agent_bill, "cost_usd", more(usd("0.01")),
        [(ALLOCATION, "cost_usd", None, DAY, usd("3.845"), usd("3.835"))],
    ),
    "amount of an agent's bill": (
        "agent_billing_days", agent_bill, "billed_usd", more(usd("-0.01")),
        [(ALLOCATION, "billed_usd", None, DAY, usd("4.2085"), usd("4.2185"))],
    ),
}  # fmt: skip


def expected(life: Life, rows: list[tuple[Any, ...]]) -> Found:
    return {
        (row[0], row[1], row[2](life) if callable(row[2]) else row[2], *row[3:]) for row in rows
    }


@dataclass(frozen=True)
class Told:
    """A workspace whose API told one lie: its life, what was told, and what a batch found."""

    life: Life
    lie: Lie
    found: Found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """One batch of a workspace for each case: their controls know nothing of each other."""
    world = World.empty(1, FIRST)
    for name in list(CASES)[1:]:
        world.add_workspace(name)
    lives = live(world)
    lies = [
        world.lie(
            endpoint,
            match=match(life) | {"workspace_id": life.baker.workspace.id},
            field=field,
            change=change,
        )
        for life, (endpoint, match, field, change, _) in zip(lives, CASES.values(), strict=True)
    ]
    with running(world) as api, short_lists(), pytest.MonkeyPatch.context() as patch:
        settings = []
        for number, each in enumerate(world.workspaces):
            patch.setenv(f"KEY_{number}", each.api_key)
            settings.append(Setting(api_key_env=f"KEY_{number}", api=api.url))
        loaded = load_settings(tmp_path_factory.mktemp("lies") / "data")
        batch = Batch(msgspec.structs.replace(loaded, workspaces=settings), api)
        batch.set_extract(history_days=14, details_per_batch=0)
        assert {outcome.error for outcome in batch.extract()} == {None}
        published = publish(batch)
    assert [each.finding for each in published.checks if not (each.control or each.ok)] == []
    return {
        name: Told(life, lie, found_of(published, life))
        for name, life, lie in zip(CASES, lives, lies, strict=True)
    }


def found_of(published: Published, life: Life) -> Found:
    """Every finding of the controls in a workspace."""
    return {
        (
            row["check_name"],
            row["measure"],
            row["run_id"] or row["provider"] or row["agent_id"],
            row["utc_date"],
            row["ours"],
            row["theirs"],
        )
        for row in published["control_findings"]
        if row["workspace_id"] == life.baker.workspace.id
    }


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_number(told: dict[str, Told], name: str) -> None:
    """Given one wrong number, its controls fail alone, with day, agent or run, and numbers."""
    case = told[name]

    assert case.found == expected(case.life, CASES[name][-1])
    assert case.lie.is_told


def test_a_failed_run_that_is_counted_as_succeeded(batch: Batch, world: World, life: Life) -> None:
    """Given a status for another in the counts of a day whose runs are listed, both fail."""
    for status, change in (("succeeded", 1), ("failed", -1)):
        world.lie("run_counts", match=count(life) | {"status": status}, field="count",
                  change=more(change))  # fmt: skip

    assert failures(batch) == {
        (LISTED_DAYS, "succeeded_count", life.baker.id, DAY, 1, 2),
        (LISTED_DAYS, "failed_count", life.baker.id, DAY, 1, 0),
    }


def test_fewer_failed_runs_than_are_listed(batch: Batch, world: World, life: Life) -> None:
    """Given a status for another in the counts of a day with unlisted runs, the day is named."""
    for status, change in (("succeeded", 3), ("failed", -3)):
        match = {"agent_id": life.busy.id, "date": DAY.isoformat(), "status": status}
        world.lie("run_counts", match=match, field="count", change=more(change))

    assert failures(batch) == {(UNLISTED, "failed_count", life.busy.id, DAY, 1, 0)}


@pytest.mark.usefixtures("life")
def test_a_wrong_number_in_a_later_batch(batch: Batch, world: World) -> None:
    """Given a run that only a second batch reads wrong, it is named, and passes once corrected."""
    assert failures(batch) == set()
    (run,) = (run for run in world.workspaces[0].runs.values() if run.created_at.date() == LATE)
    world.lie("runs", match={"id": run.id}, field="cost_usd", change=Decimal(45))

    assert failures(batch) == {(RUN_COSTS, "cost_usd", run.id, LATE, 45, usd("0.5"))}
    world.retract()
    assert failures(batch) == set()


LATER = pytest.mark.xfail(
    strict=True, reason="what an unlisted run cost may have been metered on a later day"
)


@pytest.mark.parametrize("amount", [pytest.param("0.01", marks=LATER), "-0.01"])
def test_a_roll_up_of_a_day_with_unlisted_runs(
    batch: Batch, world: World, life: Life, amount: str
) -> None:
    """Given a roll-up that is not the meter's sum, the day is named though runs are unlisted."""
    match = roll_up_of_unlisted(life)
    world.lie("agent_rollups", match=match, field="cost_usd", change=more(usd(amount)))

    ours = usd("2.25") + usd(amount)
    assert failures(batch) == {(CUT_OFF, "cost_usd", life.busy.id, DAY, ours, usd("2.25"))}
