"""Schedules that start runs of agents."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

from analytics.emulator.records import RefusedError, Schedule
from analytics.emulator.rng import new_id, seeded

if TYPE_CHECKING:
    from datetime import datetime

    from analytics.emulator.records import Agent, RunInput
    from analytics.emulator.runs.orchestrator import Orchestrator
    from analytics.emulator.state import State


class Scheduler:
    """Fires schedules on the live agenda; runs missed during a pause are not made up for."""

    def __init__(self, world: State, orchestrator: Orchestrator) -> None:
        self._world = world
        self._dispatch = orchestrator.dispatch
        self._ids = seeded(world.seed, "schedules")

    def create(self, agent: Agent, cron_expr: str, timezone: str, given: RunInput) -> Schedule:
        """Create a schedule from now on; raises the errors of `CronSim` and `ZoneInfo`."""
        now = self._world.now
        moment = _next_match(cron_expr, timezone, now)
        schedule = Schedule(new_id(self._ids), agent, cron_expr, timezone, given, now)
        agent.workspace.schedules[schedule.id] = schedule
        self._plan(schedule, moment)
        return schedule

    def change(self, schedule: Schedule, cron_expr: str, timezone: str, *, enabled: bool) -> None:
        """Change a schedule from now on; raises like `create`, and then changes nothing."""
        moment = _next_match(cron_expr, timezone, self._world.now)
        schedule.cron_expr, schedule.timezone, schedule.enabled = cron_expr, timezone, enabled
        self._plan(schedule, moment)

    def delete(self, schedule: Schedule) -> None:
        """Delete a schedule; its runs stay."""
        del schedule.agent.workspace.schedules[schedule.id]
        schedule.next_fire_at = None

    def _plan(self, schedule: Schedule, moment: datetime) -> None:
        schedule.next_fire_at = moment if schedule.enabled else None
        if schedule.enabled:
            self._world.live.put(moment, partial(self._fire, schedule, moment))

    def _fire(self, schedule: Schedule, moment: datetime) -> None:
        """Start a run, unless the schedule has changed since this was planned."""
        if schedule.next_fire_at != moment:
            return
        with suppress(RefusedError):  # a paused agent misses its turn
            run = self._dispatch(schedule.agent, schedule.given, source="scheduled")
            schedule.last_run_id = run.id
            schedule.last_fired_at = moment
        self._plan(schedule, _next_match(schedule.cron_expr, schedule.timezone, moment))


def _next_match(cron_expr: str, timezone: str, now: datetime) -> datetime:
    return next(CronSim(cron_expr, now.astimezone(ZoneInfo(timezone)))).astimezone(UTC)
