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

import csv
import os
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from analytics.files import read_text
from analytics.finance.fields import LARGEST_FILE, read_day
from analytics.format import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

FILE = "finance/owners.csv"
NO_OWNER = "(none)"
"""Owner and cost center of what no rule matches; no rule may name it."""

_TEXTS = ("cost_center", "account", "owner")
_COLUMNS = ("workspace", "agent", *_TEXTS, "valid_from", "valid_to")
_LONGEST_TEXT = 100
_MOST_ALIKE = 1_000  # equally specific rules, each of which is compared with each
_SHOWN = 40

Specificity: TypeAlias = tuple[int, int, str]


@dataclass(frozen=True)
class Rule:
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
        return _specificity(self.agent), _specificity(self.workspace)

    def overlaps(self, other: Rule) -> bool:
        """True if both match some agent on some day."""
        return (
            (self.valid_from or date.min) <= (other.valid_to or date.max)
            and (other.valid_from or date.min) <= (self.valid_to or date.max)
            and _have_a_common_match(self.agent.lower(), other.agent.lower())
            and _have_a_common_match(self.workspace.lower(), other.workspace.lower())
        )


@dataclass(frozen=True)
class Owners:
    """Rules in force, the most specific first, and problems: each with file, line and reason."""

    rules: Sequence[Rule] = ()
    problems: Sequence[str] = ()


def read_owners(project: Path) -> Owners:
    """Read the rules of a project folder; there are none without a file.

    A line that is wrong is no rule, and a problem; nothing raises.
    """
    path = project / FILE
    if not os.path.lexists(path):
        return Owners()
    try:
        text = read_text(path, project, LARGEST_FILE)
    except (OSError, ValueError) as error:
        return _unusable(str(error.strerror if isinstance(error, OSError) else error))
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    try:
        header = _header(lines[0])
    except ValueError as error:
        return _unusable(str(error), line=1)
    unknown = [name for name in header if name not in _COLUMNS]
    problems = [
        f"{FILE}:1: the column `{_shown(name)}` is not used; there are {', '.join(_COLUMNS)}"
        for name in unknown
    ]
    rules: list[Rule] = []
    above: defaultdict[object, list[Rule]] = defaultdict(list)
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip(" ,"):
            continue
        try:
            rule = _rule(number, dict(zip(header, _fields(line, len(header)), strict=True)))
            alike = above[rule.specificity]
            _require_apart(rule, alike)
        except ValueError as error:
            problems.append(f"{FILE}:{number}: {error}; the line is not used")
        else:
            alike.append(rule)
            rules.append(rule)
    rules.sort(key=lambda rule: (*(rank[:2] for rank in rule.specificity), rule.line))
    return Owners(rules, problems)


def load_owners(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> None:
    """Replace the rules in the warehouse by these, the most specific first."""
    names_of_columns = [field.name for field in fields(Rule)]
    columns = {name: [getattr(rule, name) for rule in rules] for name in names_of_columns}
    columns["precedence"] = [*range(1, len(rules) + 1)]
    con.begin()
    con.execute("delete from finance.owner_rules")
    con.execute(
        f"insert into finance.owner_rules ({', '.join(columns)})"
        f" select {', '.join('unnest(?::varchar[])' for _ in columns)}",
        [*columns.values()],
    )
    con.commit()


def problems_of_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a line for each loaded rule that no workspace or agent ever seen matches.

    `con` is the warehouse with the build file attached, after a build. A pattern without a letter,
    such as `*`, has no name to misspell.
    """
    rows = con.execute("""
        select
            line,
            exists (
                from staging.stg_workspaces
                where workspace_id ilike workspace_pattern escape '\\'
                    or workspace_name ilike workspace_pattern escape '\\'
            ) as has_workspace
        from finance.owner_rules as written
        join staging.stg_owner_rules as rules using (precedence)
        where precedence not in (select precedence from intermediate.int_owner_matches)
            and trim(case when has_workspace then written.agent else written.workspace end, '*?')
                <> ''
        order by line
    """).fetchall()
    return [
        f"{FILE}:{line}: no {'agent' if has_workspace else 'workspace'} matches;"
        " is a name misspelt?"
        for line, has_workspace in rows
    ]


def not_told(errors: Sequence[str], problems: Sequence[str]) -> list[str]:
    """Return errors of a project's files without those of a place that owners' problems name."""
    told = {problem.partition(": ")[0] for problem in problems}
    return [error for error in errors if error.partition(": ")[0] not in told]


def _unusable(reason: str, line: int | None = None) -> Owners:
    place = FILE if line is None else f"{FILE}:{line}"
    return Owners(problems=[f"{place}: {reason}; no agent has an owner"])


def _header(line: str) -> list[str]:
    header = [name.strip().lower() for name in _fields(line)]
    missing = [name for name in ("workspace", "agent") if name not in header]
    if not missing and not {"owner", "cost_center"} & {*header}:
        missing = ["owner"]
    if missing:
        raise ValueError(
            f"there is no column {missing[0]}; the first line must be {','.join(_COLUMNS)}"
        )
    if twice := [name for name in header if header.count(name) > 1]:
        raise ValueError(f"two columns are named `{_shown(twice[0])}`")
    return header


def _fields(line: str, count: int | None = None) -> list[str]:
    try:
        (found,) = csv.reader([line], strict=True)
    except csv.Error as error:
        raise ValueError(f"a quote is not closed, or stands within a text ({error})") from None
    if count is not None and len(found) != count:
        raise ValueError(f"{len(found)} fields, where the header has {count}")
    return found


def _rule(line: int, given: Mapping[str, str]) -> Rule:
    """Return a line as a rule; ValueError says what is wrong with it."""
    text = {name: _text(name, given.get(name, "")) for name in ("workspace", "agent", *_TEXTS)}
    workspace, agent = text["workspace"], text["agent"]
    if workspace is None or agent is None:
        empty = "workspace" if workspace is None else "agent"
        raise ValueError(f"{empty} is empty; write * for all")
    if text["owner"] is None and text["cost_center"] is None:
        raise ValueError("it names neither an owner nor a cost center")
    first, last = (_day(name, given.get(name, "")) for name in ("valid_from", "valid_to"))
    if first and last and first > last:
        raise ValueError(f"valid_from {first} is after valid_to {last}")
    cost_center, account, owner = (text[name] for name in _TEXTS)
    return Rule(line, workspace, agent, cost_center, account, owner, first, last)


def _text(name: str, field: str) -> str | None:
    value = unicodedata.normalize("NFC", field.strip())
    if names.visible(value) != value:
        raise ValueError(f"{name} `{_shown(value)}` holds an invisible character")
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"{name} is longer than {_LONGEST_TEXT} characters")
    if value == NO_OWNER and name in _TEXTS:
        raise ValueError(f"{name} {NO_OWNER} stands for none; leave it empty")
    return value or None


def _day(name: str, field: str) -> date | None:
    value = field.strip()
    try:
        return read_day(value) if value else None
    except ValueError as error:
        raise ValueError(f"{name} `{_shown(value)}` is {error}") from None


def _shown(value: str) -> str:
    return names.visible(names.shortened(value, _SHOWN))


def _require_apart(rule: Rule, above: Sequence[Rule]) -> None:
    """Raise ValueError if the rule matches agents and days of an equally specific one."""
    if len(above) == _MOST_ALIKE:
        raise ValueError(f"there are {_MOST_ALIKE:,} equally specific rules above it")
    for other in above:
        if rule.overlaps(other):
            raise ValueError(
                f"it overlaps line {other.line}, which is as specific and matches the same agents"
                " on the same days"
            )


def _specificity(pattern: str) -> Specificity:
    """Return the rank of a name or glob, its length, and the name if it is one."""
    literals = re.sub("[*?]", "", pattern)
    if literals == pattern:
        return 0, 0, pattern.lower()
    return (2, 0, "") if not pattern.strip("*") else (1, -len(literals), "")


def _have_a_common_match(one: str, other: str) -> bool:
    """True if some text matches both globs."""
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
