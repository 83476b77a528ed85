"""`Levain`, the blocking client: the methods of `AsyncLevain`, without `await`."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, Unpack, cast

from anyio.from_thread import BlockingPortal, start_blocking_portal

from analytics import DEFAULT_API
from analytics.levain import client, runs
from analytics.levain.client import AsyncLevain, Options

P = ParamSpec("P")
T = TypeVar("T")
N = TypeVar("N")


class _Resource(Generic[N]):
    """The blocking counterpart of a resource such as `Runs`."""

    def __init__(self, portal: BlockingPortal, resource: N) -> None:
        self._portal = portal
        self._resource = resource


def _call(portal: BlockingPortal, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Block until the work is done; if the caller is interrupted, cancel it."""
    future: Future[T] = portal.start_task_soon(work)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def blocking(
    method: Callable[Concatenate[N, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[_Resource[N], P], T]:
    """Return a blocking version of a coroutine method, with the same parameters and docstring."""

    @functools.wraps(method)
    def call(self: _Resource[N], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return _call(self._portal, lambda: method(self._resource, *args, **kwargs))

    return call


def blocking_iter(
    method: Callable[Concatenate[N, P], AsyncIterator[T]],
) -> Callable[Concatenate[_Resource[N], P], Iterator[T]]:
    """Return a blocking version of a method that returns an async iterator, which is a generator.

    It yields each item as it arrives; when the caller stops iterating, the generator is closed.
    """

    @functools.wraps(method)
    def call(self: _Resource[N], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        items = cast("AsyncGenerator[T, None]", method(self._resource, *args, **kwargs))

        steps: list[asyncio.Task[Any] | None] = []

        async def step() -> T:
            steps[:] = [asyncio.current_task()]
            return await anext(items)

        async def close() -> None:
            for unfinished in filter(None, steps):  # the caller was interrupted during this step
                unfinished.cancel()
                await asyncio.wait([unfinished])
            await items.aclose()

        try:
            while True:
                try:
                    yield _call(self._portal, step)
                except StopAsyncIteration:
                    return
        finally:
            with suppress(RuntimeError):  # the client was closed before
                _call(self._portal, close)

    return call


class Auth(_Resource[client.Auth]):
    """`/auth`: the workspace that a key belongs to."""

    read = blocking(client.Auth.read)
    me = blocking(client.Auth.me)


class Agents(_Resource[client.Agents]):
    """`/agents`."""

    pages = blocking_iter(client.Agents.pages)
    list = blocking_iter(client.Agents.list)
    versions = blocking(client.Agents.versions)
    schedules = blocking(client.Agents.schedules)


class Runs(_Resource[runs.Runs]):
    """`/runs`."""

    trigger = blocking(runs.Runs.trigger)
    pages = blocking_iter(runs.Runs.pages)
    list = blocking_iter(runs.Runs.list)
    read = blocking(runs.Runs.read)
    get = blocking(runs.Runs.get)
    watch = blocking_iter(runs.Runs.watch)
    wait = blocking(runs.Runs.wait)
    follow = blocking_iter(runs.Runs.follow)
    log_events = blocking(runs.Runs.log_events)
    download_log = blocking(runs.Runs.download_log)
    artifacts = blocking(runs.Runs.artifacts)
    download_artifact = blocking(runs.Runs.download_artifact)
    daily = blocking(runs.Runs.daily)


class Sessions(_Resource[client.Sessions]):
    """`/sessions`; the API does not list them: a run names its session (`session_id`)."""

    events = blocking(client.Sessions.events)
    send_message = blocking(client.Sessions.send_message)
    cancel = blocking(client.Sessions.cancel)


class Analytics(_Resource[client.Analytics]):
    """`/analytics`: metered cost and tokens. A window is `[start, end)`, in UTC days."""

    summary = blocking(client.Analytics.summary)
    timeseries_by_agent = blocking(client.Analytics.timeseries_by_agent)
    hourly = blocking(client.Analytics.hourly)
    billing = blocking(client.Analytics.billing)
    agents = blocking(client.Analytics.agents)
    platform_agents = blocking(client.Analytics.platform_agents)
    run_costs = blocking(client.Analytics.run_costs)


class Byok(_Resource[client.Byok]):
    """`/byok`: bring your own key, for model usage that your own provider account pays."""

    list = blocking(client.Byok.list)


class Levain:
    """A client for one workspace, the one that the key belongs to; threads may share it.

    `Options` has its options. ::

        with Levain(api_key) as levain:
            run = levain.runs.trigger("support-triage", prompt="I get a 403 when I log in.")
            for run in levain.runs.watch(run.id):
                print(run.status, run.tokens_in, run.tokens_out, run.cost_usd)
    """

    def __init__(self, api_key: str, api: str = DEFAULT_API, **options: Unpack[Options]) -> None:
        ours = AsyncLevain(api_key, api, **options)
        self._stack = ExitStack()
        portal = self._stack.enter_context(start_blocking_portal(name="levain"))
        self._stack.callback(portal.call, portal.stop, True)
        self._stack.callback(_call, portal, ours.aclose)
        self.auth = Auth(portal, ours.auth)
        self.agents = Agents(portal, ours.agents)
        self.runs = Runs(portal, ours.runs)
        self.sessions = Sessions(portal, ours.sessions)
        self.analytics = Analytics(portal, ours.analytics)
        self.byok = Byok(portal, ours.byok)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; closing twice is allowed."""
        self._stack.close()
