"""Expected marts, computed from the emulator's own state, in Decimal and independently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from analytics.emulator.ledger import Totals
from analytics.emulator.records import Run
from tests.batches import LIST_CAP, Published, Row
from tests.properties.story import Life

ZERO = Decimal(0)


class State(NamedTuple):
    """The state of a run in the API at an instant."""

    agent_id: str | None
    status: str
    cost_usd: Decimal
    tokens_in: int
    tokens_out: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def state_of(run: Run) -> State:
    totals = Totals(run.workspace.ledger.of_run(run.id))
    return State(
        run.agent.id if run.agent else None,
        run.status,
        totals.cost_usd,
        totals.tokens_in,
        totals.tokens_out,
        run.created_at,
        run.started_at,
        run.finished_at,
    )


def stored_state(row: Row) -> State:
    return State(*(row[name] for name in State._fields))


class Knowledge:
    """The runs visible to the batches, and their possible states."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._listed: set[str] = set()
        self._must_hold: set[str] = set()
        self._last_whole: datetime | None = None
        self._states: defaultdict[str, set[State]] = defaultdict(set)

    def attempt(self, *, is_whole: bool) -> None:
        """Record that a batch begins now; a killed one may have read all, or nothing."""
        workspace = self._life.workspace
        for run in self._life.all_runs.values():
            if run.id in workspace.runs:
                self._states[run.id].add(state_of(run))
        lists = [run_list.newest(LIST_CAP) for run_list in workspace.runs_by_agent.values()]
        newest = workspace.agent_runs.newest(LIST_CAP)
        self._listed |= {run.id for runs in [newest, *lists] for run in runs}
        if is_whole:
            self._must_hold |= {run.id for run in newest}
            self._must_hold |= {
                run.id
                for runs in lists
                for run in runs
                if self._last_whole is None or run.created_at > self._last_whole
            }
            self._last_whole = self._life.world.now

    def check_runs(self, rows: list[Row]) -> None:
        """Assert that exactly the runs that were read are stored, each in a possible state."""
        held = {row["run_id"]: row for row in rows}
        assert self._must_hold <= held.keys(), "a listed run is missing"
        assert held.keys() <= self._listed, "a run is held that no list has shown"
        self._must_hold |= held.keys()
        for run_id, row in held.items():
            run = self._life.all_runs[run_id]
            if run_id in self._life.workspace.runs:
                assert stored_state(row) == state_of(run), f"stale: {row}"
                self._states[run_id] = {state_of(run)}
            else:
                assert stored_state(row) in self._states[run_id]
            assert row["is_terminal"] == (row["status"] in ("succeeded", "failed", "cancelled"))


class Oracle:
    """The expected figures of a batch, from the stored runs' states and the emulator's ledger."""

    def __init__(self, life: Life, rows: list[Row], timezone: str) -> None:
        self._life = life
        self._today = life.world.now.date()
        self._zone = ZoneInfo(timezone)
        self.held = rows

    def agent_days(self) -> dict[tuple[str | None, date], tuple[Any, ...]]:
        """Return count, failed, open, cost and tokens by agent and reporting day."""
        return _summed(
            ((row["agent_id"], row["created_at"].astimezone(self._zone).date()), row)
            for row in self.held
        )

    def workspace_months(self) -> dict[date, tuple[Any, ...]]:
        return _summed(
            (row["created_at"].astimezone(self._zone).date().replace(day=1), row)
            for row in self.held
        )

    def gaps(self) -> dict[tuple[str, date], tuple[int, Decimal]]:
        """Return the unlisted runs of ended days: their number, and the API's total less ours."""
        gaps = {}
        for key, (true_count, true_cost) in self._true_days().items():
            held = self._held_days().get(key, (0, ZERO))
            if key[0] is not None and key[1] < self._today and true_count > held[0]:
                gaps[key] = (true_count - held[0], true_cost - held[1])
        return gaps

    def unexplained(self) -> dict[tuple[str | None, date], Decimal]:
        """Return the cost that no listed, unlisted or platform run explains.

        It comes from runs that changed after they were removed, and from unlisted runs without an
        agent.
        """
        gaps, held, true = self.gaps(), self._held_days(), self._true_days()
        found = {
            key: true.get(key, (0, ZERO))[1] - held.get(key, (0, ZERO))[1]
            for key in held.keys() | true.keys()
            if key not in gaps
        }
        return {key: amount for key, amount in found.items() if amount}

    def metered(self) -> dict[date, Decimal]:
        """Return cost by UTC day of the request."""
        days: defaultdict[date, Decimal] = defaultdict(Decimal)
        for entry in self._life.workspace.ledger:
            days[entry.booked_at.date()] += entry.cost_usd
        return days

    def platform(self) -> dict[date, Decimal]:
        days: defaultdict[date, Decimal] = defaultdict(Decimal)
        for run in self._life.workspace.platform_runs:
            days[run.created_at.date()] += state_of(run).cost_usd
        return days

    def billed(self) -> dict[tuple[date, str | None], tuple[Decimal, Decimal]]:
        """Return cost and bill by UTC day and agent."""
        days: defaultdict[tuple[date, str | None], Totals] = defaultdict(Totals)
        for entry in self._life.workspace.ledger:
            agent_id = entry.run.agent.id if entry.run.agent else None
            days[entry.booked_at.date(), agent_id].add(entry)
        return {key: (totals.cost_usd, totals.billed_usd) for key, totals in days.items()}

    def _true_days(self) -> dict[tuple[str | None, date], tuple[int, Decimal]]:
        """Return count and cost of all runs by agent and UTC day of creation."""
        return _counted(
            ((run.agent.id if run.agent else None, run.created_at.date()), state_of(run).cost_usd)
            for run in self._life.all_runs.values()
        )

    def _held_days(self) -> dict[tuple[str | None, date], tuple[int, Decimal]]:
        return _counted(
            ((row["agent_id"], row["created_at"].astimezone(UTC).date()), row["cost_usd"])
            for row in self.held
        )


def adjusted(before: Published, after: Published) -> dict[Any, tuple[Any, ...]]:
    """Return previous and current cost and count by agent and day, if they differ."""

    def days(published: Published) -> dict[Any, tuple[Decimal, int]]:
        return {
            (row["agent_id"], row["date"]): (row["cost_usd"], row["run_count"])
            for row in published["fct_agent_days"]
        }

    was, now = days(before), days(after)
    nothing = (ZERO, 0)
    return {
        key: (*was.get(key, nothing), *now.get(key, nothing))
        for key in was.keys() | now.keys()
        if was.get(key, nothing) != now.get(key, nothing)
    }


def _summed(rows: Iterable[tuple[Any, Row]]) -> dict[Any, tuple[Any, ...]]:
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for key, row in rows:
        groups[key].append(row)
    return {
        key: (
            len(group),
            sum(row["status"] == "failed" for row in group),
            sum(not row["is_terminal"] for row in group),
            sum((row["cost_usd"] for row in group), ZERO),
            sum((row["cost_usd"] for row in group if row["status"] == "failed"), ZERO),
            sum(row["tokens_in"] for row in group),
            sum(row["tokens_out"] for row in group),
        )
        for key, group in groups.items()
    }


def _counted(amounts: Iterable[tuple[Any, Decimal]]) -> dict[Any, tuple[int, Decimal]]:
    groups: defaultdict[Any, list[Decimal]] = defaultdict(list)
    for key, amount in amounts:
        groups[key].append(amount)
    return {key: (len(group), sum(group, ZERO)) for key, group in groups.items()}
