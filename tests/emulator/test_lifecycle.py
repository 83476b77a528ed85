"""Invariants of the emulator under random triggers, messages, cancellations, pauses and waits."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from itertools import groupby
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from analytics.emulator import World
from analytics.emulator.runs.orchestrator import SLOTS

from .conftest import NOW, serving

TEXTS = st.sampled_from(
    ["Bread?", "[fail]", "[flaky] [artifacts]", "[broken]", "[slow]", "[endless]", "[over-budget]"]
)
SECONDS = st.sampled_from([9.0, 4.0, 2.0, 0.7, 40.0, 3600.0])
PATHS = (
    ["pending"],
    ["pending", "running"],
    ["pending", "cancelled"],
    *(["pending", "running", end] for end in ("succeeded", "failed", "cancelled")),
)
GROWING = ("cost_usd", "tokens_in", "tokens_out", "artifact_count")
TERMINAL = {"succeeded", "failed", "cancelled"}


class Lifecycle(RuleBasedStateMachine):
    """A workspace with one agent, used at random."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.api = self.stack.enter_context(serving(World.empty(1, NOW)))
        self.agent = self.api.world.add_agent(self.api.workspace, "Baker", "baker")
        self.runs: dict[str, dict[str, Any]] = {}
        self.timelines: dict[str, list[Any]] = {}

    def teardown(self) -> None:
        self.stack.close()

    def sessions(self) -> list[str]:
        return sorted({run["session_id"] for run in self.runs.values()})

    @initialize(texts=st.lists(TEXTS, min_size=3, max_size=6))
    def begin(self, texts: list[str]) -> None:
        for text in texts:
            self.trigger(text)

    @rule(text=TEXTS)
    def trigger(self, text: str) -> None:
        answer = 201 if self.agent.status == "active" else 409
        self.api.post("/agents/baker/runs", {"prompt": text}, status=answer)
        self.wait(0.7)

    @precondition(lambda self: self.runs)
    @rule(text=TEXTS, data=st.data())
    def say(self, text: str, data: st.DataObject) -> None:
        session_id = data.draw(st.sampled_from(self.sessions()))
        is_over = self.api.get(f"/sessions/{session_id}")["state"] == "terminated"
        answer = 409 if is_over or self.agent.status != "active" else 200
        self.api.post(f"/sessions/{session_id}/messages", {"prompt": text}, status=answer)
        self.wait(2)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        session_id = data.draw(st.sampled_from(self.sessions()))
        session = self.api.post(f"/sessions/{session_id}/cancel", status=200)
        assert session["state"] == "terminated"
        self.wait(2)

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.api.world.pass_time(timedelta(seconds=seconds))

    @rule(status=st.sampled_from(["active", "paused"]))
    def change_agent(self, status: str) -> None:
        self.api.world.set_agent_status(self.agent, status)

    @invariant()
    def runs_only_go_forward(self) -> None:
        """Figures never fall, what has ended stays, and each cost is the sum of its requests."""
        runs = {run["id"]: run for run in self.api.get("/runs/", limit=200)}
        assert runs.keys() >= self.runs.keys()
        for run_id, run in runs.items():
            before = self.runs.get(run_id, run)
            assert all(run[name] >= before[name] for name in GROWING)
            assert run == before or before["status"] not in TERMINAL
            if run != before or run_id not in self.runs:
                self.check_figures(run)
        self.runs = runs
        total = sum(run["cost_usd"] for run in runs.values())
        assert total == sum(row["cost_usd"] for row in self.api.get("/analytics/timeseries"))

    def check_figures(self, run: dict[str, Any]) -> None:
        rows = self.api.get(f"/analytics/runs/{run['id']}/costs")
        assert run["cost_usd"] == sum(row["total_cost"] for row in rows)
        assert run["tokens_in"] == sum(row["total_tokens_in"] for row in rows)
        assert run["tokens_out"] == sum(row["total_tokens_out"] for row in rows)
        assert (run["error"] is not None) == (run["status"] == "failed")
        assert (run["finished_at"] is not None) == (run["status"] in TERMINAL)
        assert self.api.answer(f"/runs/{run['id']}/log").status_code == (
            200 if run["status"] in TERMINAL else 404
        )

    @invariant()
    def timelines_only_grow(self) -> None:
        """Session and log events count from 1 without a gap, and none comes twice or changes."""
        paths = [f"/sessions/{session_id}/events" for session_id in self.sessions()]
        paths += [f"/runs/{run_id}/log/events" for run_id in self.runs]
        for path in paths:
            events = self.api.get(path)["events"]
            before = self.timelines.get(path, [])
            assert events[: len(before)] == before
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
            self.timelines[path] = events

    @invariant()
    def transitions_are_legal(self) -> None:
        """Each run's status followed a documented path, with one event for each step."""
        for session_id in self.sessions():
            events = sorted(
                self.timelines[f"/sessions/{session_id}/events"], key=lambda e: e["run_id"]
            )
            for run_id, mine in groupby(events, key=lambda event: event["run_id"]):
                told = list(mine)
                path = ["pending", *(e["status"] for e in told if e["type"] == "status")]
                assert path in PATHS
                assert path[-1] == self.runs[run_id]["status"]
                steps = [event["step"] for event in told if event["type"] == "step"]
                assert steps == list(range(1, len(steps) + 1))

    @invariant()
    def sandboxes_are_few(self) -> None:
        """Running runs never exceed the sandboxes, nor one in a session."""
        working = [run["session_id"] for run in self.runs.values() if run["status"] == "running"]
        assert len(working) <= SLOTS
        assert len(set(working)) == len(working)


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(
    max_examples=12,
    stateful_step_count=15,
    phases=[Phase.generate],  # to shrink a failure would start a server for each try
)
