"""`AsyncLevain`, the client: one property for each resource of the API."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from types import TracebackType
from typing import Self

import httpx

from analytics import DEFAULT_API
from analytics.levain.agents import Agents
from analytics.levain.analytics import Analytics
from analytics.levain.artifacts import Artifacts
from analytics.levain.auth import Auth
from analytics.levain.byok import Byok
from analytics.levain.clock import Clock
from analytics.levain.rate_limiter import RateLimiter
from analytics.levain.runs import Runs
from analytics.levain.schedules import Schedules
from analytics.levain.sessions import Sessions
from analytics.levain.transport import TRIES, Transport
from analytics.levain.versions import Versions


class AsyncLevain:
    """A client for one workspace, the one that the key belongs to.

    At most `concurrency` requests run at a time; with `requests_per_second` 0 the client sets no
    limit of its own; clients that are given one `rate_limiter` share its limit and its pauses. A
    request that may succeed later is tried `tries` times. Where a text of the API repeats the key,
    or one of `other_keys`, it reads `[key]`. Use it as a context manager::

        async with AsyncLevain(api_key) as levain:
            async for run in levain.runs.list(agent_id=agent_id):
                print(run.id, run.status, run.cost_usd)
    """

    def __init__(
        self,
        api_key: str,
        api: str = DEFAULT_API,
        *,
        concurrency: int = 8,
        requests_per_second: float = 0,
        rate_limiter: RateLimiter | None = None,
        tries: int = TRIES,
        other_keys: Iterable[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._transport = Transport(
            api_key,
            api,
            concurrency=concurrency,
            rate_limiter=rate_limiter or RateLimiter(requests_per_second),
            tries=tries,
            other_keys=other_keys,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    @property
    def clock(self) -> Clock:
        """The API's clock."""
        return self._transport.clock

    @property
    def request_count(self) -> int:
        """The number of requests sent so far, retries included."""
        return self._transport.request_count

    @cached_property
    def auth(self) -> Auth:
        """The workspace that the key belongs to."""
        return Auth(self._transport)

    @cached_property
    def agents(self) -> Agents:
        """The workspace's agents."""
        return Agents(self._transport)

    @cached_property
    def versions(self) -> Versions:
        """The versions of an agent."""
        return Versions(self._transport)

    @cached_property
    def runs(self) -> Runs:
        """Runs: trigger, watch and cancel them; read their log, events and counts."""
        return Runs(self._transport)

    @cached_property
    def artifacts(self) -> Artifacts:
        """The files that runs publish."""
        return Artifacts(self._transport)

    @cached_property
    def sessions(self) -> Sessions:
        """Conversations of one or several runs."""
        return Sessions(self._transport)

    @cached_property
    def schedules(self) -> Schedules:
        """Schedules that start agents at set times."""
        return Schedules(self._transport)

    @cached_property
    def analytics(self) -> Analytics:
        """Metered cost and tokens, by hour, day, agent and provider."""
        return Analytics(self._transport)

    @cached_property
    def byok(self) -> Byok:
        """The workspace's own keys at model providers."""
        return Byok(self._transport)
