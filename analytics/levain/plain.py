"""`Levain`, the client for plain code: the methods of `AsyncLevain`, without `await`."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Self

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
from analytics.levain.client import DEFAULT_API, AsyncLevain
from analytics.levain.portal import Noun, Portal, iterates, waits
from analytics.levain.transport import TRIES


class Auth(Noun[auth.Auth]):
    """`/auth`."""

    read = waits(auth.Auth.read)
    me = waits(auth.Auth.me)


class Agents(Noun[agents.Agents]):
    """`/agents`; wherever an agent is asked for, its id and its slug will do."""

    pages = iterates(agents.Agents.pages)
    list = iterates(agents.Agents.list)
    get = waits(agents.Agents.get)
    create = waits(agents.Agents.create)
    update = waits(agents.Agents.update)
    create_webhook = waits(agents.Agents.create_webhook)
    rotate_webhook = waits(agents.Agents.rotate_webhook)
    delete_webhook = waits(agents.Agents.delete_webhook)
    create_trigger = waits(agents.Agents.create_trigger)


class Versions(Noun[versions.Versions]):
    """`/agents/{agent}/versions`; an agent by id or slug, a version by its number."""

    list = waits(versions.Versions.list)
    drafts = waits(versions.Versions.drafts)
    create = waits(versions.Versions.create)
    build = waits(versions.Versions.build)
    verify = waits(versions.Versions.verify)
    set_status = waits(versions.Versions.set_status)
    source = waits(versions.Versions.source)
    review_threads = waits(versions.Versions.review_threads)


class Runs(Noun[runs.Runs]):
    """`/runs`."""

    trigger = waits(runs.Runs.trigger)
    pages = iterates(runs.Runs.pages)
    list = iterates(runs.Runs.list)
    platform = iterates(runs.Runs.platform)
    read = waits(runs.Runs.read)
    get = waits(runs.Runs.get)
    watch = iterates(runs.Runs.watch)
    wait = waits(runs.Runs.wait)
    follow = iterates(runs.Runs.follow)
    log_events = waits(runs.Runs.log_events)
    log_url = waits(runs.Runs.log_url)
    download_log = waits(runs.Runs.download_log)
    cancel = waits(runs.Runs.cancel)
    daily = waits(runs.Runs.daily)


class Artifacts(Noun[artifacts.Artifacts]):
    """`/runs/{run_id}/artifacts`."""

    list = waits(artifacts.Artifacts.list)
    url = waits(artifacts.Artifacts.url)
    download = waits(artifacts.Artifacts.download)


class Sessions(Noun[sessions.Sessions]):
    """`/sessions`; there is no list of them: a run names its own (`session_id`)."""

    get = waits(sessions.Sessions.get)
    events = waits(sessions.Sessions.events)
    send_message = waits(sessions.Sessions.send_message)
    cancel = waits(sessions.Sessions.cancel)


class Schedules(Noun[schedules.Schedules]):
    """`/schedules`. Here an agent is named by its id alone: the API takes no slug."""

    list = waits(schedules.Schedules.list)
    get = waits(schedules.Schedules.get)
    create = waits(schedules.Schedules.create)
    update = waits(schedules.Schedules.update)
    delete = waits(schedules.Schedules.delete)


class Analytics(Noun[analytics.Analytics]):
    """`/analytics`. A window is `[start, end)`, in UTC days."""

    summary = waits(analytics.Analytics.summary)
    timeseries = waits(analytics.Analytics.timeseries)
    timeseries_by_agent = waits(analytics.Analytics.timeseries_by_agent)
    hourly = waits(analytics.Analytics.hourly)
    billing = waits(analytics.Analytics.billing)
    agents = waits(analytics.Analytics.agents)
    platform_agents = waits(analytics.Analytics.platform_agents)
    run_costs = waits(analytics.Analytics.run_costs)


class Byok(Noun[byok.Byok]):
    """`/byok`; a key's secret goes in and never comes out."""

    list = waits(byok.Byok.list)
    add = waits(byok.Byok.add)
    revoke = waits(byok.Byok.revoke)


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
        self._portal = Portal()

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
        """Close the connections; again is no harm."""
        if not self._portal.is_closed:
            self._portal.call(self._client.aclose())
            self._portal.close()

    @cached_property
    def auth(self) -> Auth:
        """Whose key it is."""
        return Auth(self._portal, self._client.auth)

    @cached_property
    def agents(self) -> Agents:
        """The workspace's agents."""
        return Agents(self._portal, self._client.agents)

    @cached_property
    def versions(self) -> Versions:
        """The versions of an agent."""
        return Versions(self._portal, self._client.versions)

    @cached_property
    def runs(self) -> Runs:
        """Runs: triggered, watched, cancelled; their log, their events and their counts."""
        return Runs(self._portal, self._client.runs)

    @cached_property
    def artifacts(self) -> Artifacts:
        """The files that runs publish."""
        return Artifacts(self._portal, self._client.artifacts)

    @cached_property
    def sessions(self) -> Sessions:
        """Conversations of one or several runs."""
        return Sessions(self._portal, self._client.sessions)

    @cached_property
    def schedules(self) -> Schedules:
        """Agents that run by the clock."""
        return Schedules(self._portal, self._client.schedules)

    @cached_property
    def analytics(self) -> Analytics:
        """Metered cost and tokens, by hour, day, agent and provider."""
        return Analytics(self._portal, self._client.analytics)

    @cached_property
    def byok(self) -> Byok:
        """The workspace's own keys at model providers."""
        return Byok(self._portal, self._client.byok)
