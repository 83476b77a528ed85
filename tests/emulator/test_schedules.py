"""Schedules that start runs of agents."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Api

if TYPE_CHECKING:
    from analytics.emulator.records import Agent

KEYS = [
    "id", "agent_id", "agent_version_id", "cron_expr", "timezone", "prompt", "initial_state",
    "enabled", "next_fire_at", "last_fired_at", "last_run_id", "created_at",
]  # fmt: skip
HOUR = timedelta(hours=1)


def create(api: Api, agent: Agent, **fields: Any) -> dict[str, Any]:
    body = {"cron_expr": "0 * * * *", "prompt": "Bread?"} | fields
    schedule: dict[str, Any] = api.post(f"/agents/{agent.id}/schedules", body)
    return schedule


def patch(api: Api, schedule: dict[str, Any], body: object, status: int = 200) -> Any:
    response = api.send("PATCH", f"/schedules/{schedule['id']}", body)
    assert response.status_code == status, response.text
    return response.json()


def read(api: Api, schedule: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/schedules/{schedule['id']}")
    return found


def test_a_schedule_starts_runs(api: Api, agent: Agent) -> None:
    """At each match a scheduled run starts, and the schedule has its id."""
    schedule = create(api, agent)
    assert list(schedule) == KEYS
    assert schedule["timezone"] == "UTC"
    assert schedule["agent_version_id"] == agent.versions[0].id
    assert (schedule["last_run_id"], schedule["last_fired_at"]) == (None, None)

    api.world.pass_time(3 * HOUR)

    runs = api.get("/runs/")
    assert [run["created_at"][11:16] for run in runs] == ["18:00", "17:00", "16:00"]
    assert {run["status"] for run in runs} == {"succeeded"}
    after = read(api, schedule)
    assert after["last_run_id"] == runs[0]["id"]
    assert after["last_fired_at"] == "2026-11-24T18:00:00+00:00"
    assert after["next_fire_at"] == "2026-11-24T19:00:00+00:00"
    [message] = api.get(f"/sessions/{runs[0]['session_id']}/events")["events"][:1]
    assert (message["text"], message["source"]) == ("Bread?", "scheduled")


def test_a_paused_schedule_is_not_made_up_for(api: Api, agent: Agent) -> None:
    """Paused it does nothing; resumed it goes on from now, with no firing for the past."""
    schedule = create(api, agent)
    assert patch(api, schedule, {"enabled": False})["next_fire_at"] is None
    api.world.pass_time(5 * HOUR)
    assert api.get("/runs/") == []

    resumed = patch(api, schedule, {"enabled": True})
    assert resumed["next_fire_at"] == "2026-11-24T21:00:00+00:00"
    api.world.pass_time(HOUR)

    assert len(api.get("/runs/")) == 1


def test_a_change_counts_from_now(api: Api, agent: Agent) -> None:
    """Another expression or zone takes the place of the old one, which fires no more."""
    schedule = create(api, agent)
    for _ in range(3):
        patch(api, schedule, {"enabled": True})
    changed = patch(api, schedule, {"cron_expr": "45 * * * *", "timezone": "Asia/Kolkata"})
    api.world.pass_time(HOUR)

    assert changed["next_fire_at"] == "2026-11-24T16:15:00+00:00"
    assert [run["created_at"][11:16] for run in api.get("/runs/")] == ["16:15"]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"cron_expr": "every morning"}, ["body", "cron_expr"]),
        ({"cron_expr": "0 0 30 2 *"}, ["body", "cron_expr"]),
        ({"timezone": "Mars/Olympus"}, ["body", "timezone"]),
        ({"timezone": "../../etc/passwd"}, ["body", "timezone"]),
        ({"prompt": None}, ["body"]),
        ({"initial_state": {}}, ["body"]),
    ],
)
def test_what_is_no_schedule_is_refused(
    api: Api, agent: Agent, fields: dict[str, Any], where: list[str]
) -> None:
    """A bad expression, zone or input is named, and nothing is created or changed."""
    body = {"cron_expr": "0 * * * *", "prompt": "Bread?"} | fields
    response = api.send("POST", f"/agents/{agent.id}/schedules", body)

    assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, where)
    assert api.get(f"/agents/{agent.id}/schedules") == {"schedules": []}
    schedule = create(api, agent)
    if where[-1] in fields and fields[where[-1]] is not None:
        patch(api, schedule, fields, status=422)
    assert read(api, schedule) == schedule
