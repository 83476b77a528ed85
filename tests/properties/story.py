"""Random histories of a small workspace, and of the batches that read it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from unittest import mock

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from analytics.emulator.records import Agent, PlatformAgent, Run, Workspace
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.settings import Extract, Reporting, load_settings
from tests.batches import LIST_CAP, Batch, short_lists
from tests.worlds import NOW

HISTORY_DAYS = 40

LONGEST_DAYS = 33
"""A story ends before a late correction lies too far back to be found."""

MODELS = (("claude-sonnet-5", "anthropic"), ("zai.glm-5", "bedrock"))
BUILDER = PlatformAgent("00000000-0000-4000-8000-000000000001", "builder", "Builder", "build")


@dataclass(frozen=True)
class Event:
    """An event; `which` and `amount` select its run and its cost."""

    verb: str
    which: int = 0
    amount: int = 1


@dataclass(frozen=True)
class Chapter:
    """Some events, the hours after them, and what is done then: a batch, or an act on the books.

    What is killed dies after `number` responses, or calls.
    """

    events: list[Event]
    hours: int
    act: str
    number: int = 0


_VERBS = (
    "start", "launch", "launch", "meter", "meter", "succeed", "fail", "cancel",
    "correct", "correct", "hide", "platform", "agentless", "no_usage",
    "rename", "delete", "hire", "own_key", "own", "wait",
)  # fmt: skip

_small = st.integers(0, 7)
_events = st.one_of(
    st.builds(Event, st.just("burst"), _small, st.integers(1, LIST_CAP + 3)),
    st.builds(Event, st.sampled_from(_VERBS), _small, st.integers(1, 30)),
)
_hours = st.sampled_from([0, 1, 7, 18, 24, 24, 25, 48, 72, 24 * 9, 24 * 13])
_corrections = st.builds(
    Event, st.sampled_from(["late", "amend", "platform", "agentless"]), _small,
    st.integers(1, 30),
)  # fmt: skip


def chapters(*, most: int = 4) -> st.SearchStrategy[list[Chapter]]:
    """A few chapters that end with batches of all kinds."""
    batches = ("whole", "whole", "whole", "twice", "missed", "killed", "unpublished", "collected")
    events = st.lists(_events, min_size=2, max_size=9)
    chapter = st.builds(Chapter, events, _hours, st.sampled_from(batches), st.integers(0, 90))
    return st.lists(chapter, min_size=2, max_size=most)


def chapters_of_books(*, most: int = 6) -> st.SearchStrategy[list[Chapter]]:
    """A few chapters whose corrections the batches find, as these follow within days."""
    acts = ("", "close", "close", "close", "killed", "reopen", "rebuild", "owner")
    events = st.lists(st.one_of(_corrections, _events), min_size=1, max_size=6)
    hours = st.sampled_from([1, 18, 24, 48])
    chapter = st.builds(Chapter, events, hours, st.sampled_from(acts), st.integers(0, 60))
    return st.lists(chapter, min_size=3, max_size=most)


TIMEZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland"])
BEGINS = st.sampled_from([NOW, NOW.replace(month=3, day=20), NOW.replace(hour=0, minute=0)])

lasting = settings(
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def living(timezone: str, begins_at: datetime) -> Iterator[tuple[Life, Batch]]:
    """A life in a world of its own, and the batches that read it, whose lists are short."""
    world = World.empty(1, begins_at)
    variables = {"LEVAIN_API_KEY": world.workspaces[0].api_key}
    with (
        running(world) as api,
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, variables | {"LEVAIN_API": api.url}),
        short_lists(),
    ):
        of_batches = load_settings(Path(folder)).model_copy(
            update={
                "reporting": Reporting(timezone=timezone),
                "extract": Extract(history_days=HISTORY_DAYS, concurrency=1),
            }
        )
        yield Life(world), Batch(of_batches, api)


@dataclass
class Life:
    """A world to which events are applied."""

    world: World
    fired: list[Agent] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    all_runs: dict[str, Run] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    _amounts: int = 0

    def __post_init__(self) -> None:
        self._began_at = self.world.now
        for name in ("Baker", "Miller"):
            self._add_agent(name)

    @property
    def workspace(self) -> Workspace:
        return self.world.workspaces[0]

    def live(self, chapter: Chapter) -> None:
        """Let its events happen, and its hours pass."""
        for event in chapter.events:
            self.happen(event)
        self.pass_time(timedelta(hours=chapter.hours))

    def happen(self, event: Event) -> None:
        """Apply an event, if any run fits it."""
        self.pass_time(timedelta(minutes=1))
        getattr(self, f"_{event.verb}")(event.which, event.amount)

    def pass_time(self, span: timedelta) -> None:
        """Let time pass, up to the end of the story."""
        left = self._began_at + timedelta(days=LONGEST_DAYS) - self.world.now
        self.world.pass_time(max(timedelta(0), min(span, left)))

    def _wait(self, _: int, hours: int) -> None:
        self.pass_time(timedelta(hours=hours))

    def _burst(self, which: int, count: int) -> None:
        for number in range(count):
            self.world.pass_time(timedelta(seconds=1))
            if run := self._begin(which):
                self._meter_run(run, count + number)
                status = "failed" if (which + number) % 3 == 0 else "succeeded"
                self.world.finish_run(run, status, error="ToolError" if number % 2 else None)

    def _start(self, which: int, _: int) -> None:
        if agents := list(self.workspace.agents.values()):
            self._keep(self.world.start_run(agents[which % len(agents)]))

    def _launch(self, which: int, _: int) -> None:
        if run := self._pick(which, lambda run: run.status == "pending"):
            self.world.launch_run(run)

    def _meter(self, which: int, amount: int) -> None:
        if run := self._pick(which, lambda run: run.status == "running"):
            self._meter_run(run, amount)

    def _succeed(self, which: int, _: int) -> None:
        if run := self._pick(which, lambda run: run.status == "running"):
            self.world.finish_run(run)

    def _fail(self, which: int, _: int) -> None:
        if run := self._pick(which, lambda run: run.status == "running"):
            self.world.finish_run(run, "failed", error="TimeoutError: 🍞 <b>")

    def _cancel(self, which: int, _: int) -> None:
        if run := self._pick(which, lambda run: run.is_open):
            self.world.finish_run(run, "cancelled")

    def _correct(self, which: int, _: int) -> None:
        def is_corrigible(run: Run) -> bool:
            return bool(run.agent and not run.is_open and self.workspace.ledger.of_run(run.id))

        if run := self._pick(which, is_corrigible):
            self.world.correct_cost(run, self._amount(1))

    def _late(self, which: int, hours: int) -> None:
        """A run of up to 30 hours ago that the API shows only now."""
        agents = list(self.workspace.agents.values())
        at = self.world.now - timedelta(hours=hours)
        run = self._keep(self.world.start_run(agents[which % len(agents)], at=at))
        self.world.launch_run(run, at=at)
        self._meter_run(run, hours, at=at)
        self.world.finish_run(run, at=at + timedelta(seconds=30))

    def _amend(self, which: int, hours: int) -> None:
        """More cost of a metered run, booked at its last request; with an even hour, more bill."""
        if run := self._pick(which, lambda run: bool(self.workspace.ledger.of_run(run.id))):
            last = self.workspace.ledger.of_run(run.id)[-1]
            cost = self._amount(1) if hours % 2 else Decimal(0)
            self.world.meter(
                run, model=last.model, provider=last.provider, tokens_in=0, tokens_out=0,
                cost_usd=cost, billed_usd=self._amount(2), at=last.booked_at,
            )  # fmt: skip

    def _hide(self, which: int, _: int) -> None:
        if run := self._pick(which, lambda run: run.agent is not None):
            self.world.hide_run(run)
            self.hidden.add(run.id)

    def _platform(self, _: int, amount: int) -> None:
        run = self.world.start_platform_run(self.workspace, BUILDER)
        self.world.launch_run(run)
        self._meter_run(run, amount)
        self.world.finish_run(run)

    def _agentless(self, _: int, amount: int) -> None:
        run = self.world.start_run(self.workspace)
        self.world.launch_run(run)
        self._meter_run(self._keep(run), amount)
        self.world.finish_run(run)

    def _no_usage(self, which: int, _: int) -> None:
        if run := self._begin(which):
            self.world.finish_run(run)

    def _rename(self, which: int, amount: int) -> None:
        if agents := list(self.workspace.agents.values()):
            self.world.change_agent(agents[which % len(agents)], name=f"=cmd({amount})")

    def _delete(self, which: int, _: int) -> None:
        if len(self.workspace.agents) > 1:
            agents = list(self.workspace.agents.values())
            self.world.delete_agent(agents[which % len(agents)])

    def _hire(self, which: int, _: int) -> None:
        if len(self.workspace.runs_by_agent) < 4:
            self._add_agent(f"New {which}")

    def _add_agent(self, name: str) -> None:
        """An agent whose runs may last for the whole story."""
        agent = self.world.add_agent(self.workspace, name, name.lower().replace(" ", "-"))
        agent.timeout_minutes = LONGEST_DAYS * 24 * 60

    def _own_key(self, which: int, _: int) -> None:
        if which % 2:
            self.world.add_provider_key(self.workspace, "anthropic", f"secret-{which}")
        else:
            self.workspace.keys.clear()

    def _own(self, which: int, amount: int) -> None:
        """A rule of the user's own, which is no part of the world."""
        self.owners[("(platform)", "(none)", "baker", "*")[which % 4]] = f"Owner {amount % 3}"

    def _begin(self, which: int) -> Run | None:
        agents = list(self.workspace.agents.values())
        run = self._keep(self.world.start_run(agents[which % len(agents)]))
        self.world.launch_run(run)
        return run

    def _keep(self, run: Run) -> Run:
        self.all_runs[run.id] = run
        return run

    def _pick(self, which: int, fits: Callable[[Run], bool]) -> Run | None:
        """Return one of the readable runs that fit, the newest ones first."""
        runs = [run for run in self.all_runs.values() if run.id not in self.hidden and fits(run)]
        return runs[-1 - which % len(runs)] if runs else None

    def _meter_run(self, run: Run, cents: int, at: datetime | None = None) -> None:
        model, provider = MODELS[cents % 2]
        self.world.meter(
            run, model=model, provider=provider, tokens_in=cents * 100, tokens_out=cents,
            cost_usd=self._amount(cents), at=at,
        )  # fmt: skip

    def _amount(self, cents: int) -> Decimal:
        """Return an amount that keeps sums of amounts distinct."""
        self._amounts += 1
        return Decimal(cents) / 100 + Decimal(self._amounts * 2654435761 % 10**8).scaleb(-10)
