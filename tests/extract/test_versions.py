"""When the versions of agents are read, and what is stored of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
import zstandard

from analytics.emulator.records import Agent, Workspace
from analytics.emulator.world import World
from analytics.extract.details import MOST_FAILURES
from analytics.levain import ForbiddenError
from analytics.levain.answers import Answer
from analytics.levain.transport import Transport
from tests.batches import gone_from
from tests.conftest import Batch, StartRun


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


@contextmanager
def forbidden() -> Iterator[None]:
    """The key may not see any agent's versions."""
    get = Transport.get

    async def get_or_refuse(self: Transport, path: str, *more: Any) -> Answer:
        if path.endswith("/versions"):
            self.request_count += 1
            raise ForbiddenError(f"GET {path}", 403, "not for you")
        return await get(self, path, *more)

    with mock.patch.object(Transport, "get", get_or_refuse):
        yield


def test_versions_are_read_once(batch: Batch, world: World, agent: Agent) -> None:
    """A first batch stores each agent's versions, and the next asks for none."""
    world.publish_version(agent)

    assert (asked(batch), asked(batch)) == (1, 0)
    assert stored(batch) == [(1, "archived"), (2, "active")]
    assert batch.rows(
        "select agent_id, agent_version_id, parent_version, created_at, updated_at"
        " from raw.agent_versions where agent_version = 2"
    ) == [(agent.id, agent.versions[1].id, 1, world.now, world.now)]


def test_limits_are_stored(batch: Batch, world: World, agent: Agent) -> None:
    """An agent's limits are columns of its record."""
    world.change_agent(agent, {"max_budget": Decimal("2.50"), "timeout_minutes": 15})
    batch.extract()

    assert batch.rows("select max_budget_usd, timeout_minutes from raw.agents") == [
        (Decimal("2.5"), 15)
    ]


def test_no_description_is_landed(batch: Batch, world: World, agent: Agent) -> None:
    """The description of a version, which may hold content, never reaches the disk."""
    world.draft_version(agent, agent.versions[0], "secret")
    batch.extract()

    (file,) = batch.layout.landing.glob("*/*-versions/agent_versions.ndjson.zst")
    text = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()
    assert b'"status":"draft"' in text
    assert b"secret" not in text


def test_a_changed_agent_is_read_again(
    batch: Batch, world: World, workspace: Workspace, agent: Agent
) -> None:
    """Versions of an agent whose record changed are read again, and no other agent's."""
    other = world.add_agent(workspace, "Miller", "miller")
    batch.extract()
    world.pass_time(timedelta(hours=24))
    draft = world.draft_version(agent, agent.versions[0])
    batch.extract()
    world.pass_time(timedelta(hours=24))
    world.activate_version(agent, draft)

    assert (asked(batch, agent), batch.asked(f"/agents/{other.id}/versions")) == (1, 0)
    assert batch.rows(
        "select status, updated_at from raw.agent_versions where agent_version = 2"
        " order by version_id"
    ) == [("draft", world.now - timedelta(hours=24)), ("active", world.now)]
    assert asked(batch) == 0


def test_versions_that_are_gone_hold_no_more(batch: Batch, world: World, agent: Agent) -> None:
    """All versions of an agent are replaced when they are read again, also by none."""
    world.publish_version(agent)
    batch.extract()
    del agent.versions[0]
    world.rename_agent(agent, "Chef")
    batch.extract()
    assert stored(batch) == [(2, "active")]

    agent.versions.clear()
    world.rename_agent(agent, "Cook")
    batch.extract()
    assert stored(batch) == []


def test_a_run_of_an_unknown_version_has_them_read(
    batch: Batch, world: World, agent: Agent, start_run: StartRun
) -> None:
    """A version that only a run names is looked for, although the agent's record is as it was."""
    batch.extract()
    updated_at = agent.updated_at
    world.pass_time(timedelta(hours=24))
    world.publish_version(agent)
    agent.updated_at = updated_at
    start_run()

    assert asked(batch, agent) == 1
    assert stored(batch) == [(1, "archived"), (2, "active")]
    world.pass_time(timedelta(hours=24))
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


def test_a_new_agent_is_read(batch: Batch, world: World, workspace: Workspace) -> None:
    """An agent that is new to the list has its versions read, though it never ran."""
    batch.extract()
    newcomer = world.add_agent(workspace, "Newcomer", "newcomer")

    assert asked(batch, newcomer) == 1


def test_a_deleted_agent_is_asked_for_once(
    batch: Batch, world: World, agent: Agent, start_run: StartRun
) -> None:
    """The versions of an agent that the API does not know are no failure, and stay unasked for."""
    start_run()
    world.delete_agent(agent)

    assert (asked(batch), asked(batch)) == (1, 0)
    assert batch.rows(
        "select status, agent_id from ledger.requests where source = 'agent_versions'"
    ) == [(404, agent.id)]


def test_versions_of_an_agent_that_was_deleted_since_stay(
    batch: Batch, world: World, agent: Agent, start_run: StartRun
) -> None:
    """An agent that is deleted keeps the versions that were stored of it."""
    start_run()
    batch.extract()
    world.delete_agent(agent)

    assert asked(batch) == 0
    assert stored(batch) == [(1, "active")]


def test_forbidden_versions_stay_due(batch: Batch, agent: Agent) -> None:
    """A key that may not see versions costs the batch nothing but a warning; they stay due."""
    with forbidden():
        (outcome,) = batch.extract()

    assert outcome.error is None
    (warning,) = outcome.warnings
    assert "the API refuses agents/{id}/versions to this account (HTTP 403" in warning
    assert "HTTP 403" in warning
    assert (asked(batch, agent), asked(batch)) == (1, 0)
    assert stored(batch) == [(1, "active")]


@pytest.mark.parametrize(("answer", "times"), [("500", 6), ("invalid", 6), ("404", 1)])
def test_versions_that_the_api_fails_to_give_stay_due(
    batch: Batch, agent: Agent, start_run: StartRun, answer: Any, times: int
) -> None:
    """An answer that is broken to the last try leaves the run's agent to the next batch.

    So does a 404, as the agent is in the list.
    """
    batch.extract()
    agent.versions[0].number = 7
    start_run()
    batch.api.faults.add("/versions", answer, times=times)
    (outcome,) = batch.extract()

    assert (outcome.error, len(outcome.warnings)) == (None, 1)
    assert stored(batch) == [(1, "active")]
    assert (asked(batch, agent), asked(batch)) == (1, 0)
    assert stored(batch) == [(7, "active")]


def test_many_failures_are_left_to_another_batch(
    batch: Batch, world: World, workspace: Workspace
) -> None:
    """Where all fails, few agents are asked for; the others are the first to be asked for next."""
    agents = [world.add_agent(workspace, f"{n}", f"{n}") for n in range(3 * MOST_FAILURES)]
    batch.set_extract(concurrency=1)
    refused = "select distinct agent_id from ledger.requests where source = 'agent_versions'"
    with forbidden():
        batch.extract()
        first = {agent_id for (agent_id,) in batch.rows(refused)}
        batch.extract()
        second = {agent_id for (agent_id,) in batch.rows(refused)}

    assert MOST_FAILURES <= len(first) < len(second) <= len(agents)
    assert asked(batch) == len(agents)
    assert len(stored(batch)) == len(agents)
    assert asked(batch) == 0


def test_a_batch_that_broke_off_reads_them_later(
    batch: Batch, world: World, agent: Agent, start_run: StartRun
) -> None:
    """A run of an unknown version has the versions read in the batch after one that broke off."""
    batch.extract()
    updated_at = agent.updated_at
    world.publish_version(agent)
    agent.updated_at = updated_at
    start_run()
    with gone_from("/versions"):
        (outcome,) = batch.extract()

    assert outcome.error is not None
    assert asked(batch, agent) == 1
    assert stored(batch) == [(1, "archived"), (2, "active")]


def test_pages_of_versions_are_one_list(batch: Batch, world: World, agent: Agent) -> None:
    """Should the list ever come in pages, all of them replace what was stored."""
    world.publish_version(agent)
    get = Transport.get

    async def get_page(self: Transport, path: str, params: Any = None, *more: Any) -> Answer:
        answer = await get(self, path, params, *more)
        if not path.endswith("/versions"):
            return answer
        page = int((params or {}).get("cursor", 0))
        follows = f"?cursor={page + 1}" if page + 1 < len(answer.body) else None
        return Answer(
            answer.path,
            answer.params,
            answer.status,
            answer.fetched_at,
            answer.byte_count,
            answer.body[page : page + 1],
            follows,
        )

    with mock.patch.object(Transport, "get", get_page):
        assert asked(batch, agent) == 2

    assert stored(batch) == [(1, "archived"), (2, "active")]
