"""The agents of a workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator

from analytics.levain.paging import Page, pages
from analytics.levain.paths import api_path
from analytics.levain.records import Agent
from analytics.levain.transport import Transport


class Agents:
    """`/agents`; each method takes an agent's id or slug."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def pages(self) -> AsyncIterator[Page[Agent]]:
        """Read all agents that the API lists, page by page."""
        return pages(self._transport, "/api/v1/agents/", {}, Agent)

    async def list(self) -> AsyncIterator[Agent]:
        """Read all agents that the API lists."""
        async for page in self.pages():
            for agent in page:
                yield agent

    async def get(self, agent: str) -> Agent:
        """Read one agent; NotFoundError if it does not exist."""
        return await self._transport.read(api_path("agents", agent), Agent)
