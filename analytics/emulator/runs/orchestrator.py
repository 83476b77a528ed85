"""The orchestrator queues triggered runs, and assigns sandboxes to them.

A workspace has a few sandboxes; with more runs, the younger ones wait in `pending`. The turns of a
session run one after the other.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from analytics.emulator.records import RefusedError, Session
from analytics.emulator.rng import new_id, seeded
from analytics.emulator.runs import timeline
from analytics.emulator.runs.execution import Execution

if TYPE_CHECKING:
    from analytics.emulator.records import Agent, Run, RunInput, Source, Version
    from analytics.emulator.state import State

SLOTS = 4  # sandboxes of a workspace
DRAIN = timedelta(seconds=2)  # of the step in flight of a run of the planned history


class Orchestrator:
    """All runs of a world that were triggered through the API."""

    def __init__(self, world: State) -> None:
        self._world = world
        self._ids = seeded(world.seed, "orchestrator")
        self._queue: list[tuple[Agent, Run]] = []
        self._working: dict[str, Execution] = {}
        world.on_end.append(self.note_end)
        world.on_archive.append(partial(self.cancel_by_policy, reason="the agent is archived"))

    def dispatch(
        self,
        agent: Agent,
        given: RunInput,
        *,
        version: Version | None = None,
        source: Source = "manual",
    ) -> Run:
        """Queue a run in a new session, on the active version unless one is named."""
        with self._world.lock:
            _require_active(agent)
            version = version or agent.active_version
            if version is None:
                raise RefusedError("The agent has no active version; publish one")
            if version.status != "active":
                raise RefusedError(f"The version is {version.status}; only an active one can run")
            session = Session(new_id(self._ids), agent, version, self._world.now)
            agent.workspace.sessions[session.id] = session
            return self._queue_run(agent, session, given, source)

    def continue_session(
        self, session: Session, given: RunInput, *, source: Source = "manual"
    ) -> Run:
        """Queue another turn of a session, on the version with which it began."""
        with self._world.lock:
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
        with self._world.lock:
            if any(run.platform_agent for run in session.runs):
                raise RefusedError("A session of the platform's own agents cannot be cancelled")
            if session.terminated_at:
                return
            timeline.keep(session)
            session.terminated_at = self._world.now
            for run in [run for run in session.runs if run.is_open]:
                self._stop(run)

    def cancel_by_policy(self, agent: Agent, reason: str) -> None:
        """End the runs of an agent that may no longer run, planned ones too."""
        for run in agent.workspace.runs_by_agent[agent.id]:
            if run.is_open:
                run.cancelled_by = f"policy: {reason}"
                self._stop(run)

    def note_end(self, run: Run) -> None:
        """Assign the sandbox of an ended run to the next one."""
        self._working.pop(run.id, None)
        if self._queue:
            self._queue = [(agent, queued) for agent, queued in self._queue if queued is not run]
            self._fill_slots()

    def _queue_run(self, agent: Agent, session: Session, given: RunInput, source: Source) -> Run:
        events = timeline.keep(session)
        run = self._world.start_run(
            agent, session=session, prompt=given.prompt, run_id=new_id(self._ids)
        )
        run.initial_state, run.source = given.initial_state, source
        timeline.asked(events, run)
        self._queue.append((agent, run))
        self._fill_slots()
        return run

    def _fill_slots(self) -> None:
        taken = Counter(execution.run.workspace.id for execution in self._working.values())
        for agent, run in list(self._queue):
            is_next = not any(other.is_open for other in _earlier_turns(run))
            if is_next and taken[run.workspace.id] < SLOTS:
                taken[run.workspace.id] += 1
                self._queue.remove((agent, run))
                self._working[run.id] = Execution(self._world, agent, run)

    def _stop(self, run: Run) -> None:
        execution = self._working.get(run.id)
        if run.status == "pending":
            self._world.finish_run(run, "cancelled")
        elif execution:
            execution.stop()
        else:
            self._world.live.put(self._world.now + DRAIN, lambda: self._end_planned_run(run))

    def _end_planned_run(self, run: Run) -> None:
        if run.is_open:
            self._world.finish_run(run, "cancelled")


def _require_active(agent: Agent) -> None:
    if agent.status != "active":
        raise RefusedError(f"The agent is {agent.status}; only an active one can run")


def _earlier_turns(run: Run) -> list[Run]:
    turns = run.session.runs
    return turns[: turns.index(run)]
