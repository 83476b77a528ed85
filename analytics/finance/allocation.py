"""Rules of allocation: `finance/allocation.toml`, who bears the cost of a shared pool.

    [[rules]]
    name = "Platform by use"
    source = "platform"             # platform, no_agent, unlisted or failed
    method = "proportional"         # even, fixed or proportional
    by = "cost"                     # of proportional: cost, billed, runs or tokens
    workspace = "Production"        # name, identifier or glob; left out: all
    valid_from = 2026-10-01         # whole months, both days included; left out: no limit
    valid_to = 2026-12-31

    [[rules]]
    name = "Platform, as agreed"
    source = "platform"
    method = "fixed"
    shares = { "CC-110" = 60, "CC-120" = 40 }
    valid_from = 2027-01-01

Of the rules for a source that match a workspace in a month, the one of the most specific workspace
is in force: a name before a glob, the longer glob before the shorter, `*` last. A rule that matches
workspaces and months of an equally specific one above it is not used; where one names a workspace
by its name and another by its identifier, the upper one is in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, PlainValidator, model_validator

from analytics.finance.fields import NOT_NAMES, read_name, shown
from analytics.finance.matching import (
    Specificity,
    have_a_common_match,
    have_common_days,
    specificity,
)
from analytics.finance.toml import Day, Name, read_rows
from analytics.toml import Table, one_of

FILE = "finance/allocation.toml"
SOURCES = ("platform", "no_agent", "unlisted", "failed")
_METHODS = ("even", "fixed", "proportional")
_BASES = ("cost", "billed", "runs", "tokens")
_MOST_RULES = 200  # each of which is compared with each
_MOST_SHARES = 1_000
_DECIMALS = 10


def _of_a_rule(name: str) -> str:
    if name in NOT_NAMES:
        raise ValueError(f"{name} stands for no rule; choose another one")
    return name


def _first_day(day: date) -> date:
    if day.day != 1:
        raise ValueError(f"{day} is not the first day of a month")
    return day


def _last_day(day: date) -> date:
    if day != date.max and (day + timedelta(days=1)).day != 1:
        raise ValueError(f"{day} is not the last day of a month")
    return day


def _shares(given: object) -> dict[str, Decimal]:
    """Return the percentage of each cost center; ValueError if they are not 100 in all."""
    if not isinstance(given, dict) or not given:
        raise ValueError('must be a table like { "CC-110" = 60, "CC-120" = 40 }')
    if len(given) > _MOST_SHARES:
        raise ValueError(f"are more than {_MOST_SHARES:,}")
    shares: dict[str, Decimal] = {}
    for key, value in given.items():
        cost_center = read_name(key)
        if cost_center is None or cost_center in NOT_NAMES or cost_center in shares:
            raise ValueError(f"have `{shown(key)}`, which is no cost center, or is there twice")
        shares[cost_center] = _percentage(cost_center, value)
    if (total := sum(shares.values(), Decimal())) != 100:
        raise ValueError(f"are {total.normalize():f} in all, and must be 100")
    return shares


def _percentage(cost_center: str, value: object) -> Decimal:
    wrong = ValueError(f"have no number from 0 to 100 for {cost_center}")
    if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
        raise wrong
    share = Decimal(value)
    if not share.is_finite() or not 0 <= share <= 100:
        raise wrong
    if share != round(share, _DECIMALS):
        raise ValueError(f"have more than ten decimals for {cost_center}")
    return share


class Rule(Table):
    """A rule of the file: the pool that it shares out, and among whom.

    `by` is of proportional rules, and `shares`, in percent by cost center, of fixed ones.
    """

    name: Annotated[Name, AfterValidator(_of_a_rule)]
    source: Annotated[str, one_of(SOURCES)]
    method: Annotated[str, one_of(_METHODS)]
    by: Annotated[str, one_of(_BASES)] | None = None
    shares: Annotated[dict[str, Decimal], PlainValidator(_shares)] = {}  # noqa: RUF012
    workspace: Name = "*"
    valid_from: Annotated[Day, AfterValidator(_first_day)] | None = None
    valid_to: Annotated[Day, AfterValidator(_last_day)] | None = None

    @model_validator(mode="after")
    def _require_parts(self) -> Rule:
        for key, of in (("by", "proportional"), ("shares", "fixed")):
            if bool(getattr(self, key)) != (self.method == of):
                raise ValueError(f"`{key}` belongs to method {of}, and to no other")
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise ValueError(f"valid_from {self.valid_from} is after valid_to {self.valid_to}")
        return self

    @property
    def specificity(self) -> Specificity:
        """The smaller, the more specific."""
        return specificity(self.workspace)

    def overlaps(self, other: Rule) -> bool:
        """True if both share out the same pool in some month, and neither is more specific."""
        return (
            self.source == other.source
            and self.specificity == other.specificity
            and have_common_days(
                (self.valid_from, self.valid_to), (other.valid_from, other.valid_to)
            )
            and have_a_common_match(self.workspace, other.workspace)
        )


@dataclass(frozen=True)
class Rules:
    """Rules in force by their numbers, the most specific first, and problems: place and reason."""

    rules: Mapping[int, Rule] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_rules(project: Path) -> Rules:
    """Read the rules of a project folder; there are none without a file.

    A rule that is wrong is not used, and a problem; nothing raises.
    """
    rules, problems = read_rows(
        project,
        FILE,
        "rules",
        Rule,
        _require_apart,
        most=_MOST_RULES,
        without_file="nothing is allocated",
        without_row="the rule is not used",
    )
    by_rank = sorted(rules.items(), key=lambda each: (each[1].specificity[:2], each[0]))
    return Rules(dict(by_rank), problems)


def _require_apart(rule: Rule, above: Mapping[int, Rule]) -> None:
    """Raise ValueError if the rule matches workspaces and months of an equally specific one."""
    for number, other in above.items():
        if rule.overlaps(other):
            raise ValueError(
                f"rule {rule.name} overlaps rule {number} ({other.name}), which shares out the same"
                " source of the same workspaces in the same months"
            )
