"""The demo world: two workspaces at work for ninety days, and what happens in them.

Days count back from the present. What happens besides each agent's habits is told by `events`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from analytics.emulator import catalogue
from analytics.emulator.chance import CONVERSATION, new_id, seeded
from analytics.emulator.demo.agents import DemoAgent, workspaces
from analytics.emulator.platform_agents import Platform
from analytics.emulator.records import DAY, RunInput, Schedule, midnight_of
from analytics.emulator.workers import Habit, Outage, Worker, raise_cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.emulator.catalogue import Offer
    from analytics.emulator.records import Agent, Run, Workspace
    from analytics.emulator.state import State

WEDNESDAY = 2
OUTAGE_PROVIDER, OUTAGE_DAYS, OUTAGE_HOURS = "anthropic", 14, 7
RAISED, RAISED_FACTOR, RAISED_DAYS = catalogue.GPT_TERRA, Decimal("1.3"), 21
KEY_WORKSPACE, KEY_PROVIDER, KEY_SECRET = "Northlight Studio", "anthropic", "made-up-key-w7Qz"
KEY_DAY_OF_MONTH, KEY_DAYS = 15, 12
LAST_NIGHT = timedelta(hours=9)
CORRECTED_SHARE = Decimal("0.3")
CLOSING_DAY, CLOSING_HOUR = 8, 5
CLOSED_MONTHS = 2
CORRECTED_AFTER = timedelta(hours=30)
"""After a month was closed; the next batch sees it."""

# No sum by agent tells of a later correction of a run without an agent.
UNATTRIBUTED = Habit(
    runs_per_day=0,
    traffic=CONVERSATION,
    offers=(catalogue.HAIKU,),
    requests=(1, 4),
    correction_rate=0,
)


def begin(now: datetime, history_days: int) -> datetime:
    """Return the midnight at which the history begins."""
    return midnight_of(present(now)) - history_days * DAY


def present(now: datetime) -> datetime:
    """Return the end of the history, in UTC."""
    return now.replace(tzinfo=now.tzinfo or UTC).astimezone(UTC)


def closings(now: datetime, history_days: int) -> list[tuple[datetime, date]]:
    """Return when finance closes its last months, and the first day of each, the earliest first.

    A month is closed early in the next one, if the history has it from its first day.
    """
    found: list[tuple[datetime, date]] = []
    moment = present(now) - CORRECTED_AFTER - 2 * DAY
    while len(found) < CLOSED_MONTHS:
        closing = midnight_of(moment).replace(day=CLOSING_DAY, hour=CLOSING_HOUR)
        month = closing.replace(day=1) - DAY
        if closing <= moment:
            found.append((closing, month.date().replace(day=1)))
        moment = month
    first = begin(now, history_days).date()
    return [each for each in reversed(found) if each[1] >= first]


def days_with_closings(now: datetime) -> int:
    """Return how many days back the first of the months begins that finance has closed."""
    ((_, first), *_) = closings(now, 366)
    return (present(now).date() - first).days


def plan(world: State, now: datetime) -> None:
    """Put the history of all workspaces until `now` on the agenda."""
    end = present(now)
    for name, agents in workspaces().items():
        workspace = world.add_workspace(name)
        _History(world, workspace, end).plan(agents)
    world.at(_days_before(end, RAISED_DAYS), partial(_raise_price, world))


def events(now: datetime, history_days: int) -> list[tuple[datetime, str]]:
    """Return what there is to see in the demo's reports, and since when."""
    end = present(now)
    key_added, outage = _middle_of_a_month(end), _outage(end)
    agents = {agent.slug: agent for each in workspaces().values() for agent in each}
    raised, busy, worse = (
        _days_before(end, days)
        for days in (
            RAISED_DAYS,
            agents["order-status"].since_days or history_days,
            agents["pr-reviewer"].releases[-1][0],
        )
    )
    return sorted(
        [
            (key_added, f"{KEY_WORKSPACE} adds its own Anthropic key: billed falls below cost"),
            (raised, f"{RAISED.model} becomes 30% more expensive"),
            (busy, "Order status starts more runs than the API lists: most are unlisted"),
            (outage.start, f"Anthropic is out for {OUTAGE_HOURS} hours: many runs fail"),
            (worse, "version 3 of Pull request reviewer: far more of its runs fail"),
            (worse, "what a merged pull request cost: finance/outcomes.csv counts them"),
            (end - LAST_NIGHT, "a run's cost is corrected after its day was published"),
            *(
                (moment + CORRECTED_AFTER, f"a run of {month:%B} is billed higher after its close")
                for moment, month in closings(end, history_days)[-1:]
            ),
        ]
    )


@dataclass(slots=True)
class _History:
    """A workspace in which agents begin to work, change and leave."""

    world: State
    workspace: Workspace
    present: datetime

    def plan(self, agents: list[DemoAgent]) -> None:
        """Put everything that will happen on the agenda."""
        platform = Platform(self.world, self.workspace)
        platform.maintain_from(self.world.now + timedelta(hours=3))
        workers: dict[str, Worker] = {}
        for planned in agents:
            agent = self._add(planned)
            if planned.habit:
                workers[planned.slug] = self._put_to_work(planned, agent, planned.habit)
            for days, change in planned.releases:
                moment = _days_before(self.present, days) + timedelta(hours=7)
                self.world.at(moment, partial(platform.release, agent, change))
        for planned in agents:
            if planned.calls:
                workers[planned.slug].callee = workers[planned.calls]
        for worker in list(workers.values())[:3]:
            # Some agent always works at the present, whatever the hour.
            self.world.at(self.present - timedelta(seconds=3), worker.begin)
        # One run has no agent, so late that the last batch lists it. Others might be unlisted,
        # and then nothing would count or sum them.
        nobody = Worker(self.world, self.workspace, UNATTRIBUTED, self.workspace.name)
        self.world.at(self.present - timedelta(minutes=2), nobody.begin)
        self.world.at(self.present - LAST_NIGHT, self._correct)
        history_days = (midnight_of(self.present) - self.world.now).days
        for moment, _ in closings(self.present, history_days)[-1:]:
            end = moment.replace(day=1, hour=0)
            self.world.at(moment + CORRECTED_AFTER, partial(self._correct_closed, end))
        if self.workspace.name == KEY_WORKSPACE:
            add_key = partial(self.world.add_provider_key, self.workspace, KEY_PROVIDER, KEY_SECRET)
            self.world.at(_middle_of_a_month(self.present), add_key)

    def _add(self, planned: DemoAgent) -> Agent:
        agent = self.world.add_agent(
            self.workspace,
            planned.name,
            planned.slug,
            at=self._since(planned) - timedelta(hours=40),
            status="active" if planned.habit else "draft",
            description=planned.description,
        )
        agent.max_budget = planned.max_budget
        agent.timeout_minutes = planned.timeout_minutes
        agent.notify_on_run = planned.notify_on_run
        if planned.next_name:
            rename = partial(self.world.change_agent, agent, name=planned.next_name)
            self.world.at(self.present - LAST_NIGHT, rename)
        if planned.left_days is not None:
            left = _days_before(self.present, planned.left_days) + timedelta(hours=15)
            self.world.at(left, partial(self._end, planned, agent))
        return agent

    def _since(self, planned: DemoAgent) -> datetime:
        if planned.since_days is None:
            return self.world.now
        return _days_before(self.present, planned.since_days)

    def _put_to_work(self, planned: DemoAgent, agent: Agent, habit: Habit) -> Worker:
        since = max(self._since(planned), self.world.now)
        worker = Worker(self.world, agent, habit, agent.slug, outages=(_outage(self.present),))
        if planned.schedule:
            given = RunInput("Do what there is to do.")
            schedule_id = new_id(seeded(self.world.seed, "schedule", agent.slug))
            worker.schedule = Schedule(schedule_id, agent, *planned.schedule, given, since)
            self.workspace.schedules[schedule_id] = worker.schedule
        worker.work_from(since)
        return worker

    def _end(self, planned: DemoAgent, agent: Agent) -> None:
        """Let an agent leave; its open runs end as planned, no policy cancels them."""
        is_deleted = planned.left_as == "deleted"
        self.world.change_agent(agent, status="archived" if is_deleted else planned.left_as)
        if is_deleted:
            del self.workspace.agents[agent.id]

    def _correct(self) -> None:
        """Raise the cost of the most expensive failed run that ended two to seven days ago."""
        runs = self.workspace.agent_runs.created_between(
            self.world.now - 7 * DAY, self.world.now - 2 * DAY
        )
        self._raise([run for run in runs if run.status == "failed" and run.agent])

    def _correct_closed(self, end: datetime) -> None:
        """Raise the cost of the most expensive run that began in the last days of a month."""
        runs = self.workspace.agent_runs.created_between(end - 4 * DAY, end - DAY)
        self._raise([run for run in runs if run.agent and not run.is_open], is_backdated=True)

    def _raise(self, runs: Sequence[Run], *, is_backdated: bool = False) -> None:
        if runs:
            run = max(runs, key=lambda run: run.totals.cost_usd)
            raise_cost(self.world, run, CORRECTED_SHARE, is_backdated=is_backdated)


def _outage(present: datetime) -> Outage:
    start = _days_before(present, OUTAGE_DAYS, weekday=WEDNESDAY) + timedelta(hours=8)
    return Outage(OUTAGE_PROVIDER, start, start + timedelta(hours=OUTAGE_HOURS))


def _raise_price(world: State) -> None:
    """Let runs that start from now on pay more for a model."""
    for workspace in world.workspaces:
        for agent in workspace.agents.values():
            agent.offers = tuple(map(_raised, agent.offers))


def _raised(offer: Offer) -> Offer:
    return offer.raised(RAISED_FACTOR) if offer == RAISED else offer


def _days_before(present: datetime, days: int, *, weekday: int | None = None) -> datetime:
    """Return the midnight that begins a day, or the last such weekday before it."""
    midnight = midnight_of(present) - days * DAY
    if weekday is None:
        return midnight
    return midnight - (midnight.weekday() - weekday) % 7 * DAY


def _middle_of_a_month(present: datetime) -> datetime:
    """Return the middle of the last month in which it lies some days before the present."""
    day = midnight_of(present) - KEY_DAYS * DAY
    while day.day != KEY_DAY_OF_MONTH:
        day -= DAY
    return day + timedelta(hours=12)
