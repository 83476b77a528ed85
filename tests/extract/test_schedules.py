"""When the schedules of agents are read."""

from __future__ import annotations

from analytics.batch.collect import collect
from analytics.batch.progress import Progress
from analytics.emulator.records import Agent, RunInput, Schedule, Workspace
from analytics.emulator.world import World
from tests.batches import Batch
from tests.worlds import StartRun, book_run


def asked(batch: Batch, agent: Agent | None = None) -> int:
    """How often the schedules of this agent, or of any, were asked for in the next batch."""
    batch.forget()
    (outcome,) = batch.extract()
    assert outcome.error is None
    return batch.asked(f"/agents/{agent.id}/schedules" if agent else "/schedules")


def test_schedules_are_read_of_agents_with_new_runs(
    batch: Batch, world: World, workspace: Workspace, agent: Agent, start_run: StartRun
) -> None:
    """A batch asks for the schedules of each agent that has new runs, and of no other."""
    other = world.add_agent(workspace, "Miller", "miller")
    start_run()
    book_run(world, other)

    assert (asked(batch), asked(batch)) == (2, 0)
    start_run()
    assert (asked(batch, agent), batch.asked("/schedules")) == (1, 1)


def test_a_scheduled_run_is_known_as_such_from_its_first_batch(
    batch: Batch, world: World, workspace: Workspace, agent: Agent, start_run: StartRun
) -> None:
    """The batch that first lists a run has read the schedule whose last run it is."""
    start_run()
    batch.extract()
    schedule = Schedule("s", agent, "0 * * * *", "UTC", RunInput("bake"), world.now)
    workspace.schedules[schedule.id] = schedule
    assert asked(batch) == 0
    schedule.last_run_id = start_run().id

    assert asked(batch) == 1
    assert batch.rows(
        "select last_run_id from raw.schedules semi join raw.runs on last_run_id = run_id"
    ) == [(schedule.last_run_id,)]


def test_schedules_that_were_refused_are_asked_for_again(batch: Batch, start_run: StartRun) -> None:
    """An agent whose schedules were refused is asked for them by each batch, until it answers.

    A collection asks for none; the batch that stores its runs does.
    """
    start_run()
    batch.api.faults.add("/schedules$", "403", 2)
    for _ in range(2):
        (outcome,) = batch.extract()
        assert "refuses agents/{id}/schedules" in " ".join(outcome.warnings)
    assert (asked(batch), asked(batch)) == (1, 0)

    start_run()
    batch.forget()
    collect(batch.settings, Progress())
    assert batch.asked("/schedules") == 0
    assert (asked(batch), asked(batch)) == (1, 0)


def test_schedules_that_the_api_fails_to_give_stay_due(batch: Batch, start_run: StartRun) -> None:
    """No figure needs them: the batch goes on with a warning, and the next one reads them."""
    start_run()
    batch.api.faults.add("/schedules$", "500", 6)
    (outcome,) = batch.extract()

    assert outcome.error is None
    assert "some agents' schedules could not be read, and stay due: GET" in outcome.warnings[0]
    assert (asked(batch), asked(batch)) == (1, 0)
