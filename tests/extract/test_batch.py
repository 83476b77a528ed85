"""The requests of each batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from analytics.emulator.records import Agent, Run, Workspace
from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.extract import runs as extracted
from tests.batches import LIST_CAP, Batch, Killed, batches_later
from tests.worlds import StartRun

pytestmark = pytest.mark.usefixtures("few_listed")


@pytest.fixture
def start_runs(start_run: StartRun) -> Callable[..., list[Run]]:
    """Return a function that books so many runs of late, the newest first."""

    def start(count: int, **fields: Any) -> list[Run]:
        return [start_run(hours_ago=1 + number / 100, **fields) for number in range(count)]

    return start


StartRuns = Callable[..., list[Run]]


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
    batch: Batch, world: World, agent: Agent, workspace: Workspace, start_runs: StartRuns
) -> None:
    """If more runs started than one list holds, each agent's list is read, of a deleted one too."""
    quiet = world.add_agent(workspace, "Quiet", "quiet")
    start_runs(1, of=quiet)
    batch.extract()
    batches_later(world)
    start_runs(LIST_CAP - 1)
    start_runs(LIST_CAP - 1, of=quiet)
    world.delete_agent(agent)

    (outcome,) = batch.extract()

    assert len(batch.current_runs()) == 1 + 2 * (LIST_CAP - 1)
    assert outcome.warnings == []


@pytest.mark.parametrize(
    "case", ["an agent", "a new agent", "a run known by id", "an id that cannot be read"]
)
def test_an_agent_that_outruns_its_list_leaves_a_gap(
    batch: Batch, world: World, workspace: Workspace, start_runs: StartRuns, case: str
) -> None:
    """More runs of an agent than a list holds are a gap, recorded once.

    An open run that is read by id does not make a list overlap, and a row whose id cannot be read
    does not make a full list a whole one.
    """
    start_runs(1, status="running" if case == "a run known by id" else "succeeded")
    batch.extract()
    batches_later(world)
    newcomer = world.add_agent(workspace, "Newcomer", "newcomer") if "new" in case else None
    first, *_ = start_runs(LIST_CAP + 2, of=newcomer)
    if "cannot" in case:
        world.override_record(first.id, {"id": None})

    batch.extract()
    gaps = batch.rows(
        "select unread_from, unread_until from ledger.list_snapshots where unread_until is not null"
    )
    batch.extract()

    assert gaps
    for after, before in gaps:
        assert after is None or after < before


def test_a_batch_killed_between_two_lists_leaves_no_run_out(
    batch: Batch, world: World, workspace: Workspace, start_runs: StartRuns
) -> None:
    """After a kill between the unfiltered list and those of agents, the next batch reads these."""
    quiet = world.add_agent(workspace, "Quiet", "quiet")
    start_runs(1, of=quiet)
    batch.extract()
    batches_later(world)
    start_runs(1, of=quiet)
    start_runs(LIST_CAP)
    killed = patch.object(extracted, "_read_agent_list", side_effect=Killed)
    with pytest.raises(Killed), killed:
        batch.extract()

    batch.extract()

    assert len(batch.current_runs()) == 2 + LIST_CAP


def test_batches_of_joined_pulls_keep_an_agents_mark(
    batch: Batch, world: World, workspace: Workspace, start_runs: StartRuns
) -> None:
    """An agent whose own list was last read long ago has no gap if each batch covered it."""
    start_runs(LIST_CAP + 1)
    batch.extract()
    for _ in range(3):
        batches_later(world)
        start_runs(LIST_CAP - 2)
        batch.extract()
    batches_later(world)
    start_runs(LIST_CAP - 1)
    start_runs(2, of=workspace)

    (outcome,) = batch.extract()

    assert outcome.warnings == []


def test_next_links_are_followed_until_the_list_joins(
    batch: Batch, world: World, api: Emulator, start_runs: StartRuns
) -> None:
    """With cursors there is no gap, and no page behind the last snapshot is read."""
    api.world.variants.next_links = True
    start_runs(2 * LIST_CAP + 2)
    batch.extract()
    batches_later(world)
    start_runs(1)
    batch.forget()
    (outcome,) = batch.extract()

    assert len(batch.current_runs()) == 2 * LIST_CAP + 3
    assert outcome.warnings == []
    assert sum(request.path == "/api/v1/runs/" for request in api.requests) == 1


def test_the_first_batch_says_how_long_it_will_be(
    batch: Batch,
    world: World,
    workspace: Workspace,
    start_run: StartRun,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first batch logs the number of its requests beforehand, nearly exactly."""
    for hours in (1, 2, 3):
        start_run(hours_ago=hours)
    for number in range(30):
        world.add_agent(workspace, f"Idle {number}", f"idle-{number}")
    batch.extract()

    (line,) = [line for line in capsys.readouterr().err.splitlines() if "first batch" in line]
    said = int(line.split("about ")[1].split(" ")[0].replace(",", ""))
    assert abs(said - len(batch.api.requests)) <= 2
