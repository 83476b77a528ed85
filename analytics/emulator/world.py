"""The emulated platform: its state, and the services that act on it as time passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.emulator.runs.orchestrator import Orchestrator
from analytics.emulator.runs.schedules import Scheduler
from analytics.emulator.runs.webhooks import Webhooks
from analytics.emulator.state import State
from analytics.emulator.worlds import demo_history

if TYPE_CHECKING:
    from datetime import datetime


class World(State):
    """Workspaces, a clock, and the services of the API.

    Equal seeds, times and calls give equal worlds, ids included.
    """

    def __init__(self, seed: int, now: datetime) -> None:
        super().__init__(seed, now)
        self.orchestrator = Orchestrator(self)
        self.scheduler = Scheduler(self, self.orchestrator)
        self.webhooks = Webhooks(self)

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
