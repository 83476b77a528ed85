"""One wrong number in one endpoint's answer: the right control fails, and no other check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from analytics.emulator.lies import Lie
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.settings import Workspace as Setting
from analytics.settings import load_settings
from tests.batches import Published, emptied, publish, run_batch, short_lists
from tests.conftest import NOW, Batch
from tests.scenarios.lies import (
    ALLOCATION,
    CASES,
    CUT_OFF,
    DAY,
    FIRST,
    LATE,
    LISTED_DAYS,
    RUN_COSTS,
    UNLISTED,
    Found,
    Life,
    agent_bill,
    count,
    live,
    more,
    roll_up_of_unlisted,
    usd,
    work,
)


@pytest.fixture
def world() -> World:
    return World.empty(1, FIRST)


@pytest.fixture
def life(world: World) -> Life:
    (life,) = live(world)
    return life


@pytest.fixture
def batch(batch: Batch) -> Batch:
    """A batch that reads all days."""
    batch.set_extract(history_days=14)
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
            case.endpoint,
            match=case.match(life) | {"workspace_id": life.baker.workspace.id},
            field=case.field,
            change=case.change,
        )
        for life, case in zip(lives, CASES.values(), strict=True)
    ]
    with running(world) as api, short_lists(), pytest.MonkeyPatch.context() as patch:
        settings = []
        for number, each in enumerate(world.workspaces):
            patch.setenv(f"KEY_{number}", each.api_key)
            settings.append(Setting(api_key_env=f"KEY_{number}", api=api.url))
        loaded = load_settings(tmp_path_factory.mktemp("lies") / "data")
        batch = Batch(msgspec.structs.replace(loaded, workspaces=settings), api)
        batch.set_extract(history_days=14)
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

    assert case.found == CASES[name].expected(case.life)
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


def test_a_bill_of_one_agent_on_that_of_another(batch: Batch, world: World, life: Life) -> None:
    """Given cost of one agent in the bill of another, both are named, though the sum stands."""
    for agent, change in ((life.baker, "-0.30"), (life.miller, "0.30")):
        for field in ("cost_usd", "billed_usd"):
            world.lie("agent_billing_days", match=agent_bill(life) | {"agent_id": agent.id},
                      field=field, change=more(usd(change)))  # fmt: skip

    assert failures(batch) == {
        (ALLOCATION, "cost_usd", life.baker.id, DAY, usd("0.11"), usd("0.41")),
        (ALLOCATION, "cost_usd", life.miller.id, DAY, usd("0.60"), usd("0.30")),
    }


@pytest.mark.usefixtures("life")
def test_a_wrong_number_in_a_later_batch(batch: Batch, world: World) -> None:
    """Given a run that only a second batch reads wrong, it is named, and passes once corrected."""
    assert failures(batch) == set()
    (run,) = (run for run in world.workspaces[0].runs.values() if run.created_at.date() == LATE)
    world.lie("runs", match={"id": run.id}, field="cost_usd", change=Decimal(45))

    assert failures(batch) == {(RUN_COSTS, "cost_usd", run.id, LATE, 45, usd("0.5"))}
    world.retract()
    assert failures(batch) == set()


def test_a_night_without_meters(batch: Batch, world: World, life: Life) -> None:
    """Given empty answers of all meters, a day whose runs are listed is named."""
    assert failures(batch) == set()
    world.pass_time(timedelta(hours=6))
    work(world, life.miller, world.now, "0.25")
    world.pass_time(timedelta(days=1))

    with emptied("/hourly", "/analytics/agents", "/daily"):
        found = failures(batch)
    assert NOW.date() in {each[3] for each in found if each[0] == LISTED_DAYS}
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
