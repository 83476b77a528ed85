"""What the pages are made of: the figures of agents and workspaces, as read from the marts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from analytics.format.days import Period
from analytics.report.figures.periods import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from analytics.report.figures.splits import Split
    from analytics.report.marts.rows import (
        AgentRow,
        ForecastRow,
        PlatformMonth,
        ProviderMonth,
        Quarantined,
        Run,
        RunCosts,
        UnusualDay,
        WorkspaceRow,
    )
    from analytics.report.marts.run_reads import Columns

FEWEST_CHART_DAYS = 14
_MOST_UNKNOWN = 5  # of a period that is compared, no more than one run in so many
V = TypeVar("V", Decimal, int)


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of a set of runs, listed and unlisted; None where runs exist but none is known.

    The cost and the tokens of a workspace include the platform's own.
    """

    run_count: int = 0
    succeeded_count: int = 0
    failed_count: int = 0
    cancelled_count: int = 0
    open_count: int = 0
    listed_run_count: int = 0
    unlisted_failed_count: int = 0
    unknown_cost_count: int = 0
    no_usage_count: int = 0
    cost_usd: Decimal | None = Decimal(0)
    platform_cost_usd: Decimal | None = Decimal(0)
    failed_cost_usd: Decimal | None = Decimal(0)
    failed_cost_high_usd: Decimal | None = Decimal(0)
    tokens_in: int | None = 0
    tokens_out: int | None = 0

    @property
    def finished_count(self) -> int:
        """The runs that a failure rate is a share of."""
        return self.succeeded_count + self.failed_count

    @property
    def unlisted_run_count(self) -> int:
        """The runs without run detail."""
        return self.run_count - self.listed_run_count

    @property
    def run_cost_usd(self) -> Decimal | None:
        """The cost without the platform's own; None where no run's cost is known."""
        if self.cost_usd is None or self.unknown_cost_count >= self.run_count > 0:
            return None
        return self.cost_usd - (self.platform_cost_usd or 0)

    def values(self) -> dict[str, Decimal | int | None]:
        """Each measure by its name, and those that follow from them."""
        return {
            **{name: getattr(self, name) for name in MEASURE_COLUMNS},
            "finished_count": self.finished_count,
            "unlisted_run_count": self.unlisted_run_count,
            "run_cost_usd": self.run_cost_usd,
        }

    @property
    def cost_per_success(self) -> Decimal | None:
        """The cost of all runs divided by the runs that succeeded; None if none did."""
        if self.run_cost_usd is None or not self.succeeded_count:
            return None
        return self.run_cost_usd / self.succeeded_count


MEASURE_COLUMNS = tuple(each.name for each in fields(Measures))
NO_RUNS = Measures()
_measures = attrgetter(*MEASURE_COLUMNS)


def total(parts: Iterable[Measures]) -> Measures:
    """The measures of all the parts together; what is unknown is left out, and stays counted.

    A part without runs and without cost of the platform says nothing of what either costs.
    """
    parts = [part for part in parts if part.run_count or part.platform_cost_usd != 0]
    if not parts:
        return NO_RUNS
    rows = zip(*map(_measures, parts), strict=True)
    sums: dict[str, Any] = dict(zip(MEASURE_COLUMNS, map(_known_total, rows), strict=True))
    sums["failed_cost_usd"], sums["failed_cost_high_usd"] = failed_cost((
        (part.failed_count, part.unlisted_failed_count,
         part.failed_cost_usd, part.failed_cost_high_usd)
        for part in parts
    ), Decimal(0))  # fmt: skip
    return Measures(**sums)


def failed_cost(
    parts: Iterable[tuple[int, int, V | None, V | None]], zero: V
) -> tuple[V | None, V | None]:
    """The least and the most that the failed runs of all parts cost; None where unknown.

    A part gives its failed runs, those of them that are unlisted, and its own two bounds: the
    lower one says nothing where no listed run failed.
    """
    parts = [part for part in parts if part[0]]
    listed = [low for failed, unlisted, low, _ in parts if failed > unlisted]
    low: V | None = _known_total(listed) if listed else zero
    high = low
    for _, unlisted, least, most in parts:
        if unlisted and high is not None:
            high = None if most is None else high + most - (least or zero)
    return low, high


def known_sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of the amounts that are known; None if none of them is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _known_total(values: Iterable[V | None]) -> V | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None


class DayState(Enum):
    """How much of a day was read."""

    COMPLETE = "complete"
    SO_FAR = "so far"
    INCOMPLETE = "incomplete"
    NO_DATA = "no data"

    __hash__ = object.__hash__  # that of `Enum` is Python, and asked for each day of each agent


@dataclass(frozen=True)
class Coverage:
    """Which days were read: from the first that is complete to the cut-off.

    Incomplete are those between of which part was not read, or was not over in UTC. An agent that
    rests has had no run since `resting_since`; its `today` does not move on.
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
    forecast: ForecastRow | None = None
    unusual: Sequence[UnusualDay] = ()

    def seen_on(self, today: date) -> Subject:
        """The same as it stands on a later day, in that day's periods."""
        return replace(self, coverage=self.coverage.seen_on(today))

    def state(self, day: date) -> DayState:
        """How much of a day was read; one with runs before the first complete one is none."""
        if not self.coverage.has(day):
            return DayState.INCOMPLETE if day in self.days else DayState.NO_DATA
        if day == self.coverage.today and self.coverage.resting_since is None:
            return DayState.SO_FAR
        is_incomplete = day in self.coverage.incomplete_days
        return DayState.INCOMPLETE if is_incomplete else DayState.COMPLETE

    def misses(self, period: Period) -> bool:
        """Whether a day of the period is incomplete."""
        return any(day in period for day in self.coverage.incomplete_days)

    def covers(self, period: Period) -> bool:
        """Whether the period was read whole, and the cost of nearly all its runs is known."""
        first_day = self.coverage.first_day
        if first_day is None or first_day > period.first or self.misses(period):
            return False
        known = self.over(period)
        return _MOST_UNKNOWN * known.unknown_cost_count <= known.run_count

    def has_read(self, period: Period) -> bool:
        """Whether any day of the period was read."""
        unread = self.coverage.incomplete_days
        return any(self.coverage.has(day) and day not in unread for day in period.days())

    @cached_property
    def has_all_details(self) -> bool:
        """Whether every charted run is listed, so that figures of single runs are of all."""
        return not self.over(self.coverage.chart_period).unlisted_run_count

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
        """The measures of a complete day; None of any other."""
        return self.on(day) if self.state(day) is DayState.COMPLETE else None

    @cached_property
    def recent(self) -> Measures:
        """The measures of the 30 days before today."""
        return self.over(self.coverage.calendar.recent)


@dataclass(frozen=True)
class Agent:
    """A line of a workspace with its figures: an agent, the runs of none, or the platform.

    The platform has no page, and so no path.
    """

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
    """A workspace with its figures, and its agents, the most expensive first.

    `lines` are the agents and the platform: they add up to the workspace.
    """

    row: WorkspaceRow
    name: str
    path: str
    subject: Subject
    lines: list[Agent]
    billing: list[ProviderMonth]
    platform: list[PlatformMonth]
    quarantined: list[Quarantined]
    versions_of_weeks: list[tuple[Any, ...]]

    @property
    def agents(self) -> list[Agent]:
        """The lines that have a page."""
        return [each for each in self.lines if each.path]

    @property
    def data(self) -> str:
        """The name of its data file."""
        return PurePosixPath(self.path).stem
