"""The emulated platform: its state, and the services that act on it as time passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.emulator.records import RefusedError, Webhook
from analytics.emulator.rng import new_id, seeded
from analytics.emulator.runs.orchestrator import Orchestrator
from analytics.emulator.runs.schedules import Scheduler
from analytics.emulator.state import State
from analytics.emulator.worlds import demo_history

if TYPE_CHECKING:
    from datetime import datetime

    from analytics.emulator.records import Agent


class World(State):
    """Workspaces, a clock, and the services of the API.

    Equal seeds, times and calls give equal worlds, ids included.
    """

    def __init__(self, seed: int, now: datetime) -> None:
        super().__init__(seed, now)
        self.orchestrator = Orchestrator(self)
        self.scheduler = Scheduler(self, self.orchestrator)
        self._webhook_rng = seeded(seed, "webhooks")

    def create_webhook(self, agent: Agent) -> Webhook:
        """Give an agent an address whose events start its runs."""
        if agent.webhook:
            raise RefusedError("The agent has a webhook; rotate its secret, or delete it first")
        secret = self.new_secret()
        agent.webhook = Webhook(new_id(self._webhook_rng), self.now, secret)
        return agent.webhook

    def new_secret(self) -> str:
        """Return a secret for the address of a webhook."""
        return f"{self._webhook_rng.getrandbits(192):048x}"

    def agent_of_webhook(self, webhook_id: str, secret: str) -> Agent | None:
        """Return the agent whose webhook has this id and secret, or None."""
        agents = (agent for each in self.workspaces for agent in each.agents.values())
        named = (webhook_id, secret)
        return next(
            (a for a in agents if a.webhook and (a.webhook.id, a.webhook.secret) == named), None
        )

    @classmethod
    def demo(
        cls, seed: int, now: datetime, *, history_days: int = 90, at_start: bool = False
    ) -> World:
        """Return two workspaces with a history.

        With `at_start` only its beginning, to pass in steps.
        """
        world = cls(seed, demo_history.begin(now, history_days))
        demo_history.plan(world, now)
        if not at_start:
            world.pass_time(demo_history.present(now) - world.now)
        return world

    @classmethod
    def empty(cls, seed: int, now: datetime) -> World:
        """Return one workspace without agents or runs."""
        world = cls(seed, now)
        world.add_workspace("Blank Slate")
        return world
