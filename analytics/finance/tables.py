"""Tables of the TOML files of `finance/`; docs/month-end.md shows each file.

Of the rules of allocation for a source that match a workspace in a month, the most specific is in
force: a name before a glob, the longer glob before the shorter, `*` last. One that matches the same
as an equally specific one above it is not used; where one has the name of a workspace and another
its identifier, the upper one is in force.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainValidator,
    ValidationError,
    model_validator,
)

from analytics.errors import UsageError
from analytics.finance.fields import NOT_NAMES, read_day, read_name, shown
from analytics.finance.matching import overlap, require_order, specificity
from analytics.finance.reading import Record, TomlFile, read_document
from analytics.toml import Table, one_of
from analytics.transform.findings.words import KINDS

SOURCES = ("platform", "no_agent", "unlisted", "failed")
EXPENSE = "expense"
_METHODS = ("even", "fixed", "proportional")
_BASES = ("cost", "billed", "runs", "tokens")
_MOST_SHARES = 1_000
_DECIMALS = 10


def _setting(text: str) -> str:
    if not (name := read_name(text)):
        raise ValueError("is empty")
    return name


def _day_of(value: object) -> object:
    try:
        return read_day(value) if isinstance(value, str) else value
    except ValueError:
        return value  # which is no date


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
        if cost_center in ("", *NOT_NAMES) or cost_center in shares:
            raise ValueError(f"have `{shown(key)}`, which is no cost center, or is there twice")
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if not is_number or not Decimal(value).is_finite() or not 0 <= value <= 100:
            raise ValueError(f"have no number from 0 to 100 for {cost_center}")
        shares[cost_center] = Decimal(value)
        if shares[cost_center] != round(shares[cost_center], _DECIMALS):
            raise ValueError(f"have more than ten decimals for {cost_center}")
    if (total := sum(shares.values(), Decimal())) != 100:
        raise ValueError(f"are {total.normalize():f} in all, and must be 100")
    return shares


Setting = Annotated[str, AfterValidator(_setting)]
"""A text in quotes that can be shown and compared."""

Date = Annotated[date, BeforeValidator(_day_of)]
"""A date, or a text like one."""


class Rule(Record):
    """Who bears the cost of a pool, of workspaces by name, identifier or glob, in whole months.

    `by` is of proportional rules, and `shares`, in percent by cost center, of fixed ones.
    """

    conflict = (
        "rule {self.name} overlaps rule {place} ({other.name}), which shares out the same source of"
        " the same workspaces in the same months"
    )

    name: Annotated[Setting, AfterValidator(_of_a_rule)]
    source: Annotated[str, one_of(SOURCES)]
    method: Annotated[str, one_of(_METHODS)]
    by: Annotated[str, one_of(_BASES)] | None = None
    shares: Annotated[dict[str, Decimal], PlainValidator(_shares)] = {}  # noqa: RUF012
    workspace: Setting = "*"
    valid_from: Annotated[Date, AfterValidator(_first_day)] | None = None
    valid_to: Annotated[Date, AfterValidator(_last_day)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Rule:
        for key, of in (("by", "proportional"), ("shares", "fixed")):
            if bool(getattr(self, key)) != (self.method == of):
                raise ValueError(f"`{key}` belongs to method {of}, and to no other")
        require_order(self)
        return self

    @property
    def key(self) -> object:
        """Rules that are equally specific, and may share out the same pool."""
        return self.source, specificity(self.workspace)

    @property
    def rank(self) -> tuple[Any, ...]:
        """The more specific workspace first."""
        return specificity(self.workspace)[:2]

    def overlaps(self, other: Rule) -> bool:
        """Return True if both share out the same pool of some workspace in some month."""
        return overlap(self, other, "workspace")


class Silence(Record):
    """Findings of a kind that are silenced: of an agent, a subject, up to a day; None is any."""

    kind: Annotated[str, one_of(KINDS)]
    agent: Setting | None = None
    subject: Setting | None = None
    until: Date | None = None
    note: Setting | None = None


ALLOCATION = TomlFile(
    file="finance/allocation.toml",
    name="rules",
    kind=Rule,
    most=200,
    otherwise="nothing is allocated",
    without="the rule is not used",
)
FINDINGS = TomlFile(
    file="finance/findings.toml",
    name="silences",
    kind=Silence,
    most=1000,
    otherwise="nothing is silenced",
    without="it silences nothing",
)
ACCOUNTS = "finance/accounts.toml"


class Roles(Table):
    """The account of each role in journals; `provider_payable` is none unless it is named."""

    expense: Setting = "6200"
    accrued: Setting = "2150"
    payable: Setting = "2000"
    tax: Setting = "1400"
    rounding: Setting = "6990"
    provider_payable: Setting | None = None


class Accounts(Table):
    """The file of accounts: of roles, and those for expense of cost centers."""

    accounts: Roles = Roles()
    cost_centers: dict[Setting, Setting] = {}  # noqa: RUF012 - pydantic copies it


def read_accounts(project: Path) -> tuple[Accounts, list[str]]:
    """Read the accounts of a project folder, and problems; without a file they are the defaults.

    A key that is wrong is not used; nothing raises.
    """
    try:
        document = read_document(project, ACCOUNTS)
    except UsageError as error:
        return Accounts(), [f"{error}; the accounts are the defaults"]
    try:
        return Accounts.model_validate(document.tables), []
    except ValidationError as error:
        wrong = {each["loc"][:2] for each in error.errors()}  # keys, or a whole table
        right = {
            name: {key: each for key, each in table.items() if (name, key) not in wrong}
            for name, table in document.tables.items()
            if (name,) not in wrong
        }
        problems = [f"{each}; it is not used" for each in document.problems(error, Accounts)]
        return Accounts.model_validate(right), problems
