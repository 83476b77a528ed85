"""Lines of the CSV files of `finance/`; docs/month-end.md shows each file.

Of rules that match an agent on a day the most specific is in force: an agent by name before a glob,
the longer glob before the shorter, `*` last; then the workspace in the same way. One that matches
the same as an equally specific one above it is not used; where two name an agent by two of its
names, the upper one is in force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, field_validator, model_validator

from analytics.finance.fields import (
    NOT_NAMES,
    read_amount,
    read_count,
    read_day,
    read_month,
    read_name,
    shown,
)
from analytics.finance.matching import overlap, require_order, specificity
from analytics.finance.reading import CsvFile, Record
from analytics.format.names import ALL

SCOPES = ("workspace", "agent", "cost_center", "all")
_YEARS = range(2000, 2100)
_FOR_READERS = ("provider", "availability")
_PRICE_DECIMALS = 6
_MOST_TIMES = 10**9
_LARGEST_AMOUNT = 10**12  # sums of some millions of them, and products with a share, stay exact


def _field(
    read: Callable[[str], object], default: object = None, *, empty: str | None = None
) -> BeforeValidator:
    """Return the check of a field of a line: `empty` is the message if it must not be empty."""

    def check(text: str, info: ValidationInfo) -> object:
        if not text.strip():
            if empty is not None:
                raise ValueError(f"{info.field_name} {empty}")
            return default
        try:
            return read(text)
        except ValueError as error:
            raise ValueError(f"{info.field_name} {error}") from None

    return BeforeValidator(check)


def _of_this_century(read: Callable[[str], date]) -> Callable[[str], date]:
    """Return a reader of days: a year that is misspelt would end date arithmetic, spreadsheets."""

    def day_of(text: str) -> date:
        if (day := read(text)).year not in _YEARS:
            raise ValueError(f"{day} is not of the years {_YEARS[0]} to {_YEARS[-1]}")
        return day

    return day_of


def _signed(text: str) -> Decimal:
    if abs(amount := read_amount(text)) > _LARGEST_AMOUNT:
        raise ValueError(f"`{shown(text.strip())}` is more than a trillion US dollars")
    return amount


def _amount(text: str) -> Decimal:
    if (amount := _signed(text)) < 0:
        raise ValueError(f"`{shown(text.strip())}` is negative")
    return amount


def _owned(text: str) -> str:
    if (name := read_name(text)) in NOT_NAMES:
        raise ValueError(f"{name} stands for none; leave it empty")
    return name


def _scope(text: str) -> str:
    if (scope := read_name(text)) not in SCOPES:
        raise ValueError(f"`{scope}` is none of {', '.join(SCOPES)}")
    return scope


def _yes(text: str) -> bool:
    if (word := read_name(text)) != "yes":
        raise ValueError(f"`{shown(word)}` is not yes; write yes, or leave it empty")
    return True


def _price(text: str) -> Decimal:
    if (price := _amount(text)) != round(price, _PRICE_DECIMALS):
        raise ValueError(f"`{shown(text.strip())}` has more than six decimals")
    return price


def _times(text: str) -> int:
    if not 0 < (count := read_count(text)) <= _MOST_TIMES:
        raise ValueError(f"`{shown(text.strip())}` is not from 1 to {_MOST_TIMES:,}")
    return count


Text = Annotated[str, _field(read_name, empty="is empty")]
Pattern = Annotated[str, _field(read_name, empty="is empty; write * for all")]
Workspace = Annotated[str, _field(read_name, "")]  # an empty one means the only workspace
Owned = Annotated[str | None, _field(_owned)]
Day = Annotated[date | None, _field(read_day)]
Month = Annotated[
    date, _field(_of_this_century(read_month), empty="is empty; write it like 2026-11")
]
Amount = Annotated[Decimal, _field(_amount, empty="is empty")]
Name = Annotated[str | None, _field(read_name)]
Model = Annotated[str, _field(lambda text: read_name(text).lower(), empty="is empty")]
DayOf = Annotated[
    date, _field(_of_this_century(read_day), empty="is empty; write it like 2026-11-30")
]
Price = Annotated[Decimal, _field(_price, empty="is empty; a price of nothing is 0")]


class OwnerRule(Record):
    """Agents of workspaces, as names or globs, whose they are, and from when to when.

    Lines without an agent and of the platform match only by their names, `(none)`, `(platform)`.
    """

    conflict = (
        "it overlaps line {place}, which is as specific and matches the same agents on the same"
        " days"
    )

    workspace: Workspace
    agent: Pattern
    cost_center: Owned
    account: Owned
    owner: Owned
    valid_from: Day
    valid_to: Day

    @model_validator(mode="after")
    def _check(self) -> OwnerRule:
        if self.owner is None and self.cost_center is None:
            raise ValueError("it names neither an owner nor a cost center")
        require_order(self)
        return self

    @property
    def key(self) -> object:
        """Rules that are equally specific, and may match the same agents."""
        return specificity(self.agent), specificity(self.workspace)

    @property
    def rank(self) -> tuple[Any, ...]:
        """The more specific agent first, then the more specific workspace."""
        return specificity(self.agent)[:2], specificity(self.workspace)[:2]

    def overlaps(self, other: OwnerRule) -> bool:
        """Return True if both match some agent on some day."""
        return overlap(self, other, "agent", "workspace")


class Budget(Record):
    """A budget of a month, its first day; `name` is a workspace, agent or cost center, or all.

    Without a workspace, that of an agent or cost center is for all workspaces together.
    """

    conflict = "line {place} is a budget of the same for the same month"

    scope: Annotated[str, _field(_scope, empty="is empty")]
    name: Annotated[str | None, _field(read_name)]
    workspace: Annotated[str | None, _field(read_name)]
    month: Month
    amount_usd: Annotated[Decimal, _field(_amount, empty="is empty; a budget of nothing is 0")]

    @field_validator("name")
    @classmethod
    def _of_scope(cls, name: str | None, info: ValidationInfo) -> str:
        is_all = info.data.get("scope") == "all"
        if is_all and name is not None:
            raise ValueError(f"scope all has no name; leave `{name}` out")
        if not is_all and name is None:
            raise ValueError("name is empty")
        return name or ALL

    @field_validator("workspace")
    @classmethod
    def _of_parts(cls, workspace: str | None, info: ValidationInfo) -> str | None:
        if workspace is not None and (scope := info.data.get("scope")) in ("workspace", "all"):
            raise ValueError(
                f"workspace is of agents and cost centers; of scope {scope} it is empty"
            )
        return workspace

    @property
    def key(self) -> object:
        """The same scope, name, workspace and month."""
        return self.scope, self.name, self.workspace, self.month


class Invoice(Record):
    """The part of an invoice for a workspace and the month of the usage, its first day.

    `amount_usd` is before credits and tax; a credit is positive. Tax is negative on a credit note,
    whose credit is more than its amount. `accepted`: the amount shall stand, whatever the bill.
    """

    conflict = (
        "line {place} has the same invoice, workspace and month; add up what belongs together"
    )

    invoice_id: Text
    workspace: Workspace
    month: Month
    issued_on: DayOf
    amount_usd: Amount
    credit_usd: Annotated[Decimal, _field(_amount, Decimal())]
    tax_usd: Annotated[Decimal, _field(_signed, Decimal())]
    accepted: Annotated[bool, _field(_yes, default=False)]

    @model_validator(mode="after")
    def _check(self) -> Invoice:
        if self.tax_usd < 0 and self.credit_usd <= self.amount_usd:
            raise ValueError(f"tax_usd `{self.tax_usd:f}` is negative")
        return self

    @property
    def key(self) -> object:
        """Invoice, workspace and month."""
        return self.invoice_id, self.workspace, self.month


class Outcome(Record):
    """An outcome of an agent's work on a day, `count` times: of the agent, a run or a session.

    `value_usd` is what all of them are worth; None if nobody says.
    """

    conflict = "line {place} has the same outcome_id: an outcome is counted once"

    outcome_id: Text
    date: DayOf
    workspace: Workspace
    agent: Name
    run: Name
    session: Name
    outcome: Text
    count: Annotated[int, _field(_times, 1)]
    value_usd: Annotated[Decimal | None, _field(_amount)]

    @model_validator(mode="after")
    def _check(self) -> Outcome:
        if sum(each is not None for each in (self.agent, self.run, self.session)) != 1:
            raise ValueError("of agent, run and session it must name one")
        return self

    @property
    def key(self) -> object:
        """The identifier."""
        return self.outcome_id


class ListPrice(Record):
    """Prices of a model from a UTC day on; provider and availability are for who reads the file."""

    conflict = "line {place} is a price of the same model from the same day"

    provider: Name
    model: Model
    input_usd_per_million_tokens: Price
    output_usd_per_million_tokens: Price
    availability: Name
    valid_from: DayOf

    @property
    def key(self) -> object:
        """The model and its day."""
        return self.model, self.valid_from


OWNERS = CsvFile(
    file="finance/owners.csv",
    kind=OwnerRule,
    required=(("workspace",), ("agent",), ("owner", "cost_center")),
    otherwise="no agent has an owner",
)
BUDGETS = CsvFile(
    file="finance/budgets.csv",
    kind=Budget,
    required=(("scope",), ("name",), ("month",), ("amount_usd",)),
    otherwise="there is no budget",
)
INVOICES = CsvFile(
    file="finance/invoices.csv",
    kind=Invoice,
    required=(("invoice_id",), ("workspace",), ("month",), ("issued_on",), ("amount_usd",)),
    otherwise="no invoice is known",
)
OUTCOMES = CsvFile(
    file="finance/outcomes.csv",
    kind=Outcome,
    required=(
        ("outcome_id",), ("date",), ("workspace",), ("agent", "run", "session"), ("outcome",),
    ),
    otherwise="no outcome is known",
)  # fmt: skip
LIST_PRICES = CsvFile(
    file="finance/list_prices.csv",
    kind=ListPrice,
    required=tuple((name,) for name in ListPrice.model_fields if name not in _FOR_READERS),
    otherwise="list prices are those of the catalogue",
)
CATALOGUE = replace(LIST_PRICES, file="list_prices.csv")
"""The vendor's list prices, which come with this release, in `queries/`."""
