"""The workspace's agents: made, changed, paused, and what starts them from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal

from analytics.levain.paging import Page, pages
from analytics.levain.paths import api_path, given
from analytics.levain.records import Agent, NewAgent, Trigger, Webhook, typed
from analytics.levain.transport import Transport


class Agents:
    """`/agents`; wherever an agent is asked for, its id and its slug will do."""

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

    async def get(self, agent: str) -> Agent:
        """One agent; NotFoundError where there is none."""
        return typed((await self._transport.get_record(api_path("agents", agent))).record, Agent)

    async def create(
        self, name: str, *, description: str | None = None, prompt: str | None = None
    ) -> NewAgent:
        """A new agent; with a prompt, its first version is built at once."""
        body = given(name=name, description=description, prompt=prompt)
        return typed((await self._transport.send("POST", "/api/v1/agents/", body)).record, NewAgent)

    async def update(
        self,
        agent: str,
        *,
        name: str | None = None,
        description: str | None = None,
        status: str | None = None,
        config: Mapping[str, int | bool | Decimal] | None = None,
    ) -> Agent:
        """The agent, changed: renamed, `status="paused"` or `"active"`, its limits in `config`."""
        body = given(name=name, description=description, status=status, config=config)
        answer = await self._transport.send(
            "PATCH", api_path("agents", agent), body, is_repeatable=True
        )
        return typed(answer.record, Agent)

    async def create_webhook(self, agent: str) -> Webhook:
        """The agent's inbound webhook; its URL embeds a secret and is never shown again."""
        path = api_path("agents", agent, "webhooks")
        return typed((await self._transport.send("POST", path)).record, Webhook)

    async def rotate_webhook(self, agent: str) -> Webhook:
        """The webhook with a new secret; the old URL works no more."""
        path = api_path("agents", agent, "webhooks", "rotate")
        return typed((await self._transport.send("POST", path)).record, Webhook)

    async def delete_webhook(self, agent: str) -> None:
        """Take the webhook away."""
        await self._transport.send("DELETE", api_path("agents", agent, "webhooks"))

    async def create_trigger(self, agent: str, *, integration_id: str, event_type: str) -> Trigger:
        """Let an event of an integration start the agent; RefusedError (409) if it does already."""
        body = given(integration_id=integration_id, event_type=event_type)
        path = api_path("agents", agent, "triggers")
        return typed((await self._transport.send("POST", path, body)).record, Trigger)
