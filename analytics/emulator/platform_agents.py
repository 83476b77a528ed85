"""The vendor's own agents: they build and verify versions, and maintain the wiki."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from analytics.emulator.catalogue import HAIKU, SONNET
from analytics.emulator.chance import CODE, new_id, seeded
from analytics.emulator.records import DAY, ZERO, PlatformAgent

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from decimal import Decimal

    from analytics.emulator.catalogue import Offer
    from analytics.emulator.records import Agent, Workspace
    from analytics.emulator.state import State


def _platform_agent(slug: str, name: str, kind: str) -> PlatformAgent:
    return PlatformAgent(new_id(seeded("platform agent", slug)), slug, name, kind)


BUILDER = _platform_agent("recipe-builder", "Recipe builder", "build")
VERIFIER = _platform_agent("recipe-verifier", "Recipe verifier", "verify")
WIKI_KEEPER = _platform_agent("wiki-keeper", "Wiki keeper", "maintenance")


@dataclass(slots=True)
class Platform:
    """The vendor's activity in a workspace."""

    world: State
    workspace: Workspace
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = seeded(self.world.seed, "platform", self.workspace.name)

    def maintain_from(self, moment: datetime) -> None:
        """Schedule the wiki's maintenance once a day from this moment on, at no charge."""
        self.world.at(moment, partial(self._keep_wiki, moment))

    def release(self, agent: Agent, description: str | None = None) -> None:
        """Build a new version of an agent, verify and publish it; it takes an hour or two."""
        world = self.world
        version = world.draft_version(agent, agent.active_version, description, ids=self.rng)

        def verify() -> None:
            version.last_commit_at = world.now
            publish = partial(world.activate_version, agent, version)
            self._work(VERIFIER, SONNET, 15, target=agent, then=publish)

        self._work(BUILDER, SONNET, 30, target=agent, then=verify)

    def _keep_wiki(self, moment: datetime) -> None:
        self._work(WIKI_KEEPER, HAIKU, 6, billed_usd=ZERO)
        self.maintain_from(moment + DAY)

    def _work(
        self,
        platform_agent: PlatformAgent,
        offer: Offer,
        requests: int,
        *,
        target: Agent | None = None,
        billed_usd: Decimal | None = None,
        then: Callable[[], object] | None = None,
    ) -> None:
        """Start a run, and put its requests, its end and its follow-up on the live agenda."""
        run = self.world.start_platform_run(self.workspace, platform_agent, target=target)
        self.world.launch_run(run)
        moment = run.created_at
        for _ in range(requests):
            moment += timedelta(seconds=self.rng.uniform(20, 180))
            used = offer.request(*CODE.sample(self.rng))
            request = partial(self.world.meter, run, billed_usd=billed_usd, **used)
            self.world.live.put(moment, request)
        self.world.live.put(moment, partial(self.world.finish_run, run))
        if then:
            self.world.live.put(moment, then)
