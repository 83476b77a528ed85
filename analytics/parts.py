"""The parts of long work, of which each is reported before it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Before: TypeAlias = Callable[[int, int, str], object]
"""Gets the number of the part that begins (the first is 1), of how many, and its name."""


def tracked(parts: Sequence[T], before: Before | None, name: Callable[[T], str]) -> Iterator[T]:
    """Yield parts, and report each by its name before."""
    for number, part in enumerate(parts, start=1):
        if before:
            before(number, len(parts), name(part))
        yield part
