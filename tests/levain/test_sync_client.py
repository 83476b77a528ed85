"""`Levain` has the methods and results of `AsyncLevain`."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import enumerate as threads
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from analytics.emulator.server import Emulator
from analytics.levain import AsyncLevain, Levain
from analytics.levain.paging import Resource
from analytics.levain.sync_client import _Resource, blocking_iter
from tests.levain.answering import KEY
from tests.worlds import StartRun

RESOURCES = [name for name, each in vars(AsyncLevain(KEY)).items() if isinstance(each, Resource)]


def public(resource: object) -> dict[str, Any]:
    return {name: value for name, value in vars(type(resource)).items() if not name.startswith("_")}


@pytest.fixture
def levain(api: Emulator) -> Iterator[Levain]:
    with Levain(api.world.workspaces[0].api_key, api.url) as client:
        yield client


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_method_has_its_plain_twin(levain: Levain, resource: str) -> None:
    """Each method of each resource exists, with the same parameters and docstring."""
    ours = getattr(levain, resource)
    theirs, ours = public(ours._resource), public(ours)

    assert list(theirs) == list(ours)
    for name, method in theirs.items():
        assert inspect.signature(method) == inspect.signature(ours[name])
        assert method.__doc__ == ours[name].__doc__ != None  # noqa: E711  # a chain


def test_lists_are_iterated_as_far_as_is_wanted(api: Emulator, start_run: StartRun) -> None:
    """A loop may end early, and be closed after its client."""
    newest, *_ = [start_run(hours_ago=hours) for hours in (1, 2, 3)]
    with Levain(api.world.workspaces[0].api_key, api.url) as client:
        begun = client.runs.list()
        assert next(begun).id == newest.id
        assert len(list(client.runs.list())) == 3

    begun.close()  # type: ignore[attr-defined]  # it is a generator


def test_threads_and_loops_share_a_client(levain: Levain, start_run: StartRun) -> None:
    """Several threads may call one client, and so may a notebook, which runs a loop of its own."""
    ids = [start_run(hours_ago=hours).id for hours in range(1, 9)]

    async def cell() -> list[str]:
        return [run.id for run in levain.runs.list()]

    with ThreadPoolExecutor(8) as pool:
        assert [run.id for run in pool.map(levain.runs.get, ids)] == ids
    assert asyncio.run(cell()) == ids


def test_closing_ends_its_thread(api: Emulator) -> None:
    """A closed client leaves no thread running, and may be closed again."""
    client = Levain(api.world.workspaces[0].api_key, api.url)
    client.auth.me()
    for _ in range(2):
        client.close()

    assert "levain" not in [thread.name for thread in threads()]


class Numbers(_Resource[None]):
    """Yields a number, and then waits for ever."""

    async def _endless(self) -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    endless = blocking_iter(_endless)


@pytest.mark.parametrize("moment", ["result", "start_task_soon"])
def test_an_interrupted_loop_ends(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """An interrupted iteration leaves no pending step, whenever the interrupt comes."""
    owner = Future if moment == "result" else BlockingPortal
    proceed = getattr(owner, moment)

    def interrupted(*arguments: Any) -> Any:
        monkeypatch.undo()
        if owner is BlockingPortal:
            proceed(*arguments)
        raise KeyboardInterrupt

    with start_blocking_portal() as portal:
        numbers = Numbers(portal, None).endless()
        assert next(numbers) == 1
        monkeypatch.setattr(owner, moment, interrupted)

        with pytest.raises(KeyboardInterrupt):
            next(numbers)
