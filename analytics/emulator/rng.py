"""Seeded random generators, the only randomness, so that a seed always gives the same world."""

from __future__ import annotations

import random

UUID_FIXED = 0xF000 << 64 | 0xC000 << 48  # the bits that say version and variant
UUID_VERSION_4 = 0x4000 << 64 | 0x8000 << 48


def seeded(*parts: object) -> random.Random:
    """Return a generator that depends only on the parts."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 - worlds, not secrets


def new_id(rng: random.Random) -> str:
    """Return the text of a version 4 UUID drawn from the generator."""
    digits = f"{rng.getrandbits(128) & ~UUID_FIXED | UUID_VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
