"""The requests of each batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from unittest.mock import patch

import pytest

from analytics.emulator.records import Agent, Workspace
from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.extract import runs as extracted
from tests.batches import LIST_CAP, Killed, batches_later, short_lists
from tests.conftest import Batch, StartRun


def test_a_first_batch_reads_all_that_is_listed(batch: Batch, start_run: StartRun) -> None:
    """After one batch every listed run is stored, with cost and status."""
    hours = (1, 30, 60)
    runs = [start_run(hours_ago=each, cost=f"0.{each:02}") for each in hours]

    (outcome,) = batch.extract()

    assert outcome.error is None
    assert batch.current_runs() == {
        run.id: ("succeeded", Decimal(f"0.{each:02}"))
        for run, each in zip(runs, hours, strict=True)
    }


def test_a_joined_list_is_enough(batch: Batch, world: World, start_run: StartRun) -> None:
    """If the unfiltered list overlaps its last snapshot, no agent's list is read."""
    start_run()
    batch.extract()
    batches_later(world)
    start_run()
    batch.forget()

    batch.extract()

    assert [request.query for request in batch.api.requests if request.path == "/api/v1/runs/"] == [
        "limit=200"
    ]
    assert len(batch.current_runs()) == 2


def test_a_busy_workspace_is_read_agent_by_agent(
    batch: Batch, world: World, workspace: Workspace, start_run: StartRun
) -> None:
    """If more than 200 runs started since, each agent's list is read, and every run is stored."""
    quiet = world.add_agent(workspace, "Quiet", "quiet")
    start_run(of=quiet)
    batch.extract()
    batches_later(world)
    for number in range(150):
        start_run(hours_ago=1 + number / 100)
        start_run(hours_ago=1 + number / 100, of=quiet)

    (outcome,) = batch.extract()

    assert len(batch.current_runs()) == 301
    assert outcome.warnings == []


def test_an_agent_that_outruns_its_list_leaves_a_gap(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """More than 200 runs of an agent between two batches are a gap, recorded and warned of once."""
    start_run()
    batch.extract()
    batches_later(world)
    for number in range(210):
        start_run(hours_ago=1 + number / 100)

    (outcome,) = batch.extract()
    (later,) = batch.extract()

    ((after, before),) = batch.rows(
        "select unread_from, unread_until from ledger.list_snapshots where unread_from is not null"
    )
    assert after < before
    (warning,) = outcome.warnings
    assert warning.startswith("some runs of Baker are unlisted: over 200 started between")
    assert len(warning.split()) <= 20
    assert later.warnings == []


def test_a_batch_killed_between_two_lists_leaves_no_run_out(
    batch: Batch, world: World, workspace: Workspace, start_run: StartRun
) -> None:
    """After a kill between the unfiltered list and those of agents, the next batch reads these."""
    quiet = world.add_agent(workspace, "Quiet", "quiet")
    with short_lists():
        start_run(of=quiet)
        batch.extract()
        batches_later(world)
        start_run(hours_ago=2, of=quiet)
        for number in range(LIST_CAP):
            start_run(hours_ago=1 + number / 100)
        with killed_before_lists_of_agents():
            batch.extract()

        batch.extract()

    assert len(batch.current_runs()) == 2 + LIST_CAP


@contextmanager
def killed_before_lists_of_agents() -> Iterator[None]:
    """Kill a batch once it has landed the unfiltered list, and before it reads another."""
    with (
        pytest.raises(Killed),
        patch.object(extracted, "_read_agent_list", side_effect=Killed),
    ):
        yield


def test_a_few_of_many_gaps_are_named(
    batch: Batch, world: World, workspace: Workspace, start_run: StartRun
) -> None:
    """The warning names three of many agents with a gap, and counts the others."""
    bakers = [world.add_agent(workspace, name, name.lower()) for name in "DECAB"]
    for each in bakers:
        start_run(of=each, hours_ago=1)
    with short_lists():
        batch.extract()
        batches_later(world)
        for number in range(LIST_CAP + 1):
            for each in bakers:
                start_run(hours_ago=1 + number / 100, of=each)

        (outcome,) = batch.extract()

    assert "some runs of A, B, C and 2 more are unlisted" in outcome.warnings[0]


def test_a_run_known_by_id_joins_no_list(batch: Batch, world: World, start_run: StartRun) -> None:
    """An open run that was read by id does not make a snapshot overlap."""
    start_run(status="running")
    batch.extract()
    batches_later(world)
    for number in range(200):
        start_run(hours_ago=1 + number / 100)

    (outcome,) = batch.extract()

    assert len(batch.current_runs()) == 201
    assert len(outcome.warnings) == 1


def test_batches_of_joined_pulls_keep_an_agents_mark(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """An agent whose own list was last read long ago has no gap if each batch covered it."""
    for number in range(210):
        start_run(hours_ago=1 + number)
    batch.extract()
    for _ in range(3):
        batches_later(world)
        for number in range(100):
            start_run(hours_ago=1 + number / 100)
        batch.extract()
    batches_later(world)
    for number in range(199):
        start_run(hours_ago=1 + number / 200)
    start_run(of=batch.api.world.workspaces[0], hours_ago=0.5)
    start_run(of=batch.api.world.workspaces[0], hours_ago=0.5)

    (outcome,) = batch.extract()

    assert outcome.warnings == []


def test_runs_of_a_deleted_agent_are_read(
    batch: Batch, world: World, agent: Agent, start_run: StartRun
) -> None:
    """An agent that is no longer listed still has its runs read."""
    for number in range(201):
        start_run(hours_ago=1 + number / 100)
    world.delete_agent(agent)

    batch.extract()

    assert len(batch.current_runs()) == 200


def test_next_links_are_followed_until_the_list_joins(
    batch: Batch, world: World, api: Emulator, start_run: StartRun
) -> None:
    """With cursors there is no gap, and no page behind the last snapshot is read."""
    api.world.variants = api.world.variants.changed({"next_links": True})
    for number in range(450):
        start_run(hours_ago=1 + number / 100)
    batch.extract()
    batches_later(world)
    start_run()
    batch.forget()
    (outcome,) = batch.extract()

    assert len(batch.current_runs()) == 451
    assert outcome.warnings == []
    assert sum(request.path == "/api/v1/runs/" for request in api.requests) == 1


@pytest.mark.parametrize("idle", [0, 30])
def test_the_first_batch_says_how_long_it_will_be(
    batch: Batch,
    world: World,
    workspace: Workspace,
    start_run: StartRun,
    capsys: pytest.CaptureFixture[str],
    idle: int,
) -> None:
    """The first batch logs the number of its requests beforehand, nearly exactly."""
    for hours in (1, 2, 3):
        start_run(hours_ago=hours)
    for number in range(idle):
        world.add_agent(workspace, f"Idle {number}", f"idle-{number}")
    batch.extract()

    (line,) = [line for line in capsys.readouterr().err.splitlines() if "first batch" in line]
    said = int(line.split("about ")[1].split(" ")[0].replace(",", ""))
    assert abs(said - len(batch.api.requests)) <= 2


def test_a_new_agent_that_outruns_its_list_leaves_a_gap(
    batch: Batch, world: World, workspace: Workspace, start_run: StartRun
) -> None:
    """An agent with no run in the last batch and 210 in this one has a gap in between."""
    start_run()
    batch.extract()
    batches_later(world)
    newcomer = world.add_agent(workspace, "Newcomer", "newcomer")
    for number in range(210):
        start_run(hours_ago=1 + number / 100, of=newcomer)

    (outcome,) = batch.extract()

    assert "Newcomer are unlisted: over 200 started" in outcome.warnings[0]


def test_a_full_page_with_an_unreadable_id_is_full(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """A row with an unreadable id does not make a full list a whole one."""
    start_run()
    batch.extract()
    batches_later(world)
    runs = [start_run(hours_ago=1 + number / 100) for number in range(210)]
    world.override_record(runs[0].id, {"id": None})

    (outcome,) = batch.extract()

    assert any("are unlisted: over 200 started" in warning for warning in outcome.warnings)


def test_a_time_that_is_none_at_the_end_of_a_list(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """A run with an unreadable time is quarantined, also at the beginning or end of a list."""
    runs = [start_run(hours_ago=hours) for hours in (3, 2, 1)]
    for odd in (runs[0], runs[-1]):
        world.override_record(odd.id, {"created_at": "unknown"})

    (outcome,) = batch.extract()

    assert (outcome.error, outcome.quarantined_count > 0) == (None, True)
    assert set(batch.current_runs()) == {runs[1].id}
    pulls = (
        "select count(oldest_created_at), count(*) from ledger.list_snapshots where row_count > 0"
    )
    assert batch.rows(pulls)[0][0] == batch.rows(pulls)[0][1] > 0
