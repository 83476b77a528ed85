"""Windows, lag and corrections in the analytics responses."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from .conftest import NOW, Api

if TYPE_CHECKING:
    from analytics.emulator.records import Run

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def baker_run(api: Api, *moments: datetime) -> Run:
    """A run that started with the first moment and was metered at each."""
    agent = api.workspace.agent("baker") or api.world.add_agent(api.workspace, "Baker", "baker")
    run = api.world.start_run(agent, at=moments[0])
    for moment in moments:
        api.world.meter(
            run,
            model="m",
            provider="p",
            tokens_in=3,
            tokens_out=1,
            cost_usd=Decimal("0.5"),
            at=moment,
        )
    return run


def test_windows_are_half_open(api: Api) -> None:
    """A request at the start is inside, one at the end is not."""
    midnight = NOW.replace(hour=0, minute=0)
    baker_run(api, midnight - DAY, midnight)

    rows = api.get("/analytics/timeseries", start="2026-11-23", end="2026-11-24T00:00:00Z")

    assert [(row["bucket"], row["request_count"]) for row in rows] == [("2026-11-23T00:00:00Z", 1)]


def test_a_run_belongs_to_the_day_of_its_creation_whole(api: Api) -> None:
    """Agents' totals are by the run's creation, hours by the request."""
    midnight = NOW.replace(hour=0, minute=0)
    baker_run(api, midnight - HOUR, midnight + HOUR)
    day = {"start": "2026-11-23", "end": "2026-11-24"}

    assert [row["cost_usd"] for row in api.get("/analytics/agents", **day)] == [1]
    assert [row["cost_usd"] for row in api.get("/analytics/hourly", **day)] == [Decimal("0.5")]


def test_the_window_is_the_last_30_days_unless_told(api: Api) -> None:
    """Without start and end, the window is the last 30 days up to now."""
    baker_run(api, NOW - 31 * DAY, NOW - 29 * DAY, NOW)

    assert [row["request_count"] for row in api.get("/analytics/timeseries")] == [1, 1]


def test_an_offset_is_understood(api: Api) -> None:
    """A start with another offset is the same instant in UTC, one without is UTC."""
    baker_run(api, NOW)

    for start, rows in (
        ("2026-11-24T17:30:00+02:00", 1),
        ("2026-11-24T17:31:00+02:00", 0),
        ("2026-11-24T15:30:00", 1),
    ):
        assert len(api.get("/analytics/hourly", start=start)) == rows


def test_empty_buckets_are_left_out(api: Api) -> None:
    """A day without requests has no row."""
    baker_run(api, NOW - 5 * DAY, NOW)

    assert len(api.get("/analytics/billing")) == 2
    assert api.get("/analytics/billing", start="2026-01-01", end="2026-01-09") == []


def test_an_empty_workspace_has_empty_answers(api: Api) -> None:
    """Without agents and runs, lists are empty and totals zero."""
    for path in ("/runs/", "/agents/", "/analytics/hourly", "/analytics/agents"):
        assert api.get(path) == []
    summary = api.get("/analytics/summary")
    assert set(summary["current"].values()) == {0}
    assert summary["last_activity_at"] is None


def test_a_correction_counts_in_the_hour_that_it_is_made(api: Api) -> None:
    """A late correction changes the run, its model costs, its creation day, and today's hour."""
    run = baker_run(api, NOW)
    api.world.finish_run(run, "failed", error="ToolError: no flour")
    old_hour = api.get("/analytics/hourly")
    api.world.pass_time(3 * DAY)

    api.world.correct_cost(run, Decimal("0.25"))

    assert api.get(f"/runs/{run.id}")["cost_usd"] == Decimal("0.75")
    assert [r["total_cost"] for r in api.get(f"/analytics/runs/{run.id}/costs")] == [
        Decimal("0.75")
    ]
    day = {"start": "2026-11-24", "end": "2026-11-25"}
    assert [r["cost_usd"] for r in api.get("/analytics/agents", **day)] == [Decimal("0.75")]
    hours = api.get("/analytics/hourly")
    assert hours[:1] == old_hour
    assert [(r["hour"], r["cost_usd"]) for r in hours[1:]] == [
        ("2026-11-27T15:00:00Z", Decimal("0.25"))
    ]


def test_young_requests_are_invisible_to_analytics_alone(api: Api) -> None:
    """With a lag, analytics do not include requests that the run list already shows."""
    run = baker_run(api, NOW - HOUR, NOW)

    api.world.variants.analytics_lag_seconds = 60

    assert api.get(f"/runs/{run.id}")["cost_usd"] == 1
    for path in ("/analytics/hourly", "/analytics/agents", "/analytics/billing"):
        assert [row["request_count"] for row in api.get(path)] == [1]
    assert [r["request_count"] for r in api.get(f"/analytics/runs/{run.id}/costs")] == [1]
    assert api.get("/analytics/summary")["current"]["request_count"] == 1


def test_lagging_requests_appear_when_they_are_old_enough(api: Api) -> None:
    """A request becomes visible when it is exactly as old as the lag."""
    baker_run(api, NOW)
    api.world.variants.analytics_lag_seconds = 60
    assert api.get("/analytics/hourly") == []

    api.world.pass_time(timedelta(seconds=60))

    assert len(api.get("/analytics/hourly")) == 1


@pytest.mark.parametrize(
    ("path", "days"),
    [
        ("/analytics/hourly", 30),
        ("/analytics/timeseries?granularity=hour", 30),
        ("/analytics/timeseries/by-agent?granularity=hour", 30),
        ("/analytics/timeseries", 365),
        ("/analytics/timeseries/by-agent", 365),
        ("/analytics/billing", 365),
    ],
)
def test_a_window_beyond_the_cap_is_cut_or_refused(api: Api, path: str, days: int) -> None:
    """A window as long as the cap is served whole; a longer one loses its start, or gives 400."""
    baker_run(api, NOW - days * DAY, NOW)
    joint = "&" if "?" in path else "?"
    exact = f"{path}{joint}start={(NOW - days * DAY).isoformat()[:19]}&end={NOW.isoformat()[:19]}"
    longer = f"{path}{joint}start=2024-01-01&end=2026-11-24T15:30:01Z"

    assert [len(api.get(exact)), len(api.get(longer))] == [1, 1]

    api.world.variants.beyond_cap = "reject"
    assert api.answer(exact).status_code == 200
    response = api.answer(longer)
    assert response.status_code == 400
    assert isinstance(response.json()["detail"], str)


def test_a_duration_is_that_of_ended_runs(api: Api) -> None:
    """`total_duration_ms` adds start to finish, and leaves open runs out."""
    for seconds in (1.5, 2):
        run = baker_run(api, NOW)
        api.world.launch_run(run, at=NOW)
        api.world.finish_run(run, at=NOW + timedelta(seconds=seconds))
    api.world.launch_run(baker_run(api, NOW), at=NOW)

    [row] = api.get("/analytics/agents")

    assert row["total_duration_ms"] == 3500
    assert row["run_count"] == 3


def test_a_renamed_agent_has_its_new_name_everywhere(api: Api) -> None:
    """Analytics name agents by their current name; the slug stays."""
    run = baker_run(api, NOW)
    assert run.agent

    api.world.rename_agent(run.agent, "Pâtissier")

    for path in ("/analytics/agents", "/analytics/timeseries/by-agent"):
        names = [(row["agent_name"], row["agent_slug"]) for row in api.get(path)]
        assert names == [("Pâtissier", "baker")]
