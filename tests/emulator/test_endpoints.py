"""The endpoints that the emulator serves."""

from __future__ import annotations

from fastapi.routing import APIRoute

from analytics.emulator import routes

# Each endpoint, with the section of the Runs guide or of the API reference that describes it.
ENDPOINTS = {
    "GET /api/v1/auth/me": "API 2.7 Authentication, workspace, BYOK",
    "GET /api/v1/byok": "API 2.7 Authentication, workspace, BYOK",
    "GET /api/v1/agents/": "API 2.3 Agents and versions",
    "GET /api/v1/agents/{agent_id}": "API 2.3 Agents and versions",
    "GET /api/v1/agents/{agent_id}/versions": "API 2.3 Agents and versions",
    "POST /api/v1/agents/{agent_id}/runs": "guide: Trigger a run",
    "POST /api/v1/agents/{agent_id}/versions/{version}/runs": "API 2.2 Dispatch",
    "POST /api/v1/agents/{agent_id}/webhooks": "API 2.2 Dispatch",
    "POST /api/v1/agents/{agent_id}/webhooks/rotate": "API 2.2 Dispatch",
    "DELETE /api/v1/agents/{agent_id}/webhooks": "API 2.2 Dispatch",
    "POST /api/v1/webhooks/{webhook_id}/{secret}": "API 2.2 Dispatch",
    "GET /api/v1/agents/{agent_id}/schedules": "API 2.4 Schedules",
    "GET /api/v1/schedules/{schedule_id}": "API 2.4 Schedules",
    "GET /api/v1/runs/": "API 2.1 Runs",
    "GET /api/v1/runs/daily": "API 2.1 Runs",
    "GET /api/v1/runs/{run_id}": "guide: Watch a run",
    "GET /api/v1/runs/{run_id}/log": "guide: Watch a run",
    "GET /api/v1/runs/{run_id}/log/events": "guide: Watch a run",
    "GET /api/v1/runs/{run_id}/artifacts": "API 2.1 Runs",
    "GET /api/v1/runs/{run_id}/artifacts/{key}/url": "API 2.1 Runs",
    "GET /files/runs/{run_id}/log": "API 4.1 Raw log file",
    "GET /files/runs/{run_id}/artifacts/{key}": "API 2.1 Runs",
    "GET /api/v1/sessions/{session_id}": "API 2.5 Sessions",
    "GET /api/v1/sessions/{session_id}/events": "API 2.5 Sessions",
    "POST /api/v1/sessions/{session_id}/messages": "API 2.5 Sessions",
    "POST /api/v1/sessions/{session_id}/cancel": "guide: Cancel a run",
    "GET /api/v1/analytics/summary": "API 2.6 Analytics",
    "GET /api/v1/analytics/timeseries/by-agent": "API 2.6 Analytics",
    "GET /api/v1/analytics/hourly": "API 2.6 Analytics",
    "GET /api/v1/analytics/billing": "API 2.6 Analytics",
    "GET /api/v1/analytics/agents": "API 2.6 Analytics",
    "GET /api/v1/analytics/platform-agents": "API 2.6 Analytics",
    "GET /api/v1/analytics/runs/{run_id}/costs": "API 2.6 Analytics",
}


def test_every_documented_endpoint_is_served() -> None:
    """The routes and the table have the same endpoints."""
    served = set()
    for route in (*routes.router.routes, *routes.files.routes):
        assert isinstance(route, APIRoute)
        names = routes._WINDOWS if "{name}" in route.path else ("",)
        path = route.path.replace(":path", "")
        for method in route.methods:
            served |= {f"{method} {path.replace('{name}', name)}" for name in names}

    assert served == ENDPOINTS.keys()
