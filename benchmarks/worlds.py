"""Plain large worlds for measurements: many agents, many runs, a request or two each."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.emulator import serialize, texts
from analytics.emulator.catalogue import GLM, HAIKU, SONNET
from analytics.emulator.chance import CONVERSATION, seeded
from analytics.emulator.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.emulator.records import Agent, Run, RunStatus, Workspace

SPAN = timedelta(days=60)
SHORT_SPAN = timedelta(days=20)
RECENT = timedelta(days=7)
RUNS_PER_AGENT = 200
OFFERS = (SONNET, HAIKU, GLM)
ENDINGS: tuple[RunStatus, ...] = ("succeeded",) * 18 + ("failed", "cancelled")


class _Plain(World):
    """A world whose runs are made whole, one after the other."""

    def __init__(self, seed: int, now: datetime) -> None:
        super().__init__(seed, now)
        self._rng = seeded(seed, "fleet")

    def _whole_run(self, agent: Agent, created: datetime) -> Run:
        rng = self._rng
        run = self.start_run(agent, at=created, prompt=texts.prompt(rng))
        self.launch_run(run, at=created + timedelta(seconds=2))
        offer = rng.choice(OFFERS)
        for second in range(rng.randint(1, 2)):
            used = offer.request(*CONVERSATION.sample(rng))
            self.meter(run, at=created + timedelta(seconds=10 + second), **used)
        status = rng.choice(ENDINGS)
        error = texts.TOOL if status == "failed" else None
        self.finish_run(run, status, error=error, at=created + timedelta(seconds=20))
        return run

    def _fill(self, workspace: Workspace, agents: int, runs: int, span: timedelta) -> list[Agent]:
        """Spread runs evenly over a span and over agents, which are returned.

        Each run is encoded once, so that measurements see only answers.
        """
        begin = self.now - span
        made = [
            self.add_agent(workspace, f"Agent {n}", f"agent-{n}", at=begin) for n in range(agents)
        ]
        for n in range(runs):
            self._whole_run(made[n % agents], begin + span * n / runs)
        for run in workspace.runs.values():
            serialize.encode_run(self.lies, run)
        return made


class Workspaces(_Plain):
    """A world of many workspaces, with so many runs each, of the last 20 days.

    Each has two agents, or one for each 200 runs: as many runs of an agent are listed.
    """

    def __init__(self, seed: int, now: datetime, runs: Sequence[int]) -> None:
        super().__init__(seed, now)
        for number, count in enumerate(runs):
            workspace = self.add_workspace(f"Workspace {number}")
            self._fill(workspace, max(2, count // RUNS_PER_AGENT), count, SHORT_SPAN)


class Fleet(_Plain):
    """A world of one workspace whose runs are spread evenly over the last 60 days."""

    def __init__(self, seed: int, now: datetime, *, agents: int, runs_per_agent: int) -> None:
        super().__init__(seed, now)
        self.workspace = self.add_workspace("Fleet")
        self.agents = self._fill(self.workspace, agents, agents * runs_per_agent, SPAN)

    def change(self, share: float = 0.01) -> list[Run]:
        """Let ten minutes pass in which that share of the runs changes, and return those runs.

        Up to half are runs of the last week that failed or were cancelled and now cost more; the
        others are new.
        """
        rng, runs = self._rng, self.workspace.agent_runs
        self.pass_time(timedelta(minutes=10))
        count = max(1, round(len(runs) * share))
        recent = runs.created_between(self.now - RECENT, self.now)
        unlucky = [run for run in recent if run.status != "succeeded"]
        late = rng.sample(unlucky, min(count // 2, len(unlucky)))
        for run in late:
            self.correct_cost(run, Decimal("0.01"))
        new = [
            self._whole_run(
                rng.choice(self.agents), self.now - timedelta(minutes=rng.uniform(1, 9))
            )
            for _ in range(count - len(late))
        ]
        return late + new
