"""An agent's inbound webhook: an address with a secret that starts runs without a key."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from analytics.emulator.records import RefusedError, Webhook
from analytics.emulator.rng import new_id, seeded

if TYPE_CHECKING:
    from analytics.emulator.records import Agent
    from analytics.emulator.state import State

SECRET_BITS = 192


class Webhooks:
    """The webhooks of a world's agents, one for each agent."""

    def __init__(self, world: State) -> None:
        self._world = world
        self._rng = seeded(world.seed, "webhooks")

    def create(self, agent: Agent) -> tuple[Webhook, str]:
        """Create an agent's webhook and return it with its secret, which is not stored."""
        if agent.webhook:
            raise RefusedError("The agent has a webhook; rotate its secret, or delete it first")
        secret = self._new_secret()
        agent.webhook = Webhook(new_id(self._rng), self._world.now, _digest(secret))
        return agent.webhook, secret

    def rotate(self, webhook: Webhook) -> str:
        """Replace the secret, and return the new one."""
        secret = self._new_secret()
        webhook.digest = _digest(secret)
        return secret

    def find(self, webhook_id: str, secret: str) -> Agent | None:
        """Return the agent of the webhook with this secret, or None."""
        for workspace in self._world.workspaces:
            for agent in workspace.agents.values():
                if agent.webhook and agent.webhook.id == webhook_id:
                    is_right = hmac.compare_digest(agent.webhook.digest, _digest(secret))
                    return agent if is_right else None
        return None

    def _new_secret(self) -> str:
        return f"{self._rng.getrandbits(SECRET_BITS):0{SECRET_BITS // 4}x}"


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
