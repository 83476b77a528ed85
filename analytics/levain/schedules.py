"""Schedules that start agents at set times."""

from __future__ import annotations

from analytics.levain.paging import Page, one_page
from analytics.levain.paths import api_path, omit_none
from analytics.levain.records import Schedule
from analytics.levain.transport import Transport

LONGEST_LIST = 200


class Schedules:
    """`/schedules`; each method takes an agent's id: the API accepts no slug here."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, agent_id: str) -> Page[Schedule]:
        """Read an agent's newest 200 schedules, newest first."""
        path = api_path("agents", agent_id, "schedules")
        return await one_page(self._transport, path, Schedule, {"limit": LONGEST_LIST})

    async def get(self, schedule_id: str) -> Schedule:
        """Read one schedule."""
        return await self._transport.read(api_path("schedules", schedule_id), Schedule)

    async def create(
        self,
        agent_id: str,
        cron_expr: str,
        *,
        timezone: str | None = None,
        prompt: str | None = None,
        initial_state: dict[str, object] | None = None,
    ) -> Schedule:
        """Start an agent at each match of five cron fields, in UTC unless `timezone` is given."""
        body = omit_none(
            cron_expr=cron_expr, timezone=timezone, prompt=prompt, initial_state=initial_state
        )
        path = api_path("agents", agent_id, "schedules")
        return await self._transport.change("POST", path, Schedule, body)

    async def update(
        self,
        schedule_id: str,
        *,
        cron_expr: str | None = None,
        timezone: str | None = None,
        enabled: bool | None = None,
    ) -> Schedule:
        """Change a schedule; `enabled=False` pauses it, and missed runs are not made up for."""
        body = omit_none(cron_expr=cron_expr, timezone=timezone, enabled=enabled)
        return await self._transport.change(
            "PATCH", api_path("schedules", schedule_id), Schedule, body, is_repeatable=True
        )

    async def delete(self, schedule_id: str) -> None:
        """Delete a schedule."""
        await self._transport.send("DELETE", api_path("schedules", schedule_id))
