"""One wrong number in one endpoint's answer: the right control fails, and no other check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from analytics.emulator.lies import Lie
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.settings import Workspace as Setting
from analytics.settings import load_settings
from tests.batches import Batch, Published, emptied, publish, run_batch, short_lists
from tests.scenarios.lies import (
    CASES,
    FIRST,
    LISTED_DAYS,
    Found,
    Life,
    live,
    matches,
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


def failures(batch: Batch) -> set[tuple[str, date]]:
    """Each check that a batch fails, with the days that it shows."""
    checks = run_batch(batch).checks
    return {(check.name, row["utc_date"]) for check in checks for row in check.violations}


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
            match=matches(life)[case.match] | {"workspace_id": life.baker.workspace.id},
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
        batch = Batch(loaded.model_copy(update={"workspaces": settings}), api)
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


def test_a_night_without_meters(batch: Batch, world: World, life: Life) -> None:
    """Given empty answers of all meters, a day whose runs are listed is named."""
    assert failures(batch) == set()
    world.pass_time(timedelta(hours=6))
    work(world, life.miller, world.now, "0.25")
    world.pass_time(timedelta(days=1))

    with emptied("/hourly", "/analytics/agents", "/daily"):
        found = failures(batch)
    assert LISTED_DAYS in dict(found)
    assert failures(batch) == set()
