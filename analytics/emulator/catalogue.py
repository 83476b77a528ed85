"""The models that emulated agents use, with their list prices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

MILLION = Decimal(1_000_000)
MAIN_SHARE = 0.85


@dataclass(frozen=True, slots=True)
class Offer:
    """A model at a provider; prices are US dollars for a million tokens."""

    model: str
    provider: str
    price_in: Decimal
    price_out: Decimal
    is_metered_in_floats: bool = False

    def raised(self, factor: Decimal) -> Offer:
        """Return the same model at a price multiplied by `factor`."""
        return replace(self, price_in=self.price_in * factor, price_out=self.price_out * factor)

    def cost(self, tokens_in: int, tokens_out: int) -> Decimal:
        """Return a request's list price in US dollars.

        Some providers meter in floats, and their amounts have the trailing digits of a float.
        """
        exact = (tokens_in * self.price_in + tokens_out * self.price_out) / MILLION
        if not self.is_metered_in_floats:
            return exact
        return Decimal(float(exact)).quantize(Decimal("1e-20"))

    def request(self, tokens_in: int, tokens_out: int) -> dict[str, Any]:
        """Return what a request with these tokens meters."""
        return {
            "model": self.model,
            "provider": self.provider,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "cost_usd": self.cost(tokens_in, tokens_out) or Decimal(0),
        }


def drawn(rng: random.Random, offers: Sequence[Offer], main: Offer) -> Offer:
    """Draw the offer of a request of an agent: in most cases its main one."""
    return main if rng.random() < MAIN_SHARE else rng.choice(offers)


def _offer(model: str, provider: str, price_in: str, price_out: str) -> Offer:
    return Offer(model, provider, Decimal(price_in), Decimal(price_out), provider == "openai")


OPUS = _offer("claude-opus-5-5", "anthropic", "4", "20")
OPUS_OLD = _offer("claude-opus-4-8", "anthropic", "5", "25")
SONNET = _offer("claude-sonnet-5-5", "anthropic", "2", "10")
SONNET_OLD = _offer("claude-sonnet-4-6", "anthropic", "3", "15")
SONNET_ON_BEDROCK = _offer("claude-sonnet-5-5", "bedrock", "2", "10")
SONNET_ON_OWN_KEY = _offer("anthropic/claude-sonnet-5-5", "anthropic", "2", "10")
HAIKU = _offer("claude-haiku-5-5", "anthropic", "0.1", "0.5")
HAIKU_OLD = _offer("claude-haiku-4-5", "anthropic", "1", "5")
GPT_TERRA = _offer("openai.gpt-5.6-terra", "openai", "2.2", "13.2")
GPT_LUNA = _offer("openai.gpt-6-luna", "openai", "0.1", "0.5")
GPT_OSS = _offer("openai.gpt-oss-120b-1:0", "bedrock", "0.15", "0.6")
QWEN_CODER = _offer("qwen.qwen3-coder-next", "bedrock", "0.5", "1.2")
GLM = _offer("zai.glm-5.3", "bedrock", "1.848", "5.808")
NOVA_MICRO = _offer("amazon.nova-micro-v1:0", "bedrock", "0.035", "0.14")
