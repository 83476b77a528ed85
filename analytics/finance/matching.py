"""Names, globs and days that rules match.

In a glob, `*` stands for any characters and `?` for one, and letters are those of either case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any


def specificity(pattern: str) -> tuple[int, int, str]:
    """Return the rank of a name or glob, its length, and the name if it is one.

    The smaller, the more specific; only equally specific patterns may be the same in effect.
    """
    literals = re.sub("[*?]", "", pattern)
    if literals == pattern:
        return 0, 0, pattern
    return (2, 0, "") if not pattern.strip("*") else (1, -len(literals), "")


def require_order(rule: Any) -> None:
    """Raise ValueError for a span of days that ends before it begins."""
    first, last = rule.valid_from, rule.valid_to
    if first and last and first > last:
        raise ValueError(f"valid_from {first} is after valid_to {last}")


def overlap(one: Any, other: Any, *names: str) -> bool:
    """Return True if patterns of these names match the same texts, and both are of some day.

    Both days of a span are included; None is no limit.
    """
    return (
        (one.valid_from or date.min) <= (other.valid_to or date.max)
        and (other.valid_from or date.min) <= (one.valid_to or date.max)
        and all(_match_the_same(getattr(one, each), getattr(other, each)) for each in names)
    )


def _match_the_same(one: str, other: str) -> bool:
    one, other = one.lower(), other.lower()
    if not any(wildcard in one + other for wildcard in "*?"):
        return one == other
    seen, left = {(0, 0)}, [(0, 0)]
    while left:
        at = left.pop()
        if at == (len(one), len(other)):
            return True
        for step in _steps(one[at[0] : at[0] + 1], other[at[1] : at[1] + 1]):
            after = at[0] + step[0], at[1] + step[1]
            if after not in seen:
                seen.add(after)
                left.append(after)
    return False


def _steps(one: str, other: str) -> Iterator[tuple[int, int]]:
    """Yield how far two globs can go on from these characters by a common text; "" is an end."""
    if one == "*":
        yield 1, 0  # it stands for no character more
    if other == "*":
        yield 0, 1
    if one and other and (one == other or {one, other} & {"*", "?"}):
        yield one != "*", other != "*"
