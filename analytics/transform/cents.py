"""Journal lines in whole cents, for systems that take two decimals.

Within an entry the parts of a cent go to the lines with the largest remainders, so that it still
balances. A reversal is the exact opposite of the entry that it takes back, cents included. What
rounding leaves at an account and cost center is carried forward, in each workspace by itself; as
soon as it is a cent or more, the month books it as a line of its own. So each account and cost
center of a workspace differs from the exact amount by less than a cent at the end of every month,
and all together by nothing. A closed month keeps the cents that its close froze.
"""

from __future__ import annotations

import calendar
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_DOWN, ROUND_FLOOR, Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias

import polars as pl

from analytics.transform.models import Header, polars_model

CENT = Decimal("0.01")
CARRIED = "carried"

_ENTRY_FIELDS = 10
_Place: TypeAlias = tuple[str, str]
"""An account and a cost center, whatever the roles of the lines there."""

_MONEY = pl.Decimal(38, 10)
_COLUMNS = {
    "booked_month": pl.Date(),
    "entry_id": pl.String(),
    "revision": pl.Int32(),
    "is_booked": pl.Boolean(),
    "workspace_id": pl.String(),
    "line_number": pl.Int32(),
    "entry_date": pl.Date(),
    "kind": pl.String(),
    "narration": pl.String(),
    "reverses_entry_id": pl.String(),
    "role": pl.String(),
    "account": pl.String(),
    "cost_center": pl.String(),
    "usage_month": pl.Date(),
    "amount_usd": _MONEY,
    "booked_usd": _MONEY,
    "memo": pl.String(),
}


@dataclass(frozen=True)
class Line:
    """A line of an entry: its account, and its amount in US dollars, negative for a credit.

    `booked` is the amount in whole cents; None until `in_cents` has calculated it.
    """

    role: str
    account: str
    cost_center: str
    usage_month: date
    amount: Decimal
    booked: Decimal | None
    memo: str


@dataclass(frozen=True)
class Entry:
    """An entry of a workspace, whose lines add up to zero.

    `entry_id` is the same in every export of a revision of the month, and in no other revision.
    """

    month: date
    entry_id: str
    revision: int
    is_booked: bool
    workspace_id: str
    workspace_name: str
    entry_date: date
    kind: str
    narration: str
    reverses_entry_id: str | None
    lines: Sequence[Line]


def entries_of(rows: Iterable[Sequence[Any]]) -> list[Entry]:
    """Return the entries of rows, which have the fields of `Entry` but `lines`, and of `Line`."""
    entries = []
    for _, group in groupby(rows, key=lambda row: row[:2]):
        lines = [*group]
        of_lines = [Line(*line[_ENTRY_FIELDS:]) for line in lines]
        entries.append(Entry(*(*lines[0][:_ENTRY_FIELDS], of_lines)))
    return entries


def booked_lines(journal: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of all months in whole cents. Without a closed month, each stands alone."""
    entries = entries_of(journal.iter_rows())
    lives = [entries]
    if not any(entry.is_booked for entry in entries):
        lives = [list(group) for _, group in groupby(entries, key=attrgetter("month"))]
    rows = [
        (
            entry.month,
            entry.entry_id,
            entry.revision,
            entry.is_booked,
            entry.workspace_id,
            number,
            entry.entry_date,
            entry.kind,
            entry.narration,
            entry.reverses_entry_id,
            line.role,
            line.account,
            line.cost_center,
            line.usage_month,
            line.amount,
            line.booked,
            line.memo,
        )
        for life in lives
        for entry in in_cents(life)
        for number, line in enumerate(entry.lines, start=1)
    ]
    return pl.DataFrame(rows, _COLUMNS, orient="row")


def rounded(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Return amounts in whole cents, each less than a cent away, that add up to the same sum.

    The sum of the amounts must be in whole cents itself. Of equal remainders, the first is raised.
    """
    floors = [amount.quantize(CENT, ROUND_FLOOR) for amount in amounts]
    remainders = [amount - floor for amount, floor in zip(amounts, floors, strict=True)]
    left = int(sum(remainders) / CENT)
    raised = sorted(range(len(amounts)), key=lambda place: -remainders[place])[:left]
    return [floor + CENT if place in raised else floor for place, floor in enumerate(floors)]


def in_cents(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries of months with whole cents, and after each month what it carries.

    Entries begin with the first month of the books, and come in the order of months. Lines that
    have cents keep them.
    """
    carried: defaultdict[str, defaultdict[_Place, Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    roles: defaultdict[str, dict[_Place, str]] = defaultdict(dict)
    this_month: dict[str, Sequence[Decimal]] = {}
    for _, group in groupby(entries, key=lambda entry: entry.month):
        last_month, this_month = this_month, {}
        workspaces: dict[str, Entry] = {}
        for entry in group:
            cents = _cents(entry, last_month.get(entry.reverses_entry_id or ""))
            this_month[entry.entry_id] = cents
            for line, amount in zip(entry.lines, cents, strict=True):
                place = (line.account, line.cost_center)
                roles[entry.workspace_id].setdefault(place, line.role)
                carried[entry.workspace_id][place] += line.amount - amount
            workspaces[entry.workspace_id] = entry
            yield _booked(entry, cents)
        for workspace_id, entry in sorted(workspaces.items()):
            yield from _carry(entry, carried[workspace_id], roles[workspace_id])


def _cents(entry: Entry, taken_back: Sequence[Decimal] | None) -> Sequence[Decimal]:
    """Return the cents of an entry's lines; `taken_back` are those of the reversed entry."""
    known = [line.booked for line in entry.lines if line.booked is not None]
    if len(known) == len(entry.lines):
        return known
    if taken_back:
        return [-amount for amount in taken_back]
    return rounded([line.amount for line in entry.lines])


def _carry(
    of: Entry, carried: defaultdict[_Place, Decimal], roles: Mapping[_Place, str]
) -> Iterator[Entry]:
    """Yield the entry of the whole cents that are carried, if there are any; keep the rest.

    It is of the month, revision and workspace of another entry.
    """
    places = sorted(carried)
    cents = _whole([carried[place] for place in places])
    lines = []
    for place, booked in zip(places, cents, strict=True):
        if booked:
            carried[place] -= booked
            memo = f"Carried forward: {carried[place]:f}"
            lines.append(Line(roles[place], *place, of.month, Decimal(), booked, memo))
    if not lines:
        return
    last_day = calendar.monthrange(of.month.year, of.month.month)[1]
    workspace = hashlib.md5(of.workspace_id.encode(), usedforsecurity=False).hexdigest()[:8]
    revision = f"-r{of.revision}" if of.revision > 1 else ""
    yield replace(
        of,
        entry_id=f"levain-{of.month:%Y-%m}-{CARRIED}-{workspace}{revision}",
        entry_date=of.month.replace(day=last_day),
        kind=CARRIED,
        narration=f"Cents that rounding left, {of.workspace_name}",
        reverses_entry_id=None,
        lines=lines,
    )


def _whole(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Return the whole cents of amounts that add up to zero, so that they do, too.

    Nothing is taken of amounts below a cent, but where it is needed for the balance.
    """
    whole = [amount.quantize(CENT, ROUND_DOWN) for amount in amounts]
    missing = -sum(whole, Decimal())
    step = CENT.copy_sign(missing)
    rests = [(amount - part) * step for amount, part in zip(amounts, whole, strict=True)]
    largest = sorted(range(len(amounts)), key=lambda place: -rests[place])
    for place in largest[: int(abs(missing) / CENT)]:
        whole[place] += step
    return whole


def _booked(entry: Entry, cents: Sequence[Decimal]) -> Entry:
    lines = [replace(line, booked=booked) for line, booked in zip(entry.lines, cents, strict=True)]
    return replace(entry, lines=lines)


MODEL = polars_model(
    "intermediate.int_booked_lines",
    booked_lines,
    Header(
        "Journal lines with every digit and in whole cents, and lines for the cents that rounding"
        " left. Grain: booked month, entry and line.",
        key=("booked_month", "entry_id", "line_number"),
    ),
)
