"""The analytics responses, each summed from the ledger on request."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from analytics.emulator.records import DAY, Totals, hour_of, midnight_of
from analytics.emulator.serialize import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analytics.emulator.records import Agent, Entry, Run, Workspace

K = TypeVar("K")
Rows = list[dict[str, Any]]
PERIODS = {"day": 1, "week": 7, "month": 30, "quarter": 90}  # trailing days


class Analytics:
    """The totals of a workspace's ledger.

    Entries booked at `horizon` or later are not counted. Every window is [start, end) in UTC.
    """

    def __init__(self, workspace: Workspace, horizon: datetime) -> None:
        self.workspace = workspace
        self._horizon = horizon

    def summary(self, period: str, now: datetime) -> dict[str, Any]:
        """Return the totals of the trailing period and of the one before it."""
        start, end = now - timedelta(days=PERIODS[period]), now + timedelta.resolution
        visible = self._visible(self.workspace.ledger)
        last = max((entry.booked_at for entry in visible), default=None)
        return {
            "period": period,
            "start": instant(start),
            "end": instant(now),
            "current": self._activity(start, end),
            "previous": self._activity(start - (now - start), start),
            "last_activity_at": last and instant(last),
        }

    def timeseries_by_agent(
        self,
        start: datetime,
        end: datetime,
        start_of: Callable[[datetime], datetime] = midnight_of,
    ) -> Rows:
        """Return one row per day, or other span that `start_of` tells, and agent.

        No agent is platform or unattributed activity.
        """
        groups = self._groups(start, end, lambda e: (start_of(e.booked_at), e.run.agent))
        rows = [
            {"bucket": instant(at), **_agent(agent), **_money(t)}
            for (at, agent), t in groups.items()
        ]
        return sorted(rows, key=lambda row: (row["bucket"], row["agent_id"] or ""))

    def hourly(self, start: datetime, end: datetime, agent_id: str | None = None) -> Rows:
        """Return one row per hour, agent, model and provider, of one agent if it is named."""
        groups = self._groups(
            start,
            end,
            lambda e: (
                hour_of(e.booked_at),
                e.run.agent.id if e.run.agent else "",
                e.model,
                e.provider,
            ),
        )
        return [
            {
                "hour": instant(hour),
                "agent_id": agent or None,
                "model": model,
                "provider": provider,
                "cost_usd": t.cost_usd,
                **_tokens(t),
                "request_count": t.request_count,
                "error_count": t.error_count,
            }
            for (hour, agent, model, provider), t in sorted(groups.items())
            if agent_id in (None, agent)
        ]

    def billing(self, start: datetime, end: datetime) -> Rows:
        """Return one row per day and provider."""
        groups = self._groups(start, end, lambda e: (e.booked_at.date(), e.provider))
        return [
            {"date": day.isoformat(), "provider": provider, **_usage(t)}
            for (day, provider), t in sorted(groups.items())
        ]

    def agents(self, start: datetime, end: datetime) -> Rows:
        """Return one row per agent: complete totals of the runs created in the window."""
        created = self.workspace.agent_runs.created_between(start, end)
        return [
            {
                **_agent(agent),
                **_usage(self._run_totals(runs)),
                "run_count": len(runs),
                "total_duration_ms": sum(map(_duration_ms, runs)),
                "last_run_at": instant(runs[-1].created_at),
            }
            for agent, runs in _runs_by(created, lambda run: run.agent)
        ]

    def platform_agents(self, start: datetime, end: datetime) -> Rows:
        """Return one row per platform agent: complete totals of its runs created in the window."""
        created = self.workspace.platform_runs.created_between(start, end)
        return [
            {
                "platform_agent_id": platform_agent.id,
                "platform_agent_slug": platform_agent.slug,
                "platform_agent_name": platform_agent.name,
                "run_count": len(runs),
                **_money(t := self._run_totals(runs)),
                **_tokens(t),
                "targets": list(map(_agent, dict.fromkeys(r.target for r in runs if r.target))),
            }
            for platform_agent, runs in _runs_by(created, lambda run: run.platform_agent)
        ]

    def run_costs(self, run: Run) -> Rows:
        """Return one row per model and provider of a run, by the older names of measures."""
        by_model = defaultdict(list)
        for entry in self._visible(self.workspace.ledger.of_run(run.id)):
            by_model[entry.model, entry.provider].append(entry)
        return [
            {
                "run_id": run.id,
                "model": model,
                "provider": provider,
                "total_cost": (t := Totals.of(entries)).cost_usd,
                "total_tokens_in": t.tokens_in,
                "total_tokens_out": t.tokens_out,
                "request_count": t.request_count,
                "started_at": instant(min(entry.booked_at for entry in entries)),
                "ended_at": instant(max(entry.booked_at for entry in entries)),
            }
            for (model, provider), entries in sorted(by_model.items())
        ]

    def _entries(self, start: datetime, end: datetime) -> Iterator[Entry]:
        return self.workspace.ledger.between(start, min(end, self._horizon))

    def _visible(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        return (entry for entry in entries if entry.booked_at < self._horizon)

    def _groups(self, start: datetime, end: datetime, key: Callable[[Entry], K]) -> dict[K, Totals]:
        groups: defaultdict[K, Totals] = defaultdict(Totals)
        for entry in self._entries(start, end):
            groups[key(entry)].add(entry)
        return groups

    def _run_totals(self, runs: Iterable[Run]) -> Totals:
        ledger = self.workspace.ledger
        return Totals.of(entry for run in runs for entry in self._visible(ledger.of_run(run.id)))

    def _activity(self, start: datetime, end: datetime) -> dict[str, Any]:
        runs = self.workspace.agent_runs.created_between(start, end)
        return {
            **_usage(Totals.of(self._entries(start, end))),
            "run_count": len(runs),
            "agent_count": len({run.agent for run in runs if run.agent}),
        }


def daily_counts(workspace: Workspace, agent_id: str, days: int, now: datetime) -> Rows:
    """Return runs by UTC day of creation and current status, over the days up to today."""
    midnight = midnight_of(now)
    runs = workspace.runs_by_agent.get(agent_id)
    recent = runs.created_between(midnight - (days - 1) * DAY, midnight + DAY) if runs else []
    counts = Counter((run.created_at.date(), run.status) for run in recent)
    return [
        {"date": day.isoformat(), "status": status, "count": n}
        for (day, status), n in sorted(counts.items())
    ]


def _runs_by(runs: list[Run], owner: Callable[[Run], K | None]) -> Iterable[tuple[K, list[Run]]]:
    """Return the runs by their owner, without those that have none."""
    groups: defaultdict[K, list[Run]] = defaultdict(list)
    for run in runs:
        if (of := owner(run)) is not None:
            groups[of].append(run)
    return groups.items()


def _money(totals: Totals) -> dict[str, Any]:
    return {"cost_usd": totals.cost_usd, "billed_usd": totals.billed_usd}


def _tokens(totals: Totals) -> dict[str, Any]:
    return {"tokens_in": totals.tokens_in, "tokens_out": totals.tokens_out}


def _usage(totals: Totals) -> dict[str, Any]:
    return {**_money(totals), **_tokens(totals), "request_count": totals.request_count}


def _agent(agent: Agent | None) -> dict[str, Any]:
    if agent is None:
        return {"agent_id": None, "agent_name": None, "agent_slug": None}
    return {"agent_id": agent.id, "agent_name": agent.name, "agent_slug": agent.slug}


def _duration_ms(run: Run) -> int:
    if run.started_at is None or run.finished_at is None:
        return 0
    return (run.finished_at - run.started_at) // timedelta(milliseconds=1)
