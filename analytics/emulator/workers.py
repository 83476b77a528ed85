"""Agents at work: their runs start, send requests to models, and end."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cronsim import CronSim

from analytics.emulator import texts
from analytics.emulator.catalogue import drawn
from analytics.emulator.chance import new_id, seeded
from analytics.emulator.records import DAY, DEFAULT_TIMEOUT_MINUTES, ZERO, Agent

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from analytics.emulator.catalogue import Offer
    from analytics.emulator.chance import Traffic
    from analytics.emulator.records import Run, RunStatus, Schedule, Session, Workspace
    from analytics.emulator.state import State

SATURDAY = 5
CENT = Decimal("0.01")
SMALLEST_CORRECTION, LARGEST_CORRECTION = 0.02, 0.2  # of what the run cost
SOONEST_RETRY, LATEST_RETRY = timedelta(minutes=2), timedelta(minutes=20)  # after the failure
OUTAGE_FAILURE_RATE = 0.7

OFFICE_HOURS = (0, 0, 0, 0, 0, 0, 1, 3, 7, 9, 9, 8, 6, 7, 9, 8, 6, 4, 2, 1, 1, 0, 0, 0)
ALL_HOURS = (3, 2, 2, 2, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 5, 5, 4, 4)
NIGHT_HOURS = (9, 9, 9, 5, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """The usual work of an agent; without `offers` nothing is metered."""

    runs_per_day: float
    traffic: Traffic
    offers: tuple[Offer, ...]
    requests: tuple[int, int] = (3, 12)
    seconds_per_request: float = 9.0
    hours: tuple[int, ...] = OFFICE_HOURS
    weekend_share: float = 0.15
    failure_rates: tuple[float, ...] = (0.04,)  # by version; the last one stays
    failed_effort: float = 0.6  # requests of a failed run against those of another
    errors: tuple[str, ...] = (*texts.COMMON_ERRORS, texts.TIME_LIMIT)
    cancel_rate: float = 0.02
    follow_up_rate: float = 0.0  # runs that go on with the last session
    call_rate: float = 0.0  # runs that call `callee`
    retry_rate: float = 0.0  # failed runs whose input runs again in their session
    correction_rate: float = 0.15  # failed and cancelled runs whose cost rises days later

    def failure_rate(self, version: int) -> float:
        """Return the share of runs of a version that fail."""
        return self.failure_rates[min(version, len(self.failure_rates)) - 1]


@dataclass(frozen=True, slots=True)
class Outage:
    """Hours in which most requests to a provider fail."""

    provider: str
    start: datetime
    end: datetime


@dataclass(slots=True)
class Worker:
    """An agent at work, or a workspace whose runs have no agent."""

    world: State
    owner: Agent | Workspace
    habit: Habit
    name: str
    outages: tuple[Outage, ...] = ()
    callee: Worker | None = None
    schedule: Schedule | None = None  # its runs come beside those of the habit
    last_run: Run | None = None
    rng: random.Random = field(init=False)
    retrier: Worker | None = field(init=False, default=None)  # draws its own random numbers

    def __post_init__(self) -> None:
        self.rng = seeded(self.world.seed, "worker", self.name)
        if self.habit.retry_rate:
            once = replace(self.habit, retry_rate=0.0)
            name = f"{self.name} retries"
            self.retrier = Worker(self.world, self.owner, once, name, self.outages)
        if self.agent:
            self.agent.offers, self.agent.traffic = self.habit.offers, self.habit.traffic

    @property
    def agent(self) -> Agent | None:
        """The agent at work, if it is one."""
        return self.owner if isinstance(self.owner, Agent) else None

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The models that runs which start now use, at today's prices."""
        return self.agent.offers if self.agent else self.habit.offers

    def work_from(self, midnight: datetime) -> None:
        """Put this day's runs on the agenda, and then each next day's."""
        self.world.at(midnight, partial(self._plan_day, midnight))

    def begin(self, parent: Run | None = None) -> Run | None:
        """Start a run now, and put on the agenda all that it will do; None if it may not run."""
        if not self._may_run():
            return None
        run = self.world.start_run(
            self.owner,
            session=self._session(),
            parent=parent,
            prompt=texts.prompt(self.rng),
        )
        self.last_run = run
        self._plan_run(run)
        return run

    def retry(self, failed: Run) -> None:
        """Run a failed run's input again, unless its session has gone on by now."""
        if self._may_run() and failed.session.is_idle and failed.session.runs[-1] is failed:
            self._plan_run(
                self.world.start_run(
                    self.owner,
                    session=failed.session,
                    prompt=failed.user_prompt,
                    run_id=new_id(self.rng),
                )
            )

    def _may_run(self) -> bool:
        agent = self.agent
        return not agent or (agent.status == "active" and agent.active_version is not None)

    def _plan_day(self, midnight: datetime) -> None:
        self.world.at(midnight + DAY, partial(self._plan_day, midnight + DAY))
        share = self.habit.weekend_share if midnight.weekday() >= SATURDAY else 1.0
        expected = self.habit.runs_per_day * share
        count = int(expected * self.rng.uniform(0.85, 1.15) + self.rng.random())
        hours = self.rng.choices(range(24), self.habit.hours, k=count)
        for moment in sorted(midnight + timedelta(hours=h + self.rng.random()) for h in hours):
            self.world.at(moment, self.begin)
        if self.schedule:
            zone = ZoneInfo(self.schedule.timezone)
            before = midnight - timedelta(seconds=1)  # what a day begins with is of that day
            for tick in CronSim(self.schedule.cron_expr, before.astimezone(zone)):
                if tick >= midnight + DAY:
                    break
                self.world.at(tick.astimezone(UTC), partial(self._fire, self.schedule))

    def _fire(self, schedule: Schedule) -> None:
        if run := self.begin():
            run.source = "scheduled"
            schedule.last_run_id, schedule.last_fired_at = run.id, self.world.now
            zone = ZoneInfo(schedule.timezone)
            following = next(CronSim(schedule.cron_expr, self.world.now.astimezone(zone)))
            schedule.next_fire_at = following.astimezone(UTC)

    def _session(self) -> Session | None:
        last = self.last_run
        follows = self.rng.random() < self.habit.follow_up_rate
        return last.session if follows and last and last.session.is_idle else None

    def _plan_run(self, run: Run) -> None:
        rng, habit = self.rng, self.habit
        offer = rng.choices(self.offers, _falling(self.offers))[0] if self.offers else None
        status, error = self._outcome(run, offer)
        begun = run.created_at + timedelta(seconds=rng.lognormvariate(1.6, 0.8))
        self._put(run, begun, partial(self.world.launch_run, run))
        if self.callee and rng.random() < habit.call_rate:
            self._put(run, begun + timedelta(seconds=5), partial(self.callee.begin, run))
        ended, limit = self._plan_requests(run, offer, begun, status, error)
        if limit:
            status, error = "failed", limit
        files = rng.randint(0, 2) if status == "succeeded" else 0
        finish = partial(self.world.finish_run, run, status, error=error, artifact_count=files)
        self._put(run, ended, finish)
        retrier = self.retrier
        if retrier and status == "failed" and retrier.rng.random() < habit.retry_rate:
            waited = retrier.rng.uniform(SOONEST_RETRY / DAY, LATEST_RETRY / DAY) * DAY
            self.world.at(ended + waited, partial(retrier.retry, run))
        if offer and status != "succeeded" and rng.random() < habit.correction_rate:
            late = ended + timedelta(days=rng.uniform(1, 6))
            share = rng.uniform(SMALLEST_CORRECTION, LARGEST_CORRECTION)
            self.world.at(late, partial(raise_cost, self.world, run, Decimal(share)))

    def _plan_requests(
        self, run: Run, offer: Offer | None, begun: datetime, status: RunStatus, error: str | None
    ) -> tuple[datetime, str | None]:
        """Put a run's requests on the agenda; return its end, and the limit that it reached."""
        rng, spent, moment = self.rng, ZERO, begun
        budget = self.agent.max_budget if self.agent else None
        minutes = self.agent.timeout_minutes if self.agent else DEFAULT_TIMEOUT_MINUTES
        last = begun + timedelta(minutes=minutes)
        efforts = {"failed": self.habit.failed_effort, "cancelled": rng.uniform(0.2, 0.9)}
        count = max(1, round(rng.randint(*self.habit.requests) * efforts.get(status, 1.0)))
        spends_all = error == texts.BUDGET_LIMIT and offer
        for n in itertools.count(1):
            moment += timedelta(seconds=self.habit.seconds_per_request * rng.uniform(0.2, 1.8))
            if moment >= last:
                break
            if offer:
                is_error = n == count and error in texts.PROVIDER_ERRORS
                request = self._request(offer, is_error=is_error)
                self._put(run, moment, partial(self.world.meter, run, **request))
                spent += request["cost_usd"]
                if budget is not None and spent > budget:
                    return moment, texts.over_budget(budget)
            if n >= count and not spends_all:
                break
        if moment >= last or error == texts.TIME_LIMIT:
            return last, texts.out_of_time(minutes)
        return moment, None

    def _put(self, run: Run, moment: datetime, action: Callable[[], object]) -> None:
        """Put a step of a run on the live agenda; it falls away if the run has ended by then."""
        self.world.live.put(moment, lambda: action() if run.is_open else None)

    def _outcome(self, run: Run, offer: Offer | None) -> tuple[RunStatus, str | None]:
        is_out = offer and any(
            outage.provider == offer.provider and outage.start <= run.created_at < outage.end
            for outage in self.outages
        )
        if is_out and self.rng.random() < OUTAGE_FAILURE_RATE:
            return "failed", texts.OVERLOADED
        chance = self.rng.random()
        failure_rate = self.habit.failure_rate(run.version.number if run.version else 1)
        if chance < failure_rate:
            return "failed", self.rng.choice(self.habit.errors)
        if chance < failure_rate + self.habit.cancel_rate:
            return "cancelled", None
        return "succeeded", None

    def _request(self, main: Offer, *, is_error: bool) -> dict[str, Any]:
        """Return what a request meters."""
        offer = drawn(self.rng, self.offers, main)
        tokens = (0, 0) if is_error else self.habit.traffic.sample(self.rng)
        return offer.request(*tokens) | {"is_error": is_error}


def raise_cost(world: State, run: Run, share: Decimal, *, is_backdated: bool = False) -> None:
    """Book a share of a metered run's cost once more, a cent at least."""
    if run.totals.request_count:
        amount = (run.totals.cost_usd * share).quantize(CENT)
        world.correct_cost(run, max(amount, CENT), is_backdated=is_backdated)


def _falling(offers: tuple[Offer, ...]) -> list[float]:
    """Return weights that make the first offer the usual one."""
    return [0.3**n for n in range(len(offers))]
