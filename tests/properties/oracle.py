"""Expected marts, computed from the emulator's own state, in Decimal and independently."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from analytics.emulator.records import Run, Totals
from tests.batches import LIST_CAP, Row
from tests.properties.story import Life

ZERO = Decimal(0)


class State(NamedTuple):
    """The state of a run in the API at an instant."""

    agent_id: str
    status: str
    cost_usd: Decimal
    tokens_in: int
    tokens_out: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def state_of(run: Run) -> State:
    totals = Totals.of(run.workspace.ledger.of_run(run.id))
    return State(
        run.agent.id if run.agent else "(none)",
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


STATUSES = ("succeeded", "failed", "cancelled")
OPEN = "open"


class Oracle:
    """The figures of a batch, from the listed runs' states and the emulator's ledger."""

    def __init__(self, life: Life, rows: list[Row], timezone: str) -> None:
        self._life = life
        self._today = life.world.now.date()
        self._zone = ZoneInfo(timezone)
        self.listed = rows

    def agent_days(self) -> dict[tuple[str, date], dict[str, Any]]:
        """By line and date, the figures of all runs; unlisted runs stand under their UTC date."""
        days: defaultdict[tuple[str, date], Counter[str]] = defaultdict(Counter)
        for row in self.listed:
            day = days[row["agent_id"], row["created_at"].astimezone(self._zone).date()]
            day += _figures(row["status"], row["cost_usd"], row["tokens_in"], row["tokens_out"])
            day["listed_run_count"] += 1
            day["listed_cost_usd"] += row["cost_usd"]
            day["failed_cost_usd"] += row["cost_usd"] if row["status"] == "failed" else 0
        for key, unlisted in self.unlisted().items():
            days[key] += unlisted
        for date_, (cost, tokens_in, tokens_out) in self.platform().items():
            day = days["(platform)", date_]
            day += Counter(cost_usd=cost, tokens_in=tokens_in, tokens_out=tokens_out)
        return {
            key: {**day, "failed_cost_high_usd": day["failed_cost_usd"] + day["may_have_failed"]}
            for key, day in days.items()
        }

    def unlisted(self) -> dict[tuple[str, date], Counter[str]]:
        """By agent and ended UTC day, the figures of runs that no list ever showed."""
        listed = _by_day(
            (row["agent_id"], row["created_at"].astimezone(UTC).date(), stored_state(row))
            for row in self.listed
        )
        found = {}
        for key, states in self._true_days().items():
            missing = len(states) - len(listed.get(key, []))
            if key[0] != "(none)" and key[1] < self._today and missing > 0:
                found[key] = _difference(states, listed.get(key, []))
        return found

    def stale_agents(self) -> set[str]:
        """Agents with a listed run that changed after the API no longer showed it."""
        return {
            row["agent_id"]
            for row in self.listed
            if stored_state(row) != state_of(self._life.all_runs[row["run_id"]])
        }

    def lost(self) -> dict[date, Decimal]:
        """By UTC day, the cost of runs without an agent that no list ever showed."""
        days: defaultdict[date, Decimal] = defaultdict(Decimal)
        listed = {row["run_id"] for row in self.listed}
        for run in self._life.all_runs.values():
            if run.agent is None and run.id not in listed:
                days[run.created_at.date()] += state_of(run).cost_usd
        return days

    def booked(self, *by: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        """By UTC day of the request, and line, model or provider: what the ledger sums."""
        groups: defaultdict[tuple[Any, ...], Totals] = defaultdict(Totals)
        for entry in self._life.workspace.ledger:
            line = entry.run.agent.id if entry.run.agent else "(platform)"
            of = {"agent_id": line, "model": entry.model, "provider": entry.provider}
            groups[entry.booked_at.date(), *(of[name] for name in by)].add(entry)
        return {
            key: {
                "metered_cost_usd": totals.cost_usd,
                "billed_usd": totals.billed_usd,
                "tokens_in": totals.tokens_in,
                "tokens_out": totals.tokens_out,
            }
            for key, totals in groups.items()
        }

    def platform(self) -> dict[date, tuple[Decimal, int, int]]:
        """Cost and tokens of the platform's runs by UTC day of creation."""
        days: dict[date, tuple[Decimal, int, int]] = {}
        for run in self._life.workspace.platform_runs:
            cost, tokens_in, tokens_out = days.get(run.created_at.date(), (ZERO, 0, 0))
            state = state_of(run)
            days[run.created_at.date()] = (
                cost + state.cost_usd, tokens_in + state.tokens_in, tokens_out + state.tokens_out
            )  # fmt: skip
        return days

    def _true_days(self) -> dict[tuple[str, date], list[State]]:
        return _by_day(
            (run.agent.id if run.agent else "(none)", run.created_at.date(), state_of(run))
            for run in self._life.all_runs.values()
        )


def _figures(status: str, cost: Decimal, tokens_in: int, tokens_out: int) -> Counter[str]:
    outcome = f"{status if status in STATUSES else OPEN}_count"
    return Counter(
        {"run_count": 1, outcome: 1}
        | {"cost_usd": cost, "tokens_in": tokens_in, "tokens_out": tokens_out}
    )


def _difference(true: list[State], listed: list[State]) -> Counter[str]:
    """Figures of all runs of a day beyond the listed ones, each status at least 0."""
    total: Counter[str] = Counter()
    for sign, states in ((1, true), (-1, listed)):
        for state in states:
            for name, value in _figures(
                state.status, state.cost_usd, state.tokens_in, state.tokens_out
            ).items():
                total[name] += sign * value
    lacking = -sum(min(total[f"{status}_count"], 0) for status in (*STATUSES, OPEN))
    for status in (OPEN, "succeeded", "cancelled", "failed"):
        name = f"{status}_count"
        taken = min(max(total[name], 0), lacking)
        total[name] = max(total[name], 0) - taken
        lacking -= taken
    total["unlisted_run_count"] = total["run_count"]
    total["unlisted_cost_usd"] = total["cost_usd"]
    total["unlisted_failed_count"] = total["failed_count"]
    total["may_have_failed"] = total["cost_usd"] if total["failed_count"] else ZERO
    return total


def _by_day(states: Iterable[tuple[str, date, State]]) -> dict[tuple[str, date], list[State]]:
    days: defaultdict[tuple[str, date], list[State]] = defaultdict(list)
    for agent_id, day, state in states:
        days[agent_id, day].append(state)
    return days
