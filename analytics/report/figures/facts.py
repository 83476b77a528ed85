"""What the pages are made of: the figures of agents and workspaces, as read from the marts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from analytics.report.figures.periods import Calendar, Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from analytics.report.figures.splits import Split
    from analytics.report.marts.rows import (
        AgentRow,
        PlatformMonth,
        ProviderMonth,
        Quarantined,
        Run,
        RunCosts,
        WorkspaceRow,
    )
    from analytics.report.marts.run_reads import Columns

FEWEST_CHART_DAYS = 14


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of a set of runs. A figure is None where runs exist but none is known.

    Hidden runs, which the API counts but does not list, are counted beside them, with their cost.
    """

    run_count: int = 0
    succeeded_count: int = 0
    failed_count: int = 0
    cancelled_count: int = 0
    open_count: int = 0
    unknown_cost_count: int = 0
    no_usage_count: int = 0
    cost_usd: Decimal | None = Decimal(0)
    failed_cost_usd: Decimal | None = Decimal(0)
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    missing_run_count: int = 0
    unknown_gap_count: int = 0
    gap_cost_usd: Decimal | None = Decimal(0)

    @property
    def finished_count(self) -> int:
        """The runs that a failure rate is a share of."""
        return self.succeeded_count + self.failed_count

    def values(self) -> dict[str, Decimal | int | None]:
        """Each measure by its name, and those that follow from them.

        Where all runs are hidden, what is known of listed runs alone is unknown, and not zero.
        """
        values = {name: getattr(self, name) for name in MEASURE_COLUMNS}
        values["finished_count"] = self.finished_count
        if self.missing_run_count and not self.run_count:
            values |= dict.fromkeys(OF_LISTED_RUNS)
        return values | {
            "all_run_count": self.all_run_count,
            "complete_cost_usd": self.complete_cost_usd,
        }

    @property
    def all_run_count(self) -> int:
        """The runs of any status, hidden ones included."""
        return self.run_count + self.missing_run_count

    @property
    def listed_cost_usd(self) -> Decimal | None:
        """The cost of listed runs; None where none of it is known, or all runs are hidden."""
        return self.cost_usd if self.run_count or not self.missing_run_count else None

    @property
    def complete_cost_usd(self) -> Decimal | None:
        """The cost of listed and hidden runs, as far as it is known; None if nothing of it is."""
        hidden = self.gap_cost_usd if self.missing_run_count else None
        listed = self.listed_cost_usd
        if listed is None or hidden is None:
            return hidden if listed is None else listed
        return listed + hidden

    @property
    def cost_per_success(self) -> Decimal | None:
        """All cost divided by the runs that succeeded; None if none did."""
        if self.cost_usd is None or not self.succeeded_count:
            return None
        return self.cost_usd / self.succeeded_count


MEASURE_COLUMNS = tuple(each.name for each in fields(Measures))
GAP_COLUMNS = ("missing_run_count", "unknown_gap_count", "gap_cost_usd")
LISTED_COLUMNS = tuple(name for name in MEASURE_COLUMNS if name not in GAP_COLUMNS)
OF_LISTED_RUNS = (*(name for name in LISTED_COLUMNS if name != "run_count"), "finished_count")
NO_RUNS = Measures()
_listed, _hidden = attrgetter(*LISTED_COLUMNS), attrgetter(*GAP_COLUMNS)


def total(parts: Iterable[Measures]) -> Measures:
    """The measures of all the parts together; what is unknown is left out, and stays counted.

    A part that has no run of a kind says nothing of what runs of that kind cost.
    """
    parts = list(parts)
    listed = [_listed(part) for part in parts if part.run_count]
    hidden = [_hidden(part) for part in parts if part.missing_run_count]
    failed = [part.failed_cost_usd for part in parts if part.failed_count]
    sums: dict[str, Any] = {}
    if listed:
        sums |= zip(LISTED_COLUMNS, map(_known_total, zip(*listed, strict=True)), strict=True)
    if hidden:
        sums |= zip(GAP_COLUMNS, map(_known_total, zip(*hidden, strict=True)), strict=True)
    if failed:
        sums["failed_cost_usd"] = _known_total(failed)
    return Measures(**sums)


def known_sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of the amounts that are known; None if none of them is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _known_total(values: Iterable[Decimal | int | None]) -> Decimal | int | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None


class DayState(Enum):
    """How much of a day's runs was read, and whether what was not is known."""

    COMPLETE = "complete"
    SO_FAR = "so far"
    HIDDEN = "some runs hidden"
    INCOMPLETE = "incomplete"
    NO_DATA = "no data"

    __hash__ = object.__hash__  # that of `Enum` is Python, and asked for each day of each agent


@dataclass(frozen=True)
class Coverage:
    """Which days were read: from the first with data to the cut-off, less the incomplete ones.

    The first is that from which on the API's meters were read, so that what the run lists lack is
    known; where they never were, that of the first run. An agent that rests has had no run since
    `resting_since`; its `today` does not move on.
    """

    first_day: date | None
    cut_off: datetime
    today: date
    incomplete_days: frozenset[date] = frozenset()
    resting_since: date | None = None

    @property
    def calendar(self) -> Calendar:
        """The periods that end at this cut-off."""
        return Calendar(self.today)

    @property
    def chart_period(self) -> Period:
        """The days to draw: never more than the calendar's, never so few that columns swell."""
        fewest = self.today - timedelta(days=FEWEST_CHART_DAYS - 1)
        first = min(self.first_day or fewest, fewest)
        return Period(max(first, self.calendar.chart.first), self.today)

    def seen_on(self, today: date) -> Coverage:
        """The same as it stands on a later day: from its cut-off on, not all was read."""
        if self.today >= today:
            return self
        unread = Period(self.today, today).days()
        return replace(self, today=today, incomplete_days=self.incomplete_days.union(unread))

    def has(self, day: date) -> bool:
        """Whether a day is one of those."""
        return self.first_day is not None and self.first_day <= day <= self.today


@dataclass(frozen=True)
class Subject:
    """An agent, a workspace, or all of them: its measures by day and by month."""

    coverage: Coverage
    days: Mapping[date, Measures]
    months: Mapping[date, Measures]
    first_day: date | None

    def seen_on(self, today: date) -> Subject:
        """The same as it stands on a later day, in that day's periods."""
        return replace(self, coverage=self.coverage.seen_on(today))

    def state(self, day: date) -> DayState:
        """How much of a day was read; one with runs before the first day counted is no whole."""
        known = self.days.get(day, NO_RUNS)
        if not self.coverage.has(day):
            return DayState.INCOMPLETE if known.all_run_count else DayState.NO_DATA
        if day == self.coverage.today and self.coverage.resting_since is None:
            return DayState.SO_FAR
        if day in self.coverage.incomplete_days or known.unknown_gap_count:
            return DayState.INCOMPLETE
        return DayState.HIDDEN if known.missing_run_count else DayState.COMPLETE

    def misses(self, period: Period) -> bool:
        """Whether runs of the period may be missing of which not even the cost is known."""
        return (
            any(day in period for day in self.coverage.incomplete_days)
            or self.over(period).unknown_gap_count > 0
        )

    def covers(self, period: Period) -> bool:
        """Whether the cost of every run of the period was read, up to the cut-off."""
        first_day = self.coverage.first_day
        return first_day is not None and first_day <= period.first and not self.misses(period)

    def has_read(self, period: Period) -> bool:
        """Whether any day of the period was read."""
        unread = self.coverage.incomplete_days
        return any(self.coverage.has(day) and day not in unread for day in period.days())

    @cached_property
    def hides_runs(self) -> bool:
        """Whether the API hides any of its runs, so that pages show them apart."""
        return any(each.missing_run_count for each in self.days.values())

    def over(self, period: Period) -> Measures:
        """The measures of a period."""
        return total(self.days[day] for day in period.days() if day in self.days)

    def month(self, period: Period) -> Measures:
        """The measures of the month in which a period begins."""
        return self.months.get(period.first.replace(day=1), NO_RUNS)

    def on(self, day: date) -> Measures | None:
        """The measures of a day; None if the day was not read and holds no run."""
        known = self.days.get(day)
        if known is None and self.state(day) in {DayState.COMPLETE, DayState.SO_FAR}:
            return NO_RUNS
        return known

    def whole(self, day: date) -> Measures | None:
        """The measures of a day of which all that the API shows was read; None of any other."""
        is_whole = self.state(day) in {DayState.COMPLETE, DayState.HIDDEN}
        return self.on(day) if is_whole else None

    @cached_property
    def recent(self) -> Measures:
        """The measures of the 30 days before today."""
        return self.over(self.coverage.calendar.recent)


@dataclass(frozen=True)
class Agent:
    """An agent with the figures that lists show; the one without an id has the runs of none."""

    row: AgentRow
    name: str
    path: str
    subject: Subject

    @property
    def data(self) -> str:
        """The name of its data file."""
        return PurePosixPath(self.path).stem


@dataclass(frozen=True)
class Sheet:
    """What a page shows beyond lists: its subject over its whole history, and its splits."""

    subject: Subject
    splits: Mapping[str, Split]


@dataclass(frozen=True)
class AgentSheet(Sheet):
    """What the page of an agent shows: its runs as well."""

    run_costs: RunCosts | None
    listed: list[Run]
    runs: Columns
    run_models: Columns
    events: Columns


@dataclass(frozen=True)
class Workspace:
    """A workspace with its figures and its agents, the most expensive first."""

    row: WorkspaceRow
    name: str
    path: str
    subject: Subject
    agents: list[Agent]
    billing: list[ProviderMonth]
    platform: list[PlatformMonth]
    quarantined: list[Quarantined]
    versions_of_weeks: list[tuple[Any, ...]]

    @property
    def data(self) -> str:
        """The name of its data file."""
        return PurePosixPath(self.path).stem
