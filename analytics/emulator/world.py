"""The emulated platform: its state, and the runs that are triggered by call, schedule or webhook.

A workspace has a few sandboxes; with more triggered runs, the younger ones wait in `pending`. The
turns of a session run one after the other.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from analytics.emulator.chance import new_id
from analytics.emulator.demo import history
from analytics.emulator.execution import Execution
from analytics.emulator.records import (
    Agent,
    RefusedError,
    Run,
    RunInput,
    Session,
    Source,
    Version,
    Webhook,
)
from analytics.emulator.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

SLOTS = 4  # sandboxes of a workspace
DRAIN = timedelta(seconds=2)  # of the step in flight of a run of the planned history
SECRET_BITS = 192


class World(State):
    """Workspaces, a clock, and the services of the API.

    Equal seeds, times and calls give equal worlds, ids included.
    """

    def __init__(self, seed: int, now: datetime) -> None:
        super().__init__(seed, now)
        self._queue: list[Run] = []
        self._working: dict[str, Execution] = {}

    @classmethod
    def demo(
        cls, seed: int, now: datetime, *, history_days: int = 90, at_start: bool = False
    ) -> World:
        """Return two workspaces with a history.

        With `at_start` only its beginning, to pass in steps.
        """
        world = cls(seed, history.begin(now, history_days))
        history.plan(world, now)
        if not at_start:
            world.pass_time(history.present(now) - world.now)
        return world

    @classmethod
    def empty(cls, seed: int, now: datetime) -> World:
        """Return one workspace without agents or runs."""
        world = cls(seed, now)
        world.add_workspace("Blank Slate")
        return world

    def dispatch(
        self,
        agent: Agent,
        given: RunInput,
        *,
        version: Version | None = None,
        source: Source = "manual",
    ) -> Run:
        """Queue a run in a new session, on the active version unless one is named."""
        with self.lock:
            _require_active(agent)
            version = version or agent.active_version
            if version is None:
                raise RefusedError("The agent has no active version; publish one")
            if version.status != "active":
                raise RefusedError(f"The version is {version.status}; only an active one can run")
            session = Session(new_id(self._live_rng), agent, version, self.now)
            agent.workspace.sessions[session.id] = session
            return self._queue_run(agent, session, given, source)

    def continue_session(
        self, session: Session, given: RunInput, *, source: Source = "manual"
    ) -> Run:
        """Queue another turn of a session, on the version with which it began."""
        with self.lock:
            if session.terminated_at:
                raise RefusedError(
                    "The session is terminated and takes no message; start a new one"
                )
            if session.agent is None:
                raise RefusedError("The session has no agent that could answer")
            _require_active(session.agent)
            return self._queue_run(session.agent, session, given, source)

    def cancel(self, session: Session) -> None:
        """Terminate a session and end its runs; a terminated one is unchanged."""
        with self.lock:
            if any(run.platform_agent for run in session.runs):
                raise RefusedError("A session of the platform's own agents cannot be cancelled")
            if session.terminated_at:
                return
            session.terminated_at = self.now
            self._stop(session.runs, "the user")

    def delete_agent(self, agent: Agent) -> None:
        """Archive an agent, which cancels its open runs, and remove it from the list and by id."""
        with self.lock:
            self.change_agent(agent, status="archived")
            self._stop(agent.workspace.runs_by_agent[agent.id], "policy: the agent is archived")
            del agent.workspace.agents[agent.id]

    def finish_run(self, run: Run, *how: Any, **more: Any) -> None:
        """End a run, and assign its sandbox to the next one."""
        with self.lock:
            super().finish_run(run, *how, **more)
            self._working.pop(run.id, None)
            if self._queue:
                self._queue = [queued for queued in self._queue if queued is not run]
                self._fill_slots()

    def create_webhook(self, agent: Agent) -> Webhook:
        """Give an agent an address whose events start its runs."""
        if agent.webhook:
            raise RefusedError("The agent has a webhook; rotate its secret, or delete it first")
        agent.webhook = Webhook(new_id(self._live_rng), self.now, self.new_secret())
        return agent.webhook

    def new_secret(self) -> str:
        """Return a secret for the address of a webhook."""
        return f"{self._live_rng.getrandbits(SECRET_BITS):0{SECRET_BITS // 4}x}"

    def agent_of_webhook(self, webhook_id: str, secret: str) -> Agent | None:
        """Return the agent whose webhook has this id and secret, or None."""
        for workspace in self.workspaces:
            for agent in workspace.agents.values():
                hook = agent.webhook
                if hook and (hook.id, hook.secret) == (webhook_id, secret):
                    return agent
        return None

    def _queue_run(self, agent: Agent, session: Session, given: RunInput, source: Source) -> Run:
        run_id = new_id(self._live_rng)
        run = self.start_run(agent, session=session, prompt=given.prompt, run_id=run_id)
        run.initial_state, run.source = given.initial_state, source
        self._queue.append(run)
        self._fill_slots()
        return run

    def _fill_slots(self) -> None:
        taken = Counter(execution.run.workspace.id for execution in self._working.values())
        for run in list(self._queue):
            turns = run.session.runs
            is_next = not any(earlier.is_open for earlier in turns[: turns.index(run)])
            if run.agent and is_next and taken[run.workspace.id] < SLOTS:
                taken[run.workspace.id] += 1
                self._queue.remove(run)
                self._working[run.id] = Execution(self, run.agent, run)

    def _stop(self, runs: Iterable[Run], by: str) -> None:
        """Cancel those of the runs that are open; a step in flight is drained before."""
        for run in [run for run in runs if run.is_open]:
            run.cancelled_by = by
            if run.status == "pending":
                self.finish_run(run, "cancelled")
            elif execution := self._working.get(run.id):
                execution.stop()
            else:
                self.live.put(self.now + DRAIN, partial(self._end_planned_run, run))

    def _end_planned_run(self, run: Run) -> None:
        if run.is_open:
            self.finish_run(run, "cancelled")


def _require_active(agent: Agent) -> None:
    if agent.status != "active":
        raise RefusedError(f"The agent is {agent.status}; only an active one can run")
