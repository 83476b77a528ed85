"""When the versions of agents are read, and what is stored of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

from analytics.emulator.records import Agent, Workspace
from analytics.emulator.world import World
from analytics.extract.details import MOST_FAILURES
from analytics.levain import ForbiddenError
from analytics.levain.transport import Transport
from tests.batches import Batch, gone_from
from tests.worlds import StartRun

ALWAYS = 10**9


def stored(batch: Batch) -> list[tuple[Any, ...]]:
    """Number and status of each version that is in force."""
    return batch.rows(
        "select agent_version, status from raw.agent_versions"
        " anti join raw.superseded using (version_id) order by agent_id, agent_version"
    )


def asked(batch: Batch, agent: Agent | None = None) -> int:
    """How often the versions of this agent, or of any, were asked for in the next batch."""
    batch.forget()
    (outcome,) = batch.extract()
    assert outcome.error is None
    return batch.asked(f"/agents/{agent.id}/versions" if agent else "/versions")


def publish_unseen(world: World, agent: Agent) -> None:
    """Publish a version, of which the record of the agent says nothing."""
    updated_at = agent.updated_at
    world.publish_version(agent)
    agent.updated_at = updated_at


def test_versions_are_read_of_agents_that_changed(
    batch: Batch, world: World, workspace: Workspace, agent: Agent, start_run: StartRun
) -> None:
    """A first batch reads those of each agent, a later one of those that are new or changed."""
    other = world.add_agent(workspace, "Miller", "miller")
    draft = world.draft_version(agent, agent.versions[0])
    assert (asked(batch), asked(batch)) == (2, 0)

    world.pass_time(timedelta(hours=24))
    world.activate_version(agent, draft)
    assert (asked(batch, agent), batch.asked(f"/agents/{other.id}/versions")) == (1, 0)
    assert batch.rows(
        "select agent_id, agent_version_id, parent_version, status, created_at, updated_at"
        " from raw.agent_versions where agent_version = 2 order by version_id"
    ) == [
        (agent.id, draft.id, 1, "draft", draft.created_at, draft.created_at),
        (agent.id, draft.id, 1, "active", draft.created_at, world.now),
    ]
    newcomer = world.add_agent(workspace, "Newcomer", "newcomer")
    assert (asked(batch, newcomer), batch.asked("/versions")) == (1, 1)

    # A version that only a run names is looked for, although the agent's record is as it was.
    world.pass_time(timedelta(hours=24))
    publish_unseen(world, agent)
    start_run()
    assert (asked(batch, agent), asked(batch)) == (1, 0)
    start_run()
    assert asked(batch) == 0


def test_a_version_that_is_never_listed_is_looked_for_once_a_run(
    batch: Batch, world: World, agent: Agent, start_run: StartRun
) -> None:
    """A run whose version the API does not list has the versions read when it is new, not ever."""
    start_run()
    agent.versions.clear()

    assert (asked(batch), asked(batch)) == (1, 0)
    world.pass_time(timedelta(hours=72))
    assert asked(batch) == 0


def test_a_deleted_agent_is_asked_for_once(
    batch: Batch, world: World, agent: Agent, start_run: StartRun
) -> None:
    """The versions of an agent that the API does not know are no failure, and stay unasked for.

    Those of an agent that was deleted since stay.
    """
    other = world.add_agent(batch.api.world.workspaces[0], "Miller", "miller")
    start_run()
    world.delete_agent(agent)
    assert (asked(batch), asked(batch)) == (2, 0)
    world.delete_agent(other)

    assert (asked(batch), stored(batch)) == (0, [(1, "active")])
    assert batch.rows(
        "select agent_id from ledger.requests where source = 'agent_versions' and status = 404"
    ) == [(agent.id,)]


def test_versions_that_the_api_fails_to_give_stay_due(
    batch: Batch, agent: Agent, start_run: StartRun
) -> None:
    """A refusal, or an answer that is broken to the last try, costs a batch nothing but a warning.

    The run's agent is left to the next batch, which reads its versions; a 404 of an agent that is
    in the list is such an answer too.
    """
    batch.extract()
    answers: list[tuple[Any, int]] = [("403", ALWAYS), ("invalid", 6), ("404", 1)]
    for number, (answer, times) in enumerate(answers, start=1):
        agent.versions[0].number = number + 1
        start_run()
        batch.api.faults.add("/versions$", answer, times=times)
        (outcome,) = batch.extract()
        (warning,) = outcome.warnings

        assert outcome.error is None
        if answer == "403":
            assert "the API refuses agents/{id}/versions to this account (HTTP 403" in warning
        assert stored(batch) == [(number, "active")]
        batch.api.faults.clear()
        assert (asked(batch, agent), asked(batch)) == (1, 0)
        assert stored(batch) == [(number + 1, "active")]


def test_many_failures_are_left_to_another_batch(
    batch: Batch, world: World, workspace: Workspace
) -> None:
    """Where all fails, few agents are asked for; the others are the first to be asked for next."""
    agents = [world.add_agent(workspace, f"{n}", f"{n}") for n in range(3 * MOST_FAILURES)]
    batch.set_extract(concurrency=1)
    get = Transport.get

    async def get_or_refuse(self: Transport, path: str, *more: Any) -> Any:
        if path.endswith("/versions"):
            raise ForbiddenError(f"GET {path}", 403, "not for you")
        return await get(self, path, *more)

    counts = []
    with mock.patch.object(Transport, "get", get_or_refuse):
        for _ in range(2):
            batch.extract()
            counts += batch.rows(
                "select count(distinct agent_id) from ledger.requests"
                " where source = 'agent_versions'"
            )

    assert (MOST_FAILURES,) <= counts[0] < counts[1] <= (len(agents),)
    assert (asked(batch), len(stored(batch)), asked(batch)) == (len(agents), len(agents), 0)


def test_a_batch_that_broke_off_reads_them_later(
    batch: Batch, world: World, agent: Agent, start_run: StartRun
) -> None:
    """A run of an unknown version has the versions read in the batch after one that broke off."""
    batch.extract()
    publish_unseen(world, agent)
    start_run()
    with gone_from("/versions"):
        (outcome,) = batch.extract()

    assert outcome.error is not None
    assert asked(batch, agent) == 1
    assert stored(batch) == [(1, "archived"), (2, "active")]
