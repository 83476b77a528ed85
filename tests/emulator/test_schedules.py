"""Schedules of the demo's agents, which start runs."""

from __future__ import annotations

from datetime import timedelta

from analytics.emulator.catalogue import GLM
from analytics.emulator.chance import CODE
from analytics.emulator.records import Agent, RunInput, Schedule
from analytics.emulator.workers import Habit, Worker

from .conftest import NOBODY, Api

KEYS = [
    "id", "agent_id", "agent_version_id", "cron_expr", "timezone", "prompt", "initial_state",
    "enabled", "next_fire_at", "last_fired_at", "last_run_id", "created_at",
]  # fmt: skip


def test_a_schedule_starts_runs(api: Api, agent: Agent) -> None:
    """At each match a scheduled run starts, and the schedule has its id."""
    world, tomorrow = api.world, api.world.now.replace(hour=0, minute=0) + timedelta(days=1)
    schedule = Schedule(
        NOBODY, agent, "30 1,2 * * *", "Asia/Kolkata", RunInput("Bread?"), world.now
    )
    api.workspace.schedules[NOBODY] = schedule
    habit = Habit(runs_per_day=0, traffic=CODE, offers=(GLM,))
    Worker(world, agent, habit, "baker", schedule=schedule).work_from(tomorrow)
    world.pass_time(timedelta(days=1))
    assert api.get("/runs/") == []

    world.pass_time(timedelta(days=1))

    runs = api.get("/runs/")
    assert [run["created_at"][11:16] for run in runs] == ["21:00", "20:00"]
    [after] = api.get(f"/agents/{agent.id}/schedules")["schedules"]
    assert list(after) == KEYS
    assert api.get(f"/schedules/{NOBODY}") == after
    assert after["agent_version_id"] == agent.versions[0].id
    assert after["last_run_id"] == runs[0]["id"]
    assert after["last_fired_at"] == "2026-11-25T21:00:00+00:00" == runs[0]["created_at"]
    assert after["next_fire_at"] == "2026-11-26T20:00:00+00:00"
    [message] = api.get(f"/sessions/{runs[0]['session_id']}/events")["events"][:1]
    assert message["source"] == "scheduled"
