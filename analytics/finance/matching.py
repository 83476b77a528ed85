"""Names, globs and days that rules match.

In a glob, `*` stands for any characters and `?` for one; letters are those of either case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import TypeAlias

Specificity: TypeAlias = tuple[int, int, str]
Span: TypeAlias = tuple[date | None, date | None]
"""First and last day, both included; None is no limit."""


def specificity(pattern: str) -> Specificity:
    """Return the rank of a name or glob, its length, and the name if it is one.

    The smaller, the more specific; only equally specific patterns may be the same in effect.
    """
    literals = re.sub("[*?]", "", pattern)
    if literals == pattern:
        return 0, 0, pattern.lower()
    return (2, 0, "") if not pattern.strip("*") else (1, -len(literals), "")


def have_a_common_match(one: str, other: str) -> bool:
    """Return True if some text matches both."""
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


def have_common_days(one: Span, other: Span) -> bool:
    """Return True if some day is in both spans."""
    return (one[0] or date.min) <= (other[1] or date.max) and (other[0] or date.min) <= (
        one[1] or date.max
    )


def _steps(one: str, other: str) -> Iterator[tuple[int, int]]:
    """Yield how far two globs can go on from these characters by a common text; "" is an end."""
    if one == "*":
        yield 1, 0  # it stands for no character more
    if other == "*":
        yield 0, 1
    if one and other and (one == other or {one, other} & {"*", "?"}):
        yield one != "*", other != "*"
