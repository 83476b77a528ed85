"""Collections: the lists alone, between two batches."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import timedelta
from itertools import count
from unittest import mock

import pytest

from analytics.batch.batch import Batch as RunningBatch
from analytics.batch.collect import collect
from analytics.batch.extract import Outcome
from analytics.batch.progress import Progress
from analytics.batch.workspaces import open_all
from analytics.emulator.records import Agent, Workspace
from analytics.emulator.world import World
from analytics.errors import AnalyticsError, UsageError
from analytics.files import UNFINISHED
from analytics.levain import ConnectionFailedError, NotFoundError
from analytics.levain.answers import Answer, Params
from analytics.levain.client import Auth
from analytics.levain.transport import Shape, Transport
from tests.batches import LIST_CAP, Batch, Killed, killed_before
from tests.worlds import StartRun

Collect = Callable[[], Outcome]
pytestmark = pytest.mark.usefixtures("few_listed")


@pytest.fixture
def collected(batch: Batch) -> Collect:
    """Return a function that collects the only workspace, and counts its requests anew."""

    def run() -> Outcome:
        batch.forget()
        (outcome,) = collect(batch.settings, Progress())
        return outcome

    return run


def loads(batch: Batch) -> list[str]:
    """Names of the landed loads."""
    return sorted(each.name for each in batch.layout.landing.glob("*/*"))


def lists(batch: Batch, agent: Agent) -> int:
    """How often the list of an agent was asked for."""
    return sum(
        each.path == "/api/v1/runs/" and agent.id in each.query for each in batch.api.requests
    )


def test_a_joined_list_is_two_requests(
    batch: Batch, world: World, start_run: StartRun, collected: Collect
) -> None:
    """A list that joins is two requests and a load of its new runs; the next batch stores them.

    A run that the list shows late, below newer ones, is new; where none is, nothing is landed.
    """
    run = start_run(hours_ago=3, status="running")
    batch.extract()
    before = loads(batch)
    world.pass_time(timedelta(minutes=5))
    for hours_ago in (0.04, 2):
        start_run(hours_ago=hours_ago)

    outcome = collected()

    assert [request.path for request in batch.api.requests] == ["/api/v1/auth/me", "/api/v1/runs/"]
    assert (outcome.request_count, outcome.new_version_count, outcome.warnings) == (2, 2, [])
    assert len(loads(batch)) == len(before) + 1
    assert batch.rows("select count(*) from ledger.loads") == [(len(before),)]
    world.finish_run(run)
    assert (collected().new_version_count, len(batch.api.requests)) == (0, 2)
    assert len(loads(batch)) == len(before) + 1
    batch.extract()
    assert len(batch.current_runs()) == 3


def test_an_agent_that_is_busier_than_batches(
    batch: Batch, world: World, start_run: StartRun, collected: Collect
) -> None:
    """Of more runs an hour than are listed, collections every 20 minutes leave none unlisted."""
    start_run(hours_ago=0.01)
    batch.extract()
    for minutes in range(20, 121, 20):
        for number in range(LIST_CAP - 2):
            start_run(hours_ago=-number / 15)
        world.pass_time(timedelta(minutes=20))
        if minutes % 60 == 0:
            batch.extract()
        else:
            assert (collected().warnings, len(batch.api.requests)) == ([], 2)

    assert len(batch.current_runs()) == 1 + 6 * (LIST_CAP - 2)


def test_a_list_that_does_not_join_is_read_by_agent(
    batch: Batch, world: World, workspace: Workspace, start_run: StartRun, collected: Collect
) -> None:
    """After more runs than a list holds, each agent's list is read, new and gone ones too."""
    start_run()
    batch.extract()
    loaded = batch.rows("from ledger.loads")
    world.pass_time(timedelta(minutes=5))
    for name in ("New", "Gone"):
        agent = world.add_agent(workspace, name, name.lower())
        start_run(of=agent, hours_ago=0.07)
    world.delete_agent(agent)
    for number in range(LIST_CAP + 2):
        start_run(hours_ago=0.05 - number / 1000)

    outcome = collected()

    assert batch.asked("/api/v1/runs/") == 2 + 3
    assert outcome.new_version_count == 2 + LIST_CAP
    assert batch.rows("from ledger.loads") == loaded
    assert (collected().new_version_count, len(batch.api.requests)) == (0, 2)
    batch.extract()
    assert len(batch.current_runs()) == 3 + LIST_CAP


@contextmanager
def refused(agent: Agent) -> Iterator[None]:
    """The API does not find the list of an agent."""
    get = Transport.get

    async def get_or_refuse(
        self: Transport, path: str, params: Params, shape: Shape[object]
    ) -> tuple[Answer, object]:
        if params.get("agent_id") == agent.id and path.endswith("/runs/"):
            raise NotFoundError(f"GET {path}", 404, "no such agent")
        return await get(self, path, params, shape)

    with mock.patch.object(Transport, "get", get_or_refuse):
        yield


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_refused_list_is_read_by_the_next_batch(
    batch: Batch,
    world: World,
    agent: Agent,
    workspace: Workspace,
    start_run: StartRun,
    collected: Collect,
    *,
    is_listed: bool,
) -> None:
    """A list refused in one batch is a gap, and is read by the next, whatever joins meanwhile.

    Of an agent that is gone it is not asked for again.
    """
    busy = world.add_agent(workspace, "Busy", "busy")
    first = start_run()
    batch.extract()
    world.pass_time(timedelta(hours=1))
    for _ in range(LIST_CAP - 2):
        start_run(hours_ago=0.9)
    for number in range(LIST_CAP):
        start_run(hours_ago=0.5 - number / 1000, of=busy)
    if not is_listed:
        world.delete_agent(agent)
    with refused(agent):
        (outcome,) = batch.extract()
    start_run(hours_ago=0.4)
    collected()
    batch.extract()
    asked = lists(batch, agent)
    batch.forget()
    batch.extract()

    assert "cannot be listed" in outcome.warnings[0]
    gaps = batch.rows(
        "select unread_from from ledger.list_snapshots"
        " where agent_id = ? and unread_until is not null",
        agent.id,
    )
    assert gaps == [(first.created_at,)]
    assert (asked, len(batch.current_runs())) == (
        (1, 2 * LIST_CAP) if is_listed else (0, LIST_CAP + 2)
    )
    assert lists(batch, agent) == 0


def test_before_the_first_batch(batch: Batch, start_run: StartRun, collected: Collect) -> None:
    """A collection before any batch lands the runs that are listed, which the first one loads."""
    for number in range(LIST_CAP):
        start_run(hours_ago=1 + number)
    assert collected().new_version_count == LIST_CAP
    start_run(hours_ago=0.5)
    assert collected().new_version_count == 1
    batch.extract()
    assert len(batch.current_runs()) == LIST_CAP + 1


@pytest.mark.parametrize(("new_runs", "step"), [(3, 1), (LIST_CAP + 3, 5)])
def test_a_kill_loses_nothing(
    batch: Batch, start_run: StartRun, collected: Collect, new_runs: int, step: int
) -> None:
    """Killed before any change of the disk, a collection is as if it had not been, or had."""
    start_run(hours_ago=3)
    batch.extract()
    for number in range(new_runs):
        start_run(hours_ago=2 - number / 10)
    before = batch.layout.root.with_name("before")
    shutil.copytree(batch.layout.root, before)
    for call in count(step=step):
        shutil.rmtree(batch.layout.root)
        shutil.copytree(before, batch.layout.root)
        try:
            with killed_before(call):
                collected()
        except Killed:
            collected()
        else:
            break
        if call % 5 == 1:
            batch.extract()
            assert len(batch.current_runs()) == min(new_runs, LIST_CAP) + 1
            assert not [name for name in loads(batch) if name.endswith(UNFINISHED)]
    assert call > 3


def test_a_damaged_load_is_named(batch: Batch, start_run: StartRun, collected: Collect) -> None:
    """A load that no batch has loaded, and that cannot be read, ends a collection by its name."""
    start_run(hours_ago=3)
    batch.extract()
    start_run(hours_ago=1)
    collected()
    load = max(batch.layout.landing.glob("*/*-lists"))
    (load / "list_snapshots.ndjson.zst").write_bytes(b"no zstandard")

    with pytest.raises(AnalyticsError, match=f"The landing folder {load} cannot be loaded"):
        collected()


def test_one_workspace_that_fails_costs_no_other_its_runs(
    batch: Batch, start_run: StartRun, collected: Collect
) -> None:
    """An API that fails ends in an error that says that the list is read again."""
    start_run()
    batch.extract()
    batch.api.faults.add("/runs/$", "500", 6)

    with pytest.raises(AnalyticsError, match=r"could not be read"), suppress(UsageError):
        collected()


def test_all_keys_are_asked_for_at_once(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API that does not answer holds the lock once, not once a workspace."""

    async def open_both() -> int:
        both = asyncio.Barrier(2)

        async def read(_: Auth) -> Answer:
            await both.wait()
            raise ConnectionFailedError("GET /auth/me", "gone")

        monkeypatch.setattr(Auth, "read", read)
        settings = batch.settings.model_copy(update={"workspaces": batch.settings.workspaces * 2})
        async with AsyncExitStack() as stack, asyncio.timeout(60):
            running = RunningBatch(settings, batch.layout, Progress())
            opened, refused = await open_all(stack, running)
        return len(refused) - len(opened)

    assert asyncio.run(open_both()) == 2
