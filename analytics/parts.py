"""Parts of long work, which are told one by one to whoever shows its progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Before: TypeAlias = Callable[[int, int, str], object]
"""Is told before each part which number it is (the first is 1), of how many, and its name."""


def told(parts: Sequence[T], before: Before | None, name: Callable[[T], str]) -> Iterator[T]:
    """Yield parts, and tell of each by its name before."""
    for number, part in enumerate(parts, start=1):
        if before:
            before(number, len(parts), name(part))
        yield part
