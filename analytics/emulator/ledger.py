"""The ledger of metered model requests: the only source of every cost and token figure."""

from __future__ import annotations

from collections import defaultdict
from decimal import Context, Decimal, Inexact
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from analytics.emulator.records import Run

WIDE = Context(prec=100)
EXACT = Context(prec=100, traps=[Inexact])  # sums keep every digit, or raise
ZERO = Decimal(0)


class Entry(NamedTuple):
    """One metered request, or a late correction: booked at its time, never changed after."""

    booked_at: datetime
    run: Run
    model: str
    provider: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    billed_usd: Decimal
    is_error: bool = False


class Totals:
    """The exact sums of some entries."""

    __slots__ = (
        "billed_usd",
        "cost_usd",
        "error_count",
        "request_count",
        "tokens_in",
        "tokens_out",
    )

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.cost_usd = self.billed_usd = ZERO
        self.tokens_in = self.tokens_out = self.request_count = self.error_count = 0
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Add an entry."""
        self.cost_usd = EXACT.add(self.cost_usd, entry.cost_usd)
        self.billed_usd = EXACT.add(self.billed_usd, entry.billed_usd)
        self.tokens_in += entry.tokens_in
        self.tokens_out += entry.tokens_out
        self.request_count += 1
        self.error_count += entry.is_error


class Ledger:
    """All entries of a workspace, indexed by run and by hour."""

    def __init__(self) -> None:
        self._by_run: dict[str, list[Entry]] = {}
        self._by_hour: defaultdict[datetime, list[Entry]] = defaultdict(list)

    def book(self, entry: Entry) -> None:
        """Add an entry; entries are never removed."""
        self._by_run.setdefault(entry.run.id, []).append(entry)
        self._by_hour[hour_of(entry.booked_at)].append(entry)

    def __iter__(self) -> Iterator[Entry]:
        for entries in self._by_run.values():
            yield from entries

    def of_run(self, run_id: str) -> list[Entry]:
        """Return a run's entries in the order of booking."""
        return self._by_run.get(run_id, [])

    def between(self, start: datetime, end: datetime) -> Iterator[Entry]:
        """Yield the entries booked in [start, end), hour by hour."""
        first = hour_of(start)
        for hour in sorted(hour for hour in self._by_hour if first <= hour < end):
            for entry in self._by_hour[hour]:
                if start <= entry.booked_at < end:
                    yield entry


def hour_of(moment: datetime) -> datetime:
    """Return the start of the moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)
