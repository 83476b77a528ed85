"""Schedules: agents that run by the clock."""

from __future__ import annotations

from analytics.levain.paging import Page, one_page
from analytics.levain.paths import api_path, given
from analytics.levain.records import Schedule, typed
from analytics.levain.transport import Transport

LONGEST_LIST = 200


class Schedules:
    """`/schedules`. Here an agent is named by its id alone: the API takes no slug."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, agent_id: str) -> Page[Schedule]:
        """An agent's newest 200 schedules, newest first."""
        path = api_path("agents", agent_id, "schedules")
        return await one_page(self._transport, path, Schedule, {"limit": LONGEST_LIST})

    async def get(self, schedule_id: str) -> Schedule:
        """One schedule as it stands now."""
        return typed(
            (await self._transport.get_record(api_path("schedules", schedule_id))).record, Schedule
        )

    async def create(
        self,
        agent_id: str,
        cron_expr: str,
        *,
        timezone: str | None = None,
        prompt: str | None = None,
        initial_state: dict[str, object] | None = None,
    ) -> Schedule:
        """Let an agent run at each match of five cron fields, in UTC unless told otherwise."""
        body = given(
            cron_expr=cron_expr, timezone=timezone, prompt=prompt, initial_state=initial_state
        )
        answer = await self._transport.send("POST", api_path("agents", agent_id, "schedules"), body)
        return typed(answer.record, Schedule)

    async def update(
        self,
        schedule_id: str,
        *,
        cron_expr: str | None = None,
        timezone: str | None = None,
        enabled: bool | None = None,
    ) -> Schedule:
        """The schedule, changed: `enabled=False` pauses it, and nothing is caught up on later."""
        body = given(cron_expr=cron_expr, timezone=timezone, enabled=enabled)
        answer = await self._transport.send(
            "PATCH", api_path("schedules", schedule_id), body, is_repeatable=True
        )
        return typed(answer.record, Schedule)

    async def delete(self, schedule_id: str) -> None:
        """Take a schedule away."""
        await self._transport.send("DELETE", api_path("schedules", schedule_id))
