"""Entries in whole cents, for systems that take two decimals.

Within an entry the parts of a cent go to the lines with the largest remainders, so that it still
balances. A reversal is the exact opposite of the entry that it takes back, cents included. What
rounding leaves at an account and cost center is carried forward, in each workspace by itself; as
soon as it is a cent or more, the month books it as a line of its own. So each account and cost
center of a workspace differs from the exact amount by less than a cent at the end of every month,
and all together by nothing.
"""

from __future__ import annotations

import calendar
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_FLOOR, Decimal
from itertools import groupby
from typing import TypeAlias

from analytics.export.entries import Entry, Line

CENT = Decimal("0.01")
CARRIED = "carried"

_Place: TypeAlias = tuple[str, str]
"""An account and a cost center, whatever the roles of the lines there."""


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
    """Yield the entries of months in whole cents, and after each month what it carries.

    Entries begin with the first month of the books, and come in the order of months. Lines of no
    cent are left out, and entries without any line.
    """
    carried: defaultdict[str, defaultdict[_Place, Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    roles: dict[_Place, str] = {}
    this_month: dict[str, Sequence[Decimal]] = {}
    for _, group in groupby(entries, key=lambda entry: entry.month):
        last_month, this_month = this_month, {}
        workspaces: dict[str, Entry] = {}
        for entry in group:
            exact = [line.amount for line in entry.lines]
            taken_back = last_month.get(entry.reverses_entry_id or "")
            cents = [-amount for amount in taken_back] if taken_back else rounded(exact)
            this_month[entry.entry_id] = cents
            for line, amount in zip(entry.lines, cents, strict=True):
                place = (line.account, line.cost_center)
                roles.setdefault(place, line.role)
                carried[entry.workspace_id][place] += line.amount - amount
            workspaces[entry.workspace_id] = entry
            yield from _with_amounts(entry, cents)
        for workspace_id, entry in sorted(workspaces.items()):
            yield from _carry(entry, carried[workspace_id], roles)


def _carry(
    of: Entry, carried: defaultdict[_Place, Decimal], roles: Mapping[_Place, str]
) -> Iterator[Entry]:
    """Yield the entry of the whole cents that are carried, if there are any; keep the rest.

    It is of the month, revision and workspace of another entry.
    """
    places = sorted(carried)
    cents = _whole([carried[place] for place in places])
    lines = []
    for place, amount in zip(places, cents, strict=True):
        carried[place] -= amount
        memo = f"Carried forward: {carried[place]:f}"
        lines.append(Line(roles[place], *place, usage_month=of.month, amount=amount, memo=memo))
    last_day = calendar.monthrange(of.month.year, of.month.month)[1]
    workspace = hashlib.md5(of.workspace_id.encode(), usedforsecurity=False).hexdigest()[:8]
    revision = f"-r{of.revision}" if of.revision > 1 else ""
    entry = replace(
        of,
        entry_id=f"levain-{of.month:%Y-%m}-{CARRIED}-{workspace}{revision}",
        entry_date=of.month.replace(day=last_day),
        kind=CARRIED,
        narration=f"Cents that rounding left, {of.workspace_name}",
        reverses_entry_id=None,
        lines=lines,
    )
    yield from _with_amounts(entry, cents)


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


def _with_amounts(entry: Entry, amounts: Sequence[Decimal]) -> Iterator[Entry]:
    lines = [
        replace(line, amount=amount)
        for line, amount in zip(entry.lines, amounts, strict=True)
        if amount
    ]
    if lines:
        yield replace(entry, lines=lines)
