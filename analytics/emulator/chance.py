"""All that is left to chance: seeded generators, ids, and the tokens of model requests.

There is no other randomness, so that a seed always gives the same world.

Tokens are drawn from the quantiles of two production services, which answer single questions. An
agent that reads files or long threads sends more with each request, so its traffic is one of these,
multiplied.

Source: Azure LLM inference trace 2023 (CC-BY), published with Splitwise (Patel et al., ISCA 2024).
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

UUID_FIXED = 0xF000 << 64 | 0xC000 << 48  # the bits that say version and variant
UUID_VERSION_4 = 0x4000 << 64 | 0x8000 << 48
LEVELS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)


def seeded(*parts: object) -> random.Random:
    """Return a generator that depends only on the parts."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 - worlds, not secrets


def new_id(rng: random.Random) -> str:
    """Return the text of a version 4 UUID drawn from the generator."""
    digits = f"{rng.getrandbits(128) & ~UUID_FIXED | UUID_VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Quantiles:
    """A distribution, defined by its values at `LEVELS`."""

    def __init__(self, *values: int) -> None:
        self.values = values
        steps = zip(pairwise(values), pairwise(LEVELS), strict=True)
        self._growth = [math.log(b / a) / (high - low) for (a, b), (low, high) in steps]

    def at(self, level: float) -> int:
        """Return the value at a level from 0 to 1, log-linear between the known ones."""
        below = min(bisect_right(LEVELS, level), len(self._growth)) - 1
        return round(self.values[below] * math.exp(self._growth[below] * (level - LEVELS[below])))

    def times(self, factor: int) -> Quantiles:
        """Return the distribution of values multiplied by `factor`."""
        return Quantiles(*(value * factor for value in self.values))


@dataclass(frozen=True, slots=True)
class Traffic:
    """The distribution of a service's requests, in tokens."""

    context: Quantiles
    generated: Quantiles

    def sample(self, rng: random.Random) -> tuple[int, int]:
        """Draw (tokens in, tokens out) of one request."""
        return self.context.at(rng.random()), self.generated.at(rng.random())

    def times(self, factor: int) -> Traffic:
        """Return the traffic of requests multiplied by `factor`."""
        return Traffic(self.context.times(factor), self.generated.times(factor))


CODE = Traffic(
    context=Quantiles(3, 17, 75, 147, 578, 1469, 2745, 5194, 7315, 7436, 7437, 7437),
    generated=Quantiles(6, 6, 6, 7, 9, 13, 24, 55, 90, 252, 831, 1899),
)
CONVERSATION = Traffic(
    context=Quantiles(2, 29, 181, 207, 396, 1020, 1189, 2735, 4083, 4142, 6212, 14050),
    generated=Quantiles(7, 16, 41, 54, 85, 129, 395, 424, 451, 601, 954, 1000),
)
