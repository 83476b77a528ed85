"""`AsyncLevain`, the client: each resource of the API in an attribute."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import date
from typing import Literal, Self, TypedDict, Unpack

import httpx

from analytics import DEFAULT_API
from analytics.levain import records as r
from analytics.levain.answers import Answer
from analytics.levain.pace import OnRetry, RateLimiter
from analytics.levain.paging import Page, Resource, api_path
from analytics.levain.runs import Runs
from analytics.levain.transport import Transport, one_of

LONGEST_HOURLY_DAYS = 30
LONGEST_DAILY_DAYS = 365
LONGEST_SCHEDULE_LIST = 200


class Auth(Resource):
    """`/auth`: the workspace that a key belongs to."""

    async def read(self) -> tuple[Answer, r.Me]:
        """Read the key's workspace; the answer's `fetched_at` is the time of the API's clock."""
        return await self._transport.get(api_path("auth", "me"), {}, one_of(r.Me))

    async def me(self) -> r.Me:
        """Read the key's workspace.

        >>> levain.auth.me().workspace_name
        'Blank Slate'
        """
        _, me = await self.read()
        return me


class Agents(Resource):
    """`/agents`."""

    def pages(self) -> AsyncIterator[Page[r.Agent]]:
        """Read all agents that the API lists, page by page."""
        return self._pages("/api/v1/agents/", r.Agent)

    async def list(self) -> AsyncIterator[r.Agent]:
        """Read all agents that the API lists."""
        async for page in self.pages():
            for agent in page:
                yield agent

    async def versions(self, agent: str) -> Page[r.Version]:
        """Read all versions of an agent (id or slug)."""
        return await self._page(api_path("agents", agent, "versions"), r.Version)

    async def schedules(self, agent_id: str) -> Page[r.Schedule]:
        """Read an agent's newest 200 schedules, newest first; the API accepts no slug here."""
        path = api_path("agents", agent_id, "schedules")
        return await self._page(path, r.Schedule, limit=LONGEST_SCHEDULE_LIST)


class Sessions(Resource):
    """`/sessions`; the API does not list them: a run names its session (`session_id`)."""

    async def events(self, session_id: str, *, since: int = 0) -> Page[r.SessionEvent]:
        """Read the events of a session after `since` (a `seq`)."""
        path = api_path("sessions", session_id, "events")
        return await self._page(path, r.SessionEvent, since=since)

    async def send_message(self, session_id: str, text: str) -> r.Session:
        """Send a message to a session, which starts another run of it.

        The session returned holds the new message as its only event. RefusedError if the session is
        terminated.
        """
        path = api_path("sessions", session_id, "messages")
        return await self._transport.change(path, r.Session, {"prompt": text})

    async def cancel(self, session_id: str) -> r.Session:
        r"""Interrupt the current run of a session, and terminate the session.

        The step in flight is still finished and paid for; then the run is `cancelled`. The session
        stays readable and takes no more messages. From a shell::

            curl -X POST https://api.levainlabs.com/api/v1/sessions/$SESSION_ID/cancel \
              -H "Authorization: Bearer $LEVAIN_API_KEY"

        >>> run = levain.runs.trigger("support-triage", prompt="I get a 403.")
        >>> levain.sessions.cancel(run.session_id).state
        'terminated'
        """
        path = api_path("sessions", session_id, "cancel")
        return await self._transport.change(path, r.Session, is_repeatable=True)


class Analytics(Resource):
    """`/analytics`: metered cost and tokens. A window is `[start, end)`, in UTC days."""

    async def summary(
        self, period: Literal["day", "week", "month", "quarter"] = "month"
    ) -> r.Summary:
        """Read the workspace's totals of the period up to now, and of the period before it.

        >>> totals = levain.analytics.summary("week").current
        >>> totals.run_count, totals.cost_usd
        (1, Decimal('0.25'))
        """
        path = api_path("analytics", "summary")
        return await self._transport.read(path, r.Summary, {"period": period})

    async def timeseries_by_agent(self, start: date, end: date) -> Page[r.Usage]:
        """Read cost and bill by agent and day; at most 365 days."""
        return await self._window("timeseries/by-agent", start, end, granularity="day")

    async def hourly(self, start: date, end: date) -> Page[r.Usage]:
        """Read usage by hour, agent, model and provider; at most 30 days."""
        return await self._window("hourly", start, end)

    async def billing(self, start: date, end: date) -> Page[r.Usage]:
        """Read usage and bill by day and provider; at most 365 days."""
        return await self._window("billing", start, end)

    async def agents(self, start: date, end: date) -> Page[r.Usage]:
        """Read totals by agent, over the runs created in the window."""
        return await self._window("agents", start, end)

    async def platform_agents(self, start: date, end: date) -> Page[r.Usage]:
        """Read totals by platform agent (builds, verifications, maintenance) over the window."""
        return await self._window("platform-agents", start, end)

    async def run_costs(self, run_id: str) -> Page[r.RunCost]:
        """Read the cost of a run, by model and provider."""
        return await self._page(api_path("analytics", "runs", run_id, "costs"), r.RunCost)

    async def _window(self, name: str, start: date, end: date, **more: str) -> Page[r.Usage]:
        window = {"start": f"{start}T00:00:00Z", "end": f"{end}T00:00:00Z"}
        return await self._page(f"/api/v1/analytics/{name}", r.Usage, **window | more)


class Byok(Resource):
    """`/byok`: bring your own key, for model usage that your own provider account pays."""

    async def list(self) -> Page[r.ProviderKey]:
        """Read the keys in use, without their secrets."""
        return await self._page(api_path("byok"), r.ProviderKey)


class Options(TypedDict, total=False):
    """Options of a client.

    At most `concurrency` requests run at a time; with `requests_per_second` 0 the client sets no
    limit of its own. A request that may succeed later is tried `tries` times; `on_retry` gets the
    error of each try before, and the seconds until the next one. Where a text of the API repeats
    the key, or one of `other_keys`, it reads `[key]`. A `transport` stands in place of the network.
    """

    concurrency: int
    requests_per_second: float
    tries: int
    on_retry: OnRetry
    other_keys: Iterable[str]
    transport: httpx.AsyncBaseTransport


class AsyncLevain:
    """A client for one workspace, the one that the key belongs to; `Options` has its options.

    Use it as a context manager::

        async with AsyncLevain(api_key) as levain:
            async for run in levain.runs.list(agent_id=agent_id):
                print(run.id, run.status, run.cost_usd)

    Clients of one event loop that are given one `rate_limiter` share its limit and its pauses.
    """

    def __init__(
        self,
        api_key: str,
        api: str = DEFAULT_API,
        *,
        rate_limiter: RateLimiter | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._transport = Transport(api_key, api, rate_limiter=rate_limiter, **options)
        self.clock = self._transport.clock
        self.auth = Auth(self._transport)
        self.agents = Agents(self._transport)
        self.runs = Runs(self._transport)
        self.sessions = Sessions(self._transport)
        self.analytics = Analytics(self._transport)
        self.byok = Byok(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    @property
    def request_count(self) -> int:
        """The number of requests sent so far, retries included."""
        return self._transport.request_count
