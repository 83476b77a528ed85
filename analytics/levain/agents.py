"""The workspace's agents."""

from __future__ import annotations

from collections.abc import AsyncIterator

from analytics.levain.paging import Page, pages
from analytics.levain.records import Agent
from analytics.levain.transport import Transport


class Agents:
    """`/agents`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def pages(self) -> AsyncIterator[Page[Agent]]:
        """All agents that the API lists, page by page."""
        return pages(self._transport, "/api/v1/agents/", {}, Agent)

    async def list(self) -> AsyncIterator[Agent]:
        """All agents that the API lists."""
        async for page in self.pages():
            for agent in page:
                yield agent
