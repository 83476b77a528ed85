"""The demo world: two workspaces, 90 days of history, and what the first batch brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from analytics.emulator.runs.platform import Platform
from analytics.emulator.world import World
from analytics.emulator.worlds import cast
from analytics.emulator.worlds.behaviour import DAY, Outage, Worker

if TYPE_CHECKING:
    from analytics.emulator.records import Agent, Workspace
    from analytics.emulator.worlds.behaviour import Habit
    from analytics.emulator.worlds.cast import Role

OUTAGE_DAYS_AGO = 17
FIRST_BATCH = timedelta(hours=6)


def demo(seed: int, now: datetime, history_days: int) -> World:
    """Return the demo world as it stands at `now`; a shorter history is made faster."""
    present = now.replace(tzinfo=now.tzinfo or UTC).astimezone(UTC)
    begin = present.replace(hour=0, minute=0, second=0, microsecond=0) - history_days * DAY
    world = World(seed, begin)
    for name, keys, roles in cast.WORKSPACES:
        workspace = world.add_workspace(name)
        for provider, secret in keys.items():
            world.add_provider_key(workspace, provider, secret)
        _Stage(world, workspace, present).enter(roles)
    world.pass_time(present - begin)
    return world


@dataclass(slots=True)
class _Stage:
    """A workspace in which agents begin to work, change and leave."""

    world: World
    workspace: Workspace
    present: datetime

    def enter(self, roles: tuple[Role, ...]) -> None:
        """Put everybody's story on the agenda."""
        platform = Platform(self.world, self.workspace)
        platform.maintain_from(self.world.now + timedelta(hours=3))
        workers: dict[str, Worker] = {}
        for role in roles:
            agent = self._hire(role)
            if role.habit:
                since = max(self._midnight(role.since_days), self.world.now)
                workers[role.slug] = self._employ(agent, role.habit, since)
            for days in role.releases_days:
                moment = self._midnight(days) + timedelta(hours=7)
                self.world.at(moment, partial(platform.release, agent))
        for role in roles:
            if role.calls:
                workers[role.slug].callee = workers[role.calls]
        for worker in list(workers.values())[:3]:
            # Somebody always works at the present, whatever the hour.
            self.world.at(self.present - timedelta(seconds=3), worker.begin)
        # One run has no agent, so late that the first batch lists it. Later ones might outrun the
        # list on the day that no batch reads them, and then nothing would count or sum them.
        nobody = Worker(self.world, self.workspace, cast.UNATTRIBUTED, self.workspace.name)
        self.world.at(self.present - timedelta(minutes=2), nobody.begin)

    def _hire(self, role: Role) -> Agent:
        hired = self._midnight(role.since_days) - timedelta(hours=40)
        agent = self.world.add_agent(
            self.workspace,
            role.name,
            role.slug,
            at=hired,
            status="active" if role.habit else "draft",
            description=role.description,
        )
        if role.habit:
            agent.offers, agent.traffic = role.habit.offers, role.habit.traffic
        if role.next_name:
            rename = partial(self.world.rename_agent, agent, role.next_name)
            self.world.at(self.present + FIRST_BATCH, rename)
        if role.left_days is not None:
            left = self._midnight(role.left_days) + timedelta(hours=15)
            self.world.at(left, partial(self._dismiss, role, agent))
        return agent

    def _employ(self, agent: Agent, habit: Habit, since: datetime) -> Worker:
        start = self._midnight(OUTAGE_DAYS_AGO) + timedelta(hours=8)
        outage = Outage("anthropic", start, start + timedelta(hours=7))
        worker = Worker(self.world, agent, habit, agent.slug, outages=(outage,))
        worker.work_from(since)
        return worker

    def _dismiss(self, role: Role, agent: Agent) -> None:
        if role.left_as == "deleted":
            self.world.delete_agent(agent)
        else:
            self.world.set_agent_status(agent, role.left_as)

    def _midnight(self, days_ago: int) -> datetime:
        midnight = self.present.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - days_ago * DAY
