"""The execution of one run in its sandbox, step by step."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from analytics.emulator import texts
from analytics.emulator.catalogue import MILLION
from analytics.emulator.records import Totals
from analytics.emulator.rng import seeded
from analytics.emulator.runs import logs, timeline
from analytics.emulator.runs.artifacts import report
from analytics.emulator.runs.plan import MAX_ATTEMPTS, plan
from analytics.emulator.worlds.behaviour import MAIN_MODEL_SHARE

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from analytics.emulator.records import Agent, Run, RunStatus
    from analytics.emulator.state import State

MAX_STEPS = 40
SPIN_UP_SECONDS = (0.8, 2.0)
STEP_SECONDS = (1.8, 2.8)
FIRST_BACK_OFF_SECONDS = 1.0  # doubled at each further attempt
FILE_BYTES = (200, 9_000)


class Execution:
    """A run in a sandbox: it boots, works step by step, and ends."""

    def __init__(self, world: State, agent: Agent, run: Run) -> None:
        self.run = run
        self._world = world
        self._agent = agent
        self._rng = seeded(world.seed, "execution", run.id)
        self._plan = plan(run.text or "", self._rng)
        self._log: list[dict[str, Any]] = []
        run.log, run.files = self._log, []
        self._step = 0
        self._attempt = 0
        self._is_in_flight = False
        self._is_stopped = False
        self._later(self._rng.uniform(*SPIN_UP_SECONDS), self._boot)

    def stop(self) -> None:
        """Schedule no new step; finish the one in flight, and then cancel the run."""
        self._is_stopped = True
        if not self._is_in_flight:
            self._end("cancelled")

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        """Schedule an action that is skipped if the run has ended by then."""
        moment = self._world.now + timedelta(seconds=seconds)
        self._world.live.put(moment, lambda: action() if self.run.is_open else None)

    def _boot(self) -> None:
        self._world.launch_run(self.run)
        self._note(logs.BOOT)
        minutes = self._agent.timeout_minutes
        self._later(minutes * 60, partial(self._time_out, minutes))
        self._begin_step()

    def _begin_step(self) -> None:
        self._step += 1
        self._attempt = 0
        self._begin_attempt()

    def _begin_attempt(self) -> None:
        self._attempt += 1
        self._is_in_flight = True
        self._tool = self._rng.choice(texts.TOOLS)
        self._note(logs.tool_use(self._rng, self._step, self._tool))
        self._seconds = self._rng.uniform(*STEP_SECONDS) * self._plan.pace
        self._later(self._seconds, self._finish_attempt)

    def _finish_attempt(self) -> None:
        """Pay for the attempt, and continue or end the run."""
        self._is_in_flight = False
        cost, tokens = self._meter()
        failed = self._attempt <= self._plan.failing_attempts.get(self._step, 0)
        self._note(logs.tool_result(self._rng, self._step, self._tool, is_error=failed))
        if self._is_stopped:
            self._end("cancelled")
        elif self._spent() > self._agent.max_budget:
            self._fail(texts.over_budget(self._agent.max_budget))
        elif self._step == self._plan.fatal_step:
            self._fail(texts.VALIDATION)
        elif failed:
            self._retry()
        else:
            self._complete_step(cost, tokens)

    def _retry(self) -> None:
        error = f"ToolError: {self._tool} returned 502 Bad Gateway"
        if self._attempt == MAX_ATTEMPTS:
            self._fail(f"{error} (step {self._step}, given up after {MAX_ATTEMPTS} attempts)")
            return
        seconds = FIRST_BACK_OFF_SECONDS * 2 ** (self._attempt - 1)
        message = f"RETRY  step {self._step} in {seconds:.0f}s: {error}"
        self._note({"level": "WARNING", "logger": logs.NODE_RUNNER, "msg": message})
        self._later(seconds, self._begin_attempt)

    def _complete_step(self, cost: Decimal | None, tokens: int) -> None:
        duration_ms = round(self._seconds * 1000)
        self._note(
            {
                "logger": logs.NODE_RUNNER,
                "msg": f"STEP  {self._step} completed",
                "label": f"step-{self._step}",
                "cost_usd": cost,
                "tokens": tokens,
                "duration_ms": duration_ms,
            }
        )
        thought = texts.thought(self._rng)
        events = timeline.keep(self.run.session)
        timeline.add(events, self.run, self._world.now, "step", step=self._step, text=thought)
        self._publish_up_to(self._plan.files_after(self._step))
        if self._step == self._plan.steps:
            self._end("succeeded")
        elif self._step == MAX_STEPS:
            self._fail(texts.MAX_STEPS)
        else:
            self._begin_step()

    def _meter(self) -> tuple[Decimal | None, int]:
        """Book the attempt's model request; return its cost and tokens."""
        agent, rng = self._agent, self._rng
        if not agent.offers:
            return None, 0
        offer = agent.offers[0] if rng.random() < MAIN_MODEL_SHARE else rng.choice(agent.offers)
        tokens_in, tokens_out = agent.traffic.sample(rng)
        if self._plan.budget_share:
            tokens_in = int(agent.max_budget * self._plan.budget_share / offer.price_in * MILLION)
        cost = offer.cost(tokens_in, tokens_out)
        self._world.meter(
            self.run,
            model=offer.model,
            provider=offer.provider,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost_usd=cost,
        )
        return cost, tokens_in + tokens_out

    def _spent(self) -> Decimal:
        return Totals(self.run.workspace.ledger.of_run(self.run.id)).cost_usd

    def _publish_up_to(self, count: int) -> None:
        for number in range(self.run.artifact_count + 1, count + 1):
            size = self._rng.randint(*FILE_BYTES)
            self._world.publish(self.run, report(self.run, number, size, self._world.now))

    def _time_out(self, minutes: int) -> None:
        self._fail(texts.out_of_time(minutes))

    def _fail(self, error: str) -> None:
        self._end("failed", error)

    def _end(self, status: RunStatus, error: str | None = None) -> None:
        self._world.finish_run(self.run, status, error=error)
        self._note(logs.ending(self.run))

    def _note(self, body: dict[str, Any]) -> None:
        """Add a log event."""
        log = self._log
        log.append(logs.record(self.run, len(log) + 1, self._world.now, body))
