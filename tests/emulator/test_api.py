"""Shapes, order, caps and errors of the read endpoints."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from .conftest import NOW, Api

if TYPE_CHECKING:
    from analytics.emulator.records import Run

RUN_KEYS = [
    "id", "status", "cost_usd", "tokens_in", "tokens_out", "started_at", "finished_at", "error",
    "agent_id", "agent_version_id", "agent_version", "parent_run_id", "session_id", "user_prompt",
    "created_at", "kind", "artifact_count", "artifact_count_truncated",
]  # fmt: skip
SHAPES = {
    "/auth/me": ["workspace_id", "workspace_name", "auth_method", "user"],
    "/agents/": [
        "id", "name", "slug", "description", "status", "config", "created_at", "updated_at",
        "draft_version",
    ],
    "/agents/support-triage/versions": [
        "id", "agent_id", "version", "description", "status", "parent_version", "created_at",
        "updated_at", "last_commit_at",
    ],
    "/runs/": RUN_KEYS,
    "/runs/{run}": RUN_KEYS,
    "/runs/{run}/log": ["url", "expires_in_seconds"],
    "/runs/{run}/log/events": ["events"],
    "/runs/{run}/artifacts": ["artifacts", "truncated"],
    "/runs/daily?agent_id={agent}": ["date", "status", "count"],
    "/sessions/{session}": [
        "id", "agent_id", "agent_version_id", "state", "created_at", "last_activity_at",
        "terminated_at", "rounds", "events",
    ],
    "/sessions/{session}/events": ["events"],
    "/analytics/summary": ["period", "start", "end", "current", "previous", "last_activity_at"],
    "/analytics/timeseries/by-agent": [
        "bucket", "agent_id", "agent_name", "agent_slug", "cost_usd", "billed_usd",
    ],
    "/analytics/hourly": [
        "hour", "agent_id", "model", "provider", "cost_usd", "tokens_in", "tokens_out",
        "request_count", "error_count",
    ],
    "/analytics/billing": [
        "date", "provider", "cost_usd", "billed_usd", "tokens_in", "tokens_out", "request_count",
    ],
    "/analytics/agents": [
        "agent_id", "agent_name", "agent_slug", "cost_usd", "billed_usd", "tokens_in",
        "tokens_out", "request_count", "run_count", "total_duration_ms", "last_run_at",
    ],
    "/analytics/platform-agents": [
        "platform_agent_id", "platform_agent_slug", "platform_agent_name", "run_count",
        "cost_usd", "billed_usd", "tokens_in", "tokens_out", "targets",
    ],
    "/analytics/runs/{run}/costs": [
        "run_id", "model", "provider", "total_cost", "total_tokens_in", "total_tokens_out",
        "request_count", "started_at", "ended_at",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def run(demo_api: Api) -> Run:
    """A run of support triage that ended, with files."""
    return next(r for r in demo_api.workspace.agent_runs if r.artifact_count and r.agent)


def path_of(path: str, run: Run) -> str:
    return path.format(run=run.id, session=run.session.id, agent=run.agent.id)


@pytest.mark.parametrize("path", SHAPES)
def test_answers_have_exactly_the_documented_keys(demo_api: Api, run: Run, path: str) -> None:
    """Each endpoint returns the documented keys and no others."""
    body = demo_api.get(path_of(path, run))
    records = body if isinstance(body, list) else [body]

    assert records
    assert {tuple(record) for record in records} == {tuple(SHAPES[path])}


def test_runs_come_newest_first_and_at_most_200(demo_api: Api, run: Run) -> None:
    """The list is ordered by creation, newest first; 50 by default, at most 200.

    An agent's list holds its runs alone; an unknown one has none.
    """
    pages = [demo_api.get("/runs/"), demo_api.get("/runs/", limit=1000)]
    of_agent = demo_api.get("/runs/", agent_id=run.agent.id, limit=200)

    assert [len(page) for page in pages] == [50, 200]
    created = [run["created_at"] for run in pages[1]]
    assert created == sorted(created, reverse=True)
    assert {item["agent_id"] for item in of_agent} == {run.agent.id}
    assert demo_api.get("/runs/", agent_id=str(uuid4())) == []


def test_timestamps_are_written_as_the_api_does(demo_api: Api, run: Run) -> None:
    """Records write a fraction if there is one, and an offset; analytics write Z, days a date."""
    record = demo_api.get(f"/runs/{run.id}")

    assert run.created_at.microsecond
    assert record["created_at"] == run.created_at.isoformat(timespec="microseconds")
    assert record["created_at"].endswith("+00:00")
    assert demo_api.get("/analytics/hourly")[0]["hour"].endswith(":00:00Z")
    assert len(demo_api.get("/analytics/billing")[0]["date"]) == len("2026-11-24")


def test_money_is_a_number_with_every_digit(api: Api) -> None:
    """Amounts are JSON numbers with exactly their digits."""
    run = api.world.start_run(api.workspace)
    for cost in ("0.10000000000000000555", "123456789.0000000001", "0.00000012"):
        api.world.meter(
            run, model=cost, provider="p", tokens_in=10**18, tokens_out=0, cost_usd=Decimal(cost)
        )

    costs = api.get(f"/analytics/runs/{run.id}/costs")

    assert {row["model"]: row["total_cost"] for row in costs} == {
        row["model"]: Decimal(row["model"]) for row in costs
    }
    record = api.answer(f"/runs/{run.id}").text
    assert '"cost_usd":123456789.10000012010000000555,"tokens_in":3000000000000000000,' in record


def test_analytics_are_narrowed_as_documented(demo_api: Api, run: Run) -> None:
    """Hours are of one agent where it is named; charges by agent come by hour, 30 days at most."""
    hours = demo_api.get("/analytics/hourly")
    of_agent = [row for row in hours if row["agent_id"] == run.agent.id]
    charges = demo_api.get("/analytics/timeseries/by-agent", granularity="hour")
    asked = demo_api.get("/analytics/hourly", agent_id=run.agent.id)

    assert asked == of_agent
    assert 0 < len(of_agent) < len(hours)
    assert demo_api.get("/analytics/hourly", agent_id=str(uuid4())) == []
    cost = {(row["bucket"], row["agent_id"]): row["cost_usd"] for row in charges}
    assert cost == {
        at: sum(row["cost_usd"] for row in hours if (row["hour"], row["agent_id"]) == at)
        for at in cost
    }


def test_log_events_are_limited_as_asked(demo_api: Api, run: Run) -> None:
    """`limit` gives the first events after `since`."""
    events = demo_api.get(f"/runs/{run.id}/log/events")["events"]

    some = demo_api.get(f"/runs/{run.id}/log/events", since=1, limit=2)["events"]

    assert some == events[1:3]


def test_a_platform_run_can_be_read_like_a_run(demo_api: Api) -> None:
    """Platform runs and their costs are read by id, and name the platform's agent for another."""
    run, *_ = demo_api.workspace.platform_runs.newest(1)
    record = demo_api.get(f"/runs/{run.id}")

    assert [*record] == [
        *RUN_KEYS, "platform_agent_id", "platform_agent_slug", "platform_agent_name"
    ]  # fmt: skip
    assert demo_api.get(f"/analytics/runs/{run.id}/costs")
    assert record["agent_id"] is None
    assert record["kind"] != "agent"


def test_daily_counts_cover_today_and_the_days_before(api: Api) -> None:
    """`days` counts UTC calendar days, today among them; empty days are left out."""
    agent = api.world.add_agent(api.workspace, "Baker", "baker")
    for days in (0, 6, 7):
        api.world.start_run(agent, at=NOW.replace(hour=0) - timedelta(days=days))

    rows = api.get("/runs/daily", agent_id=agent.id)

    assert [(row["date"], row["status"]) for row in rows] == [
        ("2026-11-18", "pending"),
        ("2026-11-24", "pending"),
    ]


def test_what_is_not_there_is_not_found(demo_api: Api) -> None:
    """An id that does not exist, or is of another workspace, gives 404 with a text."""
    other = demo_api.world.workspaces[1]
    run = next(run for run in other.runs.values() if run.agent)
    paths = ["/agents/nobody", "/agents/nobody/versions"]
    for run_id, session_id in ((uuid4(), uuid4()), (run.id, run.session.id)):
        paths += [f"/runs/{run_id}{end}" for end in ("", "/log", "/log/events", "/artifacts")]
        paths += [f"/sessions/{session_id}{end}" for end in ("", "/events")]
        paths += [f"/schedules/{session_id}"]
        paths += [f"/analytics/runs/{run_id}/costs"]
    for path in (*paths, f"/agents/{run.agent.id}"):
        response = demo_api.answer(path)
        assert response.status_code == 404, path
        assert isinstance(response.json()["detail"], str)
    assert demo_api.get("/runs/", agent_id=run.agent.id) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer levain_wrong"}, 401),
        ({"Authorization": "Basic bGV2YWlu"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"X-API-Key": "levain_wrong"}, 401),
        ({"X-API-Key": "KEY"}, 422),
    ],
)
def test_a_valid_key_is_checked_before_anything_else(
    demo_api: Api, headers: dict[str, str], status: int
) -> None:
    """Without a valid key, in one header or the other, the response is 401 with a text."""
    key = demo_api.workspace.api_key
    sent = {name: value.replace("KEY", key) for name, value in headers.items()}
    response = demo_api.keyless(
        "GET", f"{demo_api.emulator.url}/api/v1/runs/?limit=x", headers=sent
    )

    assert response.status_code == status
    assert isinstance(response.json()["detail"], str if status == 401 else list)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/runs/?limit=0", ["query", "limit"]),
        ("/runs/?agent_id=support-triage", ["query", "agent_id"]),
        ("/runs/daily?agent_id={id}&days=91", ["query", "days"]),
        ("/runs/not-a-uuid", ["path", "run_id"]),
        ("/analytics/timeseries/by-agent?granularity=week", ["query", "granularity"]),
    ],
)
def test_bad_parameters_are_named(demo_api: Api, path: str, where: list[str]) -> None:
    """A bad parameter gives FastAPI's 422, which names its place."""
    response = demo_api.answer(path.format(id=uuid4()))

    assert response.status_code == 422
    [item] = response.json()["detail"]
    assert item["loc"] == where
    assert {"loc", "msg", "type", "input"} <= set(item)


@pytest.mark.parametrize("path", ["/agents", "/runs"])
def test_a_collection_without_its_slash_is_redirected(demo_api: Api, path: str) -> None:
    """The two collection roots have a slash; without it the answer is 307."""
    response = demo_api.answer(path, limit=3)

    assert response.status_code == 307
    assert response.headers["location"] == f"{demo_api.emulator.url}/api/v1{path}/?limit=3"
