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

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analytics.finance.fields import NOT_NAMES, shown
from analytics.finance.matching import (
    Specificity,
    have_a_common_match,
    have_common_days,
    specificity,
)
from analytics.finance.toml import RefusedFileError, day_of, name_of, read_toml, rows_of, unknown

if TYPE_CHECKING:
    from pathlib import Path

FILE = "finance/allocation.toml"
SOURCES = ("platform", "no_agent", "unlisted", "failed")
METHODS = ("even", "fixed", "proportional")
BASES = ("cost", "billed", "runs", "tokens")
KEYS = (
    "name", "source", "method", "by", "shares", "workspace", "valid_from", "valid_to",
)  # fmt: skip
_MOST_RULES = 200  # each of which is compared with each
_MOST_SHARES = 1_000
_DECIMALS = 10
_HEADING = re.compile(r"^[ \t]*\[\[[ \t]*rules[ \t]*\]\]", re.MULTILINE)


@dataclass(frozen=True)
class Rule:
    """A rule of the file: its number, the pool that it shares out, and among whom.

    `basis` is of proportional rules, and `shares`, in percent by cost center, of fixed ones.
    """

    number: int
    name: str
    source: str
    method: str
    basis: str | None
    shares: Mapping[str, Decimal]
    workspace: str
    valid_from: date | None
    valid_to: date | None

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
    """Rules in force, the most specific first, and problems: each with its place and reason."""

    rules: list[Rule] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_rules(project: Path) -> Rules:
    """Read the rules of a project folder; there are none without a file.

    A rule that is wrong is not used, and a problem; nothing raises.
    """
    try:
        tables, text = read_toml(project, FILE)
    except RefusedFileError as error:
        return Rules(problems=[f"{error}; nothing is allocated"])
    given, problems = rows_of(
        FILE, tables, "rules", most=_MOST_RULES, otherwise="nothing is allocated"
    )
    places = _places(text, len(given))
    rules: list[Rule] = []
    for number, (place, keys) in enumerate(zip(places, given, strict=True), start=1):
        try:
            rule = _rule(number, keys)
            _require_apart(rule, rules)
        except ValueError as error:
            problems.append(f"{place}: {_called(number, keys)}: {error}; the rule is not used")
        else:
            rules.append(rule)
    rules.sort(key=lambda rule: (rule.specificity[:2], rule.number))
    return Rules(rules, problems)


def _places(text: str, count: int) -> Iterator[str]:
    """Yield the place of each rule, with its line if each has a heading of its own."""
    lines = [text.count("\n", 0, heading.start()) + 1 for heading in _HEADING.finditer(text)]
    for number in range(count):
        yield f"{FILE}:{lines[number]}" if len(lines) == count else FILE


def _called(number: int, keys: Mapping[str, Any]) -> str:
    name = keys.get("name")
    return f"rule {number} ({shown(name)})" if isinstance(name, str) else f"rule {number}"


def _rule(number: int, keys: Mapping[str, Any]) -> Rule:
    """Return the keys of a rule as a rule; ValueError says what is wrong with them."""
    for key in keys:
        if key not in KEYS:
            raise ValueError(unknown(key, KEYS))
    name = name_of("name", keys.get("name", ""))
    if name in NOT_NAMES:
        raise ValueError(f"name {name} stands for no rule; choose another one")
    source, method = _choice("source", keys, SOURCES), _choice("method", keys, METHODS)
    for key, of in (("by", "proportional"), ("shares", "fixed")):
        if (key in keys) != (method == of):
            raise ValueError(f"{key} belongs to method {of}, and to no other")
    first, last = _months(keys)
    return Rule(
        number,
        name,
        source,
        method,
        _choice("by", keys, BASES) if "by" in keys else None,
        _shares(keys["shares"]) if "shares" in keys else {},
        name_of("workspace", keys.get("workspace", "*")),
        first,
        last,
    )


def _choice(key: str, keys: Mapping[str, Any], known: Sequence[str]) -> str:
    value = name_of(key, keys.get(key, ""))
    if value not in known:
        raise ValueError(f"{key} {unknown(value, known)}")
    return value


def _months(keys: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """Return first and last day; ValueError if a month is not whole."""
    first, last = (
        day_of(key, keys[key]) if key in keys else None for key in ("valid_from", "valid_to")
    )
    if first and first.day != 1:
        raise ValueError(f"valid_from {first} is not the first day of a month")
    if last and last != date.max and (last + timedelta(days=1)).day != 1:
        raise ValueError(f"valid_to {last} is not the last day of a month")
    if first and last and first > last:
        raise ValueError(f"valid_from {first} is after valid_to {last}")
    return first, last


def _shares(given: object) -> dict[str, Decimal]:
    """Return the percentage of each cost center; ValueError if they are not 100 in all."""
    if not isinstance(given, dict) or not given:
        raise ValueError('shares is no table: write shares = { "CC-110" = 60, "CC-120" = 40 }')
    if len(given) > _MOST_SHARES:
        raise ValueError(f"there are more than {_MOST_SHARES:,} shares")
    shares: dict[str, Decimal] = {}
    for key, value in given.items():
        cost_center = name_of("a cost center", key)
        if cost_center in NOT_NAMES or cost_center in shares:
            raise ValueError(f"shares: {cost_center} is no cost center, or is there twice")
        shares[cost_center] = _percentage(cost_center, value)
    if (total := sum(shares.values(), Decimal())) != 100:
        raise ValueError(f"shares are {total.normalize():f} in all, and must be 100")
    return shares


def _percentage(cost_center: str, value: object) -> Decimal:
    wrong = ValueError(f"the share of {cost_center} is no number from 0 to 100")
    if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
        raise wrong
    share = Decimal(value)
    if not share.is_finite() or not 0 <= share <= 100:
        raise wrong
    if share != round(share, _DECIMALS):
        raise ValueError(f"the share of {cost_center} has more than ten decimals")
    return share


def _require_apart(rule: Rule, above: Sequence[Rule]) -> None:
    """Raise ValueError if the rule matches workspaces and months of an equally specific one."""
    for other in above:
        if rule.overlaps(other):
            raise ValueError(
                f"it overlaps rule {other.number} ({other.name}), which shares out the same source"
                " of the same workspaces in the same months"
            )
