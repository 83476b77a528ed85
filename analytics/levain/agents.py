"""The agents of a workspace: create and change them, and the events that start them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal

from analytics.levain.paging import Page, pages
from analytics.levain.paths import api_path, omit_none
from analytics.levain.records import Agent, NewAgent, Trigger, Webhook
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

    async def create(
        self, name: str, *, description: str | None = None, prompt: str | None = None
    ) -> NewAgent:
        """Create an agent.

        With a prompt, the platform starts to build its first version at once.
        """
        body = omit_none(name=name, description=description, prompt=prompt)
        return await self._transport.change("POST", "/api/v1/agents/", NewAgent, body)

    async def update(
        self,
        agent: str,
        *,
        name: str | None = None,
        description: str | None = None,
        status: str | None = None,
        config: Mapping[str, int | bool | Decimal] | None = None,
    ) -> Agent:
        """Change an agent: its name, its status (`"paused"`, `"active"`) or limits in `config`."""
        body = omit_none(name=name, description=description, status=status, config=config)
        return await self._transport.change(
            "PATCH", api_path("agents", agent), Agent, body, is_repeatable=True
        )

    async def create_webhook(self, agent: str) -> Webhook:
        """Create the agent's inbound webhook.

        The API returns its URL, which embeds a secret, only once.
        """
        path = api_path("agents", agent, "webhooks")
        return await self._transport.change("POST", path, Webhook)

    async def rotate_webhook(self, agent: str) -> Webhook:
        """Replace the webhook's secret; the old URL stops working."""
        path = api_path("agents", agent, "webhooks", "rotate")
        return await self._transport.change("POST", path, Webhook)

    async def delete_webhook(self, agent: str) -> None:
        """Delete the webhook."""
        await self._transport.send("DELETE", api_path("agents", agent, "webhooks"))

    async def create_trigger(self, agent: str, *, integration_id: str, event_type: str) -> Trigger:
        """Start the agent on an event of an integration.

        RefusedError (409) if that trigger exists.
        """
        body = omit_none(integration_id=integration_id, event_type=event_type)
        path = api_path("agents", agent, "triggers")
        return await self._transport.change("POST", path, Trigger, body)
