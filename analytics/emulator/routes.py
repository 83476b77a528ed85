"""The HTTP routes of a world."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Query, Request, Response

from analytics.emulator import outputs, serialize
from analytics.emulator.aggregates import Analytics, daily_counts
from analytics.emulator.calls import (
    Call,
    Given,
    LockedRoute,
    SignedRun,
    Window,
    answer,
    found,
    json_of,
    run_of,
)
from analytics.emulator.records import Artifact, Run, RunInput, RunList, hour_of, midnight_of
from analytics.emulator.world import World

PAGE_CAP = 200  # of lists of runs
LONGEST_LIST = 200  # of schedules
HOURS_CAP, DAYS_CAP = timedelta(days=30), timedelta(days=365)

router = APIRouter(prefix="/api/v1", route_class=LockedRoute)
files = APIRouter(prefix="/files", route_class=LockedRoute)


@router.get("/auth/me")
async def get_me(call: Call) -> Response:
    """Return the key's workspace."""
    workspace = {"workspace_id": call.workspace.id, "workspace_name": call.workspace.name}
    [me] = call.told("workspaces", [workspace])
    return json_of({**me, "auth_method": "api_key", "user": None})


@router.get("/byok")
async def list_keys(call: Call) -> Response:
    """Return the stored fields of each provider key, without its secret."""
    return json_of([serialize.key_record(key) for key in call.workspace.keys.values()])


@router.get("/agents/")
async def list_agents(call: Call) -> Response:
    """Return every listed agent."""
    agents = call.workspace.agents.values()
    return json_of(call.told("agents", list(map(serialize.agent_record, agents))))


@router.get("/agents/{agent_id}")
async def get_agent(call: Call, agent_id: str) -> Response:
    """Return an agent by id or slug."""
    [agent] = call.told("agents", [serialize.agent_record(call.agent(agent_id))])
    return json_of(agent)


@router.get("/agents/{agent_id}/versions")
async def list_versions(call: Call, agent_id: str) -> Response:
    """Return every version of an agent, oldest first."""
    agent = call.agent(agent_id)
    return json_of([serialize.version_record(agent, version) for version in agent.versions])


@router.post("/agents/{agent_id}/runs")
async def create_run(call: Call, agent_id: str, given: Given) -> Response:
    """Queue a run of the agent's active version."""
    return run_of(call.world, call.world.dispatch(call.agent(agent_id), given))


@router.post("/agents/{agent_id}/versions/{version}/runs")
async def create_pinned_run(call: Call, agent_id: str, version: int, given: Given) -> Response:
    """Queue a run of a version, which must be active."""
    agent = call.agent(agent_id)
    pinned = next((each for each in agent.versions if each.number == version), None)
    run = call.world.dispatch(agent, given, version=found("Version", pinned))
    return run_of(call.world, run)


@router.get("/agents/{agent_id}/schedules")
async def list_schedules(
    call: Call, agent_id: UUID, limit: Annotated[int, Query(ge=1, le=LONGEST_LIST)] = 50
) -> Response:
    """Return an agent's schedules, newest first; its slug is not accepted here."""
    agent = call.agent(str(agent_id))
    newest = [each for each in reversed(call.workspace.schedules.values()) if each.agent is agent]
    return json_of({"schedules": [serialize.schedule_record(each) for each in newest[:limit]]})


@router.get("/schedules/{schedule_id}")
async def get_schedule(call: Call, schedule_id: UUID) -> Response:
    """Return a schedule."""
    schedule = found("Schedule", call.workspace.schedules.get(str(schedule_id)))
    return json_of(serialize.schedule_record(schedule))


@router.post("/agents/{agent_id}/webhooks")
async def create_webhook(call: Call, agent_id: str) -> Response:
    """Create an agent's webhook; this response alone has its URL."""
    agent = call.agent(agent_id)
    webhook = call.world.create_webhook(agent)
    return json_of(serialize.webhook_record(agent, webhook, call.request.base_url), 201)


@router.post("/agents/{agent_id}/webhooks/rotate")
async def rotate_webhook(call: Call, agent_id: str) -> Response:
    """Replace a webhook's URL."""
    agent = call.agent(agent_id)
    webhook = found("Webhook", agent.webhook)
    webhook.secret = call.world.new_secret()
    return json_of(serialize.webhook_record(agent, webhook, call.request.base_url))


@router.delete("/agents/{agent_id}/webhooks")
async def delete_webhook(call: Call, agent_id: str) -> Response:
    """Delete an agent's webhook."""
    agent = call.agent(agent_id)
    webhook, agent.webhook = found("Webhook", agent.webhook), None
    return json_of({"id": webhook.id, "status": "deleted"})


@router.post("/webhooks/{webhook_id}/{secret}")
async def receive(
    request: Request, webhook_id: UUID, secret: str, event: Annotated[dict[str, Any], Body()]
) -> Response:
    """Start a run with the event, or a turn of the session that it names."""
    world: World = request.app.state.world
    agent = found("Webhook", world.agent_of_webhook(str(webhook_id), secret))
    session_id = event.pop("session_id", None)
    given = RunInput(initial_state=event)
    if session_id is None:
        run = world.dispatch(agent, given, source="event-driven")
    else:
        named = agent.workspace.sessions.get(str(session_id))
        session = found("Session", named if named and named.agent is agent else None)
        run = world.continue_session(session, given, source="event-driven")
    return run_of(world, run)


@router.get("/runs/")
async def list_runs(
    call: Call,
    limit: Annotated[int, Query(ge=1)] = 50,
    agent_id: UUID | None = None,
) -> Response:
    """Return the newest runs of the workspace or of one agent."""
    world, workspace, runs = call.world, call.workspace, call.workspace.agent_runs
    if agent_id is not None:
        runs = workspace.runs_by_agent.get(str(agent_id)) or RunList()
    size, has_links = min(limit, PAGE_CAP), world.variants.next_links
    before = call.request.query_params.get("before", "") if has_links else ""
    page = runs.newest(size, workspace.runs.get(before))
    response = answer(serialize.encode_runs(world.lies, page))
    if has_links and len(page) == size:
        url = call.request.url.include_query_params(before=page[-1].id)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response


@router.get("/runs/daily")
async def count_runs_by_day(
    call: Call, agent_id: UUID, days: Annotated[int, Query(ge=1, le=90)] = 7
) -> Response:
    """Return an agent's runs by UTC day of creation and status."""
    counts = daily_counts(call.workspace, str(agent_id), days, call.world.now)
    return json_of(call.told("run_counts", counts, agent_id=str(agent_id)))


@router.get("/runs/{run_id}")
async def get_run(call: Call, run_id: UUID) -> Response:
    """Return a run, of an agent or of the platform."""
    return run_of(call.world, call.run(run_id), 200)


@router.get("/runs/{run_id}/log")
async def get_log_address(call: Call, run_id: UUID) -> Response:
    """Return the address of the log of an ended run."""
    run = call.run(run_id)
    if run.is_open:
        raise HTTPException(404, "Log is not available until the run finishes")
    return call.address(f"/files/runs/{run.id}/log")


@router.get("/runs/{run_id}/log/events")
async def list_log_events(
    call: Call,
    run_id: UUID,
    since: int = 0,
    limit: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Return a run's signal-level log events after a `seq`."""
    run = call.run(run_id)
    if run.is_open and not call.world.variants.open_run_events:
        raise HTTPException(404, "Log is not available until the run finishes")
    return _events(outputs.log_events(run), since, limit)


@router.get("/runs/{run_id}/artifacts")
async def list_artifacts(call: Call, run_id: UUID) -> Response:
    """Return the files that a run published."""
    return json_of(serialize.artifact_list(outputs.artifacts(call.run(run_id))))


@router.get("/runs/{run_id}/artifacts/{key:path}/url")
async def get_artifact_address(call: Call, run_id: UUID, key: str) -> Response:
    """Return the address of a file."""
    run = call.run(run_id)
    _find_artifact(run, key)
    return call.address(f"/files/runs/{run.id}/artifacts/{key}")


@router.get("/sessions/{session_id}")
async def get_session(call: Call, session_id: UUID, since: int = 0) -> Response:
    """Return a session with its events after a `seq`."""
    session = call.session(session_id)
    events = _after(since, outputs.session_events(session))
    return json_of(serialize.session_record(session, call.world.now, events))


@router.get("/sessions/{session_id}/events")
async def list_session_events(call: Call, session_id: UUID, since: int = 0) -> Response:
    """Return a session's events after a `seq`."""
    return _events(outputs.session_events(call.session(session_id)), since)


@router.post("/sessions/{session_id}/messages")
async def send_message(call: Call, session_id: UUID, given: Given) -> Response:
    """Add a message to a session, which starts another run, and return the new event alone."""
    session = call.session(session_id)
    call.world.continue_session(session, given)
    events = outputs.session_events(session)[-1:]
    return json_of(serialize.session_record(session, call.world.now, events))


@router.post("/sessions/{session_id}/cancel")
async def cancel(call: Call, session_id: UUID) -> Response:
    """Interrupt the runs of a session and terminate it; its events stay readable."""
    session = call.session(session_id)
    call.world.cancel(session)
    return json_of(serialize.session_record(session, call.world.now, []))


@router.get("/analytics/summary")
async def get_summary(
    call: Call, period: Literal["day", "week", "month", "quarter"] = "month"
) -> Response:
    """Return a period's totals and those of the one before."""
    return json_of(call.analytics.summary(period, call.world.now))


@router.get("/analytics/runs/{run_id}/costs")
async def get_run_costs(call: Call, run_id: UUID) -> Response:
    """Return a run's totals by model and provider."""
    return json_of(call.told("run_costs", call.analytics.run_costs(call.run(run_id))))


@router.get("/analytics/hourly")
async def get_hours(call: Call, window: Window, agent_id: UUID | None = None) -> Response:
    """Return usage by hour, agent, model and provider, of all agents or of one."""
    rows = partial(call.analytics.hourly, agent_id=str(agent_id) if agent_id else None)
    return call.window("usage_hours", rows, window, HOURS_CAP)


@router.get("/analytics/timeseries/by-agent")
async def get_agent_charges(
    call: Call, window: Window, granularity: Literal["hour", "day"] = "day"
) -> Response:
    """Return cost and bill by agent, and by day or hour."""
    start_of, cap = _BUCKETS[granularity]
    rows = partial(call.analytics.timeseries_by_agent, start_of=start_of)
    return call.window("agent_billing_days", rows, window, cap)


_BUCKETS = {"hour": (hour_of, HOURS_CAP), "day": (midnight_of, DAYS_CAP)}
_WINDOWS = {
    "billing": ("billing_days", Analytics.billing, DAYS_CAP),
    "agents": ("agent_rollups", Analytics.agents, timedelta.max),
    "platform-agents": ("platform_rollups", Analytics.platform_agents, timedelta.max),
}


@router.get("/analytics/{name}")
async def get_window(call: Call, name: str, window: Window) -> Response:
    """Return charges, or totals of the runs created in the window."""
    endpoint, rows, cap = found("Page", _WINDOWS.get(name))
    return call.window(endpoint, partial(rows, call.analytics), window, cap)


@files.get("/runs/{run_id}/log")
async def download_log(run: SignedRun) -> Response:
    """Return the log of a run that has ended."""
    return Response(outputs.raw_log(run), media_type="text/plain")


@files.get("/runs/{run_id}/artifacts/{key:path}")
async def download_artifact(run: SignedRun, key: str) -> Response:
    """Return a file that a run published."""
    file = _find_artifact(run, key)
    return Response(file.content, media_type=file.content_type)


def _events(events: list[dict[str, Any]], since: int, limit: int | None = None) -> Response:
    return json_of({"events": _after(since, events)[:limit]})


def _after(since: int, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["seq"] > since]


def _find_artifact(run: Run, key: str) -> Artifact:
    """Return a file of the run, also one beyond the list, or answer 404."""
    files = outputs.artifacts(run)
    return found("Artifact", next((file for file in files if file.key == key), None))
