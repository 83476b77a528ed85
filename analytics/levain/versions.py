"""The versions of an agent."""

from __future__ import annotations

from analytics.levain.paging import Page, one_page
from analytics.levain.paths import api_path
from analytics.levain.records import Version
from analytics.levain.transport import Transport


class Versions:
    """`/agents/{agent}/versions`; an agent by id or slug."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, agent: str) -> Page[Version]:
        """Read all versions of an agent."""
        return await one_page(self._transport, api_path("agents", agent, "versions"), Version)
