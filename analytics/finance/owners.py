"""Owners of agents: the rules of `finance/owners.csv`, read and checked line by line.

    workspace,agent,cost_center,account,owner,valid_from,valid_to
    Production,support-*,CC-100,6200,Support,,2026-10-31
    Production,support-*,CC-150,6200,Customer care,2026-11-01,
    *,*,CC-900,,IT,,

`workspace` is a name or an identifier, `agent` a slug or an identifier, in any case of letters; `*`
stands for any characters and `?` for one. Both days are included; an empty one sets no limit.

Of the rules that match an agent on a day, the most specific is in force: an agent without `*` and
`?` before one with them, the longer before the shorter, `*` last; then the workspace in the same
way. A rule that matches agents and days of an equally specific one above it is not used; where one
line names an agent by its slug and another by its identifier, the upper one is in force. Runs
without an agent and the platform match a rule only by the names of their lines, `(none)` and
`(platform)`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.finance.fields import NOT_NAMES
from analytics.finance.lines import Form, Line, Lines, read_lines
from analytics.finance.matching import (
    Specificity,
    have_a_common_match,
    have_common_days,
    specificity,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

_TEXTS = ("cost_center", "account", "owner")
FORM = Form(
    "finance/owners.csv",
    ("workspace", "agent", *_TEXTS, "valid_from", "valid_to"),
    required=(("workspace",), ("agent",), ("owner", "cost_center")),
    otherwise="no agent has an owner",
)

_MOST_ALIKE = 1_000  # equally specific rules, each of which is compared with each


@dataclass(frozen=True)
class OwnerRule:
    """A line of the file: the agents that it matches, whose they are, and from when to when."""

    line: int
    workspace: str
    agent: str
    cost_center: str | None
    account: str | None
    owner: str | None
    valid_from: date | None
    valid_to: date | None

    @property
    def specificity(self) -> tuple[Specificity, Specificity]:
        """The smaller, the more specific; equal rules may match the same agents."""
        return specificity(self.agent), specificity(self.workspace)

    def overlaps(self, other: OwnerRule) -> bool:
        """True if both match some agent on some day."""
        return (
            have_common_days((self.valid_from, self.valid_to), (other.valid_from, other.valid_to))
            and have_a_common_match(self.agent, other.agent)
            and have_a_common_match(self.workspace, other.workspace)
        )


def read_owners(project: Path) -> Lines[OwnerRule]:
    """Read the rules of a project folder, the most specific first; there are none without a file.

    A line that is wrong is no rule, and a problem; nothing raises.
    """
    above: defaultdict[object, list[OwnerRule]] = defaultdict(list)

    def read(line: Line) -> OwnerRule:
        rule = _rule(line)
        alike = above[rule.specificity]
        _require_apart(rule, alike)
        alike.append(rule)
        return rule

    found = read_lines(project, FORM, read)
    rules = sorted(
        found.records, key=lambda rule: (*(rank[:2] for rank in rule.specificity), rule.line)
    )
    return Lines(rules, found.problems)


def _rule(line: Line) -> OwnerRule:
    """Return a line as a rule; ValueError says what is wrong with it."""
    workspace, agent = (line.required(name, "; write * for all") for name in ("workspace", "agent"))
    cost_center, account, owner = (_text(line, name) for name in _TEXTS)
    if owner is None and cost_center is None:
        raise ValueError("it names neither an owner nor a cost center")
    first, last = line.day("valid_from"), line.day("valid_to")
    if first and last and first > last:
        raise ValueError(f"valid_from {first} is after valid_to {last}")
    return OwnerRule(line.number, workspace, agent, cost_center, account, owner, first, last)


def _text(line: Line, name: str) -> str | None:
    if (text := line.text(name)) in NOT_NAMES:
        raise ValueError(f"{name} {text} stands for none; leave it empty")
    return text


def _require_apart(rule: OwnerRule, above: Sequence[OwnerRule]) -> None:
    """Raise ValueError if the rule matches agents and days of an equally specific one."""
    if len(above) == _MOST_ALIKE:
        raise ValueError(f"there are {_MOST_ALIKE:,} equally specific rules above it")
    for other in above:
        if rule.overlaps(other):
            raise ValueError(
                f"it overlaps line {other.line}, which is as specific and matches the same agents"
                " on the same days"
            )
