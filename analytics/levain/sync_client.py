"""`Levain`, the blocking client: the methods of `AsyncLevain`, without `await`."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Self

from analytics import DEFAULT_API
from analytics.levain import (
    agents,
    analytics,
    artifacts,
    auth,
    byok,
    runs,
    schedules,
    sessions,
    versions,
)
from analytics.levain._blocking import EventLoopThread, SyncResource, blocking, blocking_iter
from analytics.levain.client import AsyncLevain
from analytics.levain.transport import TRIES


class Auth(SyncResource[auth.Auth]):
    """`/auth`."""

    read = blocking(auth.Auth.read)
    me = blocking(auth.Auth.me)


class Agents(SyncResource[agents.Agents]):
    """`/agents`; each method takes an agent's id or slug."""

    pages = blocking_iter(agents.Agents.pages)
    list = blocking_iter(agents.Agents.list)
    get = blocking(agents.Agents.get)


class Versions(SyncResource[versions.Versions]):
    """`/agents/{agent}/versions`; an agent by id or slug."""

    list = blocking(versions.Versions.list)


class Runs(SyncResource[runs.Runs]):
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
    log_url = blocking(runs.Runs.log_url)
    download_log = blocking(runs.Runs.download_log)
    cancel = blocking(runs.Runs.cancel)
    daily = blocking(runs.Runs.daily)


class Artifacts(SyncResource[artifacts.Artifacts]):
    """`/runs/{run_id}/artifacts`."""

    list = blocking(artifacts.Artifacts.list)
    url = blocking(artifacts.Artifacts.url)
    download = blocking(artifacts.Artifacts.download)


class Sessions(SyncResource[sessions.Sessions]):
    """`/sessions`; the API does not list them: a run names its session (`session_id`)."""

    get = blocking(sessions.Sessions.get)
    events = blocking(sessions.Sessions.events)
    send_message = blocking(sessions.Sessions.send_message)
    cancel = blocking(sessions.Sessions.cancel)


class Schedules(SyncResource[schedules.Schedules]):
    """`/schedules`; each method takes an agent's id: the API accepts no slug here."""

    list = blocking(schedules.Schedules.list)
    get = blocking(schedules.Schedules.get)
    create = blocking(schedules.Schedules.create)
    update = blocking(schedules.Schedules.update)
    delete = blocking(schedules.Schedules.delete)


class Analytics(SyncResource[analytics.Analytics]):
    """`/analytics`. A window is `[start, end)`, in UTC days."""

    summary = blocking(analytics.Analytics.summary)
    timeseries_by_agent = blocking(analytics.Analytics.timeseries_by_agent)
    hourly = blocking(analytics.Analytics.hourly)
    billing = blocking(analytics.Analytics.billing)
    agents = blocking(analytics.Analytics.agents)
    platform_agents = blocking(analytics.Analytics.platform_agents)
    run_costs = blocking(analytics.Analytics.run_costs)


class Byok(SyncResource[byok.Byok]):
    """`/byok`; the API takes a key's secret and never returns it."""

    list = blocking(byok.Byok.list)
    add = blocking(byok.Byok.add)
    revoke = blocking(byok.Byok.revoke)


class Levain:
    """A client for one workspace, the one that the key belongs to; threads may share it.

    ::

        with Levain(api_key) as levain:
            run = levain.runs.trigger("support-triage", prompt="I get a 403 when I log in.")
            for run in levain.runs.watch(run.id):
                print(run.status, run.tokens_in, run.tokens_out, run.cost_usd)
    """

    def __init__(
        self,
        api_key: str,
        api: str = DEFAULT_API,
        *,
        concurrency: int = 8,
        requests_per_second: float = 0,
        tries: int = TRIES,
    ) -> None:
        self._client = AsyncLevain(
            api_key,
            api,
            concurrency=concurrency,
            requests_per_second=requests_per_second,
            tries=tries,
        )
        self._loop_thread = EventLoopThread()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; closing twice is allowed."""
        if not self._loop_thread.is_closed:
            self._loop_thread.call(self._client.aclose())
            self._loop_thread.close()

    @cached_property
    def auth(self) -> Auth:
        """The workspace that the key belongs to."""
        return Auth(self._loop_thread, self._client.auth)

    @cached_property
    def agents(self) -> Agents:
        """The workspace's agents."""
        return Agents(self._loop_thread, self._client.agents)

    @cached_property
    def versions(self) -> Versions:
        """The versions of an agent."""
        return Versions(self._loop_thread, self._client.versions)

    @cached_property
    def runs(self) -> Runs:
        """Runs: trigger, watch and cancel them; read their log, events and counts."""
        return Runs(self._loop_thread, self._client.runs)

    @cached_property
    def artifacts(self) -> Artifacts:
        """The files that runs publish."""
        return Artifacts(self._loop_thread, self._client.artifacts)

    @cached_property
    def sessions(self) -> Sessions:
        """Conversations of one or several runs."""
        return Sessions(self._loop_thread, self._client.sessions)

    @cached_property
    def schedules(self) -> Schedules:
        """Schedules that start agents at set times."""
        return Schedules(self._loop_thread, self._client.schedules)

    @cached_property
    def analytics(self) -> Analytics:
        """Metered cost and tokens, by hour, day, agent and provider."""
        return Analytics(self._loop_thread, self._client.analytics)

    @cached_property
    def byok(self) -> Byok:
        """The workspace's own keys at model providers."""
        return Byok(self._loop_thread, self._client.byok)
