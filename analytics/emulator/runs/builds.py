"""Builds and verifications that customers request: runs of the vendor's agents on a draft."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from analytics.emulator.catalogue import SONNET
from analytics.emulator.quantiles import CODE
from analytics.emulator.records import RefusedError
from analytics.emulator.rng import seeded
from analytics.emulator.runs.platform import BUILDER, VERIFIER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from analytics.emulator.records import Agent, PlatformAgent, Run, Version
    from analytics.emulator.state import State

REQUESTS = 4
REQUEST_SECONDS = (1.5, 3.0)
BUILDING = "A build turn is currently running"


class Builds:
    """Runs of the platform that were requested through the API."""

    def __init__(self, world: State) -> None:
        self._world = world
        self._rng = seeded(world.seed, "builds")

    def build(self, agent: Agent, version: Version, prompt: str) -> Run:
        """Build a draft; the published version is unchanged."""
        if version.status != "draft":
            raise RefusedError(f"The version is {version.status}; only a draft can be built")
        commit = partial(self._world.commit, version)
        return self._start(BUILDER, agent, prompt=prompt, then=commit)

    def verify(self, agent: Agent, version: Version, *, publish: bool) -> Run:
        """Verify a version as it stands, and publish it if requested."""
        if _is_building(agent):
            raise RefusedError(BUILDING)
        note = partial(self._note_verified, agent, version, version.last_commit_at, publish=publish)
        return self._start(VERIFIER, agent, then=note)

    def publish(self, agent: Agent, version: Version) -> None:
        """Make a version the active one; a draft only if it is verified and no build runs."""
        if version.status == "draft":
            if _is_building(agent):
                raise RefusedError(BUILDING)
            if not version.is_verified:
                raise RefusedError("The draft's current commit is not verified; verify it first")
        self._world.set_version_status(agent, version, "active")

    def _note_verified(
        self, agent: Agent, version: Version, commit: datetime | None, *, publish: bool
    ) -> None:
        """Record that a commit is verified, and publish it if no build has begun since."""
        version.is_verified |= version.last_commit_at == commit
        if publish:
            with suppress(RefusedError):
                self.publish(agent, version)

    def _start(
        self,
        platform_agent: PlatformAgent,
        agent: Agent,
        *,
        prompt: str | None = None,
        then: Callable[[], object],
    ) -> Run:
        """Queue a run, and put its steps on the live agenda."""
        world = self._world
        run = world.start_platform_run(
            agent.workspace, platform_agent, target=agent, prompt=prompt, ids=self._rng
        )
        moment = world.now + timedelta(seconds=1)
        world.live.put(moment, partial(world.launch_run, run))
        for _ in range(REQUESTS):
            moment += timedelta(seconds=self._rng.uniform(*REQUEST_SECONDS))
            world.live.put(moment, partial(self._request, run))
        world.live.put(moment, partial(world.finish_run, run))
        world.live.put(moment, then)
        return run

    def _request(self, run: Run) -> None:
        tokens_in, tokens_out = CODE.sample(self._rng)
        self._world.meter(
            run,
            model=SONNET.model,
            provider=SONNET.provider,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost_usd=SONNET.cost(tokens_in, tokens_out),
        )


def _is_building(agent: Agent) -> bool:
    runs = agent.workspace.platform_runs
    return any(run.is_open and run.target is agent and run.kind == "build" for run in runs)
