"""The execution of a triggered run in its sandbox, step by step.

It works for 8 to 20 seconds and succeeds. Marks anywhere in its prompt or state let it do something
else: `analytics emulator --help` lists them.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from analytics.emulator import outputs, texts
from analytics.emulator.catalogue import MILLION, drawn
from analytics.emulator.chance import seeded
from analytics.emulator.records import Artifact

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from analytics.emulator.records import Agent, Run, RunStatus
    from analytics.emulator.state import State

MAX_STEPS, MAX_ATTEMPTS = 40, 5
USUAL_STEPS = (4, 6)
TROUBLED_STEP = 2
SPIN_UP_SECONDS = (0.8, 2.0)
STEP_SECONDS = (1.8, 2.8)
FIRST_BACK_OFF_SECONDS = 1.0  # doubled at each further attempt
FILE_BYTES = (200, 9_000)
LARGE_SHARE = Decimal("0.45")  # of the budget, that a step costs
_ARTIFACTS = re.compile(r"\[artifacts(?::(\d{1,5}))?\]")


class Execution:
    """A run in a sandbox: it boots, works step by step, and ends."""

    def __init__(self, world: State, agent: Agent, run: Run) -> None:
        self.run = run
        self._world = world
        self._agent = agent
        self._rng = seeded(world.seed, "execution", run.id)
        self._text = run.text or ""
        files = _ARTIFACTS.search(self._text)
        self._file_count = int(files[1] or 3) if files else 0
        self._failures = MAX_ATTEMPTS if "[broken]" in self._text else 2 * ("[flaky]" in self._text)
        self._steps = None if "[endless]" in self._text else self._rng.randint(*USUAL_STEPS)
        self._log: list[dict[str, Any]] = []
        self._thoughts: list[tuple[datetime, str]] = []
        self._files: list[Artifact] = []
        run.log, run.steps, run.files = self._log, self._thoughts, self._files
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
        self._note(outputs.BOOT)
        minutes = self._agent.timeout_minutes
        self._later(minutes * 60, partial(self._fail, texts.out_of_time(minutes)))
        self._begin_step()

    def _begin_step(self) -> None:
        self._step += 1
        self._attempt = 0
        self._begin_attempt()

    def _begin_attempt(self) -> None:
        self._attempt += 1
        self._is_in_flight = True
        self._tool = self._rng.choice(texts.TOOLS)
        self._note(outputs.tool_use(self._rng, self._step, self._tool))
        pace = 20.0 if "[slow]" in self._text else 1.0
        self._seconds = self._rng.uniform(*STEP_SECONDS) * pace
        self._later(self._seconds, self._finish_attempt)

    def _finish_attempt(self) -> None:
        """Pay for the attempt, and continue or end the run."""
        self._is_in_flight = False
        cost, tokens = self._meter()
        failed = self._step == TROUBLED_STEP and self._attempt <= self._failures
        self._note(outputs.tool_result(self._rng, self._step, self._tool, is_error=failed))
        if self._is_stopped:
            self._end("cancelled")
        elif self.run.totals.cost_usd > self._agent.max_budget:
            self._fail(texts.over_budget(self._agent.max_budget))
        elif self._step == TROUBLED_STEP and "[fail]" in self._text:
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
        self._note({"level": "WARNING", "logger": outputs.NODE_RUNNER, "msg": message})
        self._later(seconds, self._begin_attempt)

    def _complete_step(self, cost: Decimal | None, tokens: int) -> None:
        self._note(
            {
                "logger": outputs.NODE_RUNNER,
                "msg": f"STEP  {self._step} completed",
                "label": f"step-{self._step}",
                "cost_usd": cost,
                "tokens": tokens,
                "duration_ms": round(self._seconds * 1000),
            }
        )
        self._thoughts.append((self._world.now, texts.thought(self._rng)))
        self._publish()
        if self._step == self._steps:
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
        offer = drawn(rng, agent.offers, main=agent.offers[0])
        tokens_in, tokens_out = agent.traffic.sample(rng)
        if "[over-budget]" in self._text:
            tokens_in = int(agent.max_budget * LARGE_SHARE / offer.price_in * MILLION)
        used = offer.request(tokens_in, tokens_out)
        self._world.meter(self.run, **used)
        return used["cost_usd"], tokens_in + tokens_out

    def _publish(self) -> None:
        """Publish the files of the step."""
        run = self.run
        count = self._file_count * self._step // self._steps if self._steps else 0
        while len(self._files) < count:
            size = self._rng.randint(*FILE_BYTES)
            self._files.append(Artifact.nth(run.id, len(self._files) + 1, size, self._world.now))
        run.artifact_count, run.encoded = len(self._files), None

    def _fail(self, error: str) -> None:
        self._end("failed", error)

    def _end(self, status: RunStatus, error: str | None = None) -> None:
        self._world.finish_run(self.run, status, error=error, artifact_count=len(self._files))
        self._note(outputs.ending(self.run))

    def _note(self, body: dict[str, Any]) -> None:
        """Add a log event."""
        self._log.append(outputs.record(self.run, len(self._log) + 1, self._world.now, body))
