"""The HTTP routes of a world."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Body, Depends, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from analytics.emulator import outputs, serialize
from analytics.emulator.aggregates import Analytics, daily_counts
from analytics.emulator.records import (
    Agent,
    Artifact,
    RefusedError,
    Run,
    RunInput,
    RunList,
    Session,
    Workspace,
    hour_of,
    midnight_of,
)
from analytics.emulator.world import World

T = TypeVar("T")
_Window = tuple[datetime | None, datetime | None]
PAGE_CAP = 200  # of lists of runs
LONGEST_LIST = 200  # of schedules
HOURS_CAP, DAYS_CAP = timedelta(days=30), timedelta(days=365)
DEFAULT_WINDOW = timedelta(days=30)
ADDRESS_SECONDS = 300  # that the address of a log or an artifact is good for


class _LockedRoute(APIRoute):
    """A route for which the world stands still while it builds its response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, in the world's lock."""
        handle = super().get_route_handler()

        async def locked(request: Request) -> Response:
            try:
                await request.body()  # read before, so that no slow sender holds it
            except ClientDisconnect:
                return Response(status_code=400)  # which nobody gets
            world: World = request.app.state.world
            with world.at_one_moment():
                try:
                    return await handle(request)
                except RefusedError as error:
                    raise HTTPException(409, str(error)) from error
                except OverflowError as error:  # of a time that no calendar holds
                    raise HTTPException(422, str(error)) from error

        return locked


router = APIRouter(prefix="/api/v1", route_class=_LockedRoute)
files = APIRouter(prefix="/files", route_class=_LockedRoute)


@dataclass(frozen=True, slots=True)
class _Call:
    """A request with a valid key, and the workspace of the key."""

    request: Request
    world: World
    workspace: Workspace

    @property
    def analytics(self) -> Analytics:
        """The sums of the workspace's ledger."""
        return Analytics(self.workspace, self.world.now + timedelta.resolution)

    def run(self, run_id: UUID) -> Run:
        """Return a run, or answer 404."""
        return _found("Run", self.workspace.runs.get(str(run_id)))

    def agent(self, id_or_slug: str) -> Agent:
        """Return an agent, or answer 404."""
        return _found("Agent", self.workspace.agent(id_or_slug))

    def session(self, session_id: UUID) -> Session:
        """Return a session, or answer 404."""
        return _found("Session", self.workspace.sessions.get(str(session_id)))

    def told(
        self, endpoint: str, records: list[dict[str, Any]], **requested: str
    ) -> list[dict[str, Any]]:
        """Return the records of an endpoint, altered by the lies that tests ordered of it."""
        workspace_id = self.workspace.id
        return self.world.lies.alter(endpoint, records, workspace_id=workspace_id, **requested)

    def window(
        self,
        endpoint: str,
        rows: Callable[[datetime, datetime], list[dict[str, Any]]],
        window: _Window,
        cap: timedelta,
    ) -> Response:
        """Return the records of [start, end), by default the last 30 days; cut to the cap."""
        now = self.world.now + timedelta.resolution  # the present is part of it
        start, end = window
        end = _utc(end) if end else now
        start = _utc(start) if start else end - DEFAULT_WINDOW
        if end - start > cap:
            start = end - cap
        requested = {"start": serialize.instant(start), "end": serialize.instant(end)}
        return _json(self.told(endpoint, rows(start, end), **requested))

    def address(self, path: str) -> Response:
        """Return a time-limited address that serves a file without a key."""
        expires = int(self.world.now.timestamp()) + ADDRESS_SECONDS
        signature = _signature(self.world, path, expires)
        url = f"{self.request.base_url}{quote(path[1:])}?expires={expires}&signature={signature}"
        return _json({"url": url, "expires_in_seconds": ADDRESS_SECONDS})


async def _call(request: Request) -> _Call:
    """Return the request with its key's workspace, or answer 401."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key")
    world: World = request.app.state.world
    workspace = world.workspace_of(key) if key else None
    if workspace is None:
        reason = "Invalid API key" if key else "Not authenticated"
        raise HTTPException(401, reason, {"WWW-Authenticate": "Bearer"})
    return _Call(request, world, workspace)


async def _given(
    prompt: Annotated[str | None, Body(min_length=1)] = None,
    initial_state: Annotated[dict[str, Any] | None, Body()] = None,
) -> RunInput:
    """Return the input of a run, or answer 422 unless it is a prompt or a state."""
    if (prompt is None) == (initial_state is None):
        raise HTTPException(422, "give either prompt or initial_state")
    return RunInput(prompt, initial_state)


async def _window(start: datetime | None = None, end: datetime | None = None) -> _Window:
    return start, end


Call = Annotated[_Call, Depends(_call)]
Given = Annotated[RunInput, Depends(_given)]
Window = Annotated[_Window, Depends(_window)]


@router.get("/auth/me")
async def get_me(call: Call) -> Response:
    """Return the key's workspace."""
    me = {"workspace_id": call.workspace.id, "workspace_name": call.workspace.name}
    return _json({**me, "auth_method": "api_key", "user": None})


@router.get("/byok")
async def list_keys(call: Call) -> Response:
    """Return the stored fields of each provider key, without its secret."""
    return _json([serialize.key_record(key) for key in call.workspace.keys.values()])


@router.get("/agents/")
async def list_agents(call: Call) -> Response:
    """Return every listed agent."""
    agents = call.workspace.agents.values()
    return _json(call.told("agents", list(map(serialize.agent_record, agents))))


@router.get("/agents/{agent_id}")
async def get_agent(call: Call, agent_id: str) -> Response:
    """Return an agent by id or slug."""
    [agent] = call.told("agents", [serialize.agent_record(call.agent(agent_id))])
    return _json(agent)


@router.get("/agents/{agent_id}/versions")
async def list_versions(call: Call, agent_id: str) -> Response:
    """Return every version of an agent, oldest first."""
    agent = call.agent(agent_id)
    return _json([serialize.version_record(agent, version) for version in agent.versions])


@router.post("/agents/{agent_id}/runs")
async def create_run(call: Call, agent_id: str, given: Given) -> Response:
    """Queue a run of the agent's active version."""
    return _run(call.world, call.world.dispatch(call.agent(agent_id), given))


@router.post("/agents/{agent_id}/versions/{version}/runs")
async def create_pinned_run(call: Call, agent_id: str, version: int, given: Given) -> Response:
    """Queue a run of a version, which must be active."""
    agent = call.agent(agent_id)
    pinned = next((each for each in agent.versions if each.number == version), None)
    run = call.world.dispatch(agent, given, version=_found("Version", pinned))
    return _run(call.world, run)


@router.get("/agents/{agent_id}/schedules")
async def list_schedules(
    call: Call, agent_id: UUID, limit: Annotated[int, Query(ge=1, le=LONGEST_LIST)] = 50
) -> Response:
    """Return an agent's schedules, newest first; its slug is not accepted here."""
    agent = call.agent(str(agent_id))
    found = [each for each in reversed(call.workspace.schedules.values()) if each.agent is agent]
    return _json({"schedules": [serialize.schedule_record(each) for each in found[:limit]]})


@router.post("/agents/{agent_id}/webhooks")
async def create_webhook(call: Call, agent_id: str) -> Response:
    """Create an agent's webhook; this response alone has its URL."""
    agent = call.agent(agent_id)
    webhook = call.world.create_webhook(agent)
    return _json(serialize.webhook_record(agent, webhook, call.request.base_url), 201)


@router.post("/agents/{agent_id}/webhooks/rotate")
async def rotate_webhook(call: Call, agent_id: str) -> Response:
    """Replace a webhook's URL."""
    agent = call.agent(agent_id)
    webhook = _found("Webhook", agent.webhook)
    webhook.secret = call.world.new_secret()
    return _json(serialize.webhook_record(agent, webhook, call.request.base_url))


@router.delete("/agents/{agent_id}/webhooks")
async def delete_webhook(call: Call, agent_id: str) -> Response:
    """Delete an agent's webhook."""
    agent = call.agent(agent_id)
    webhook, agent.webhook = _found("Webhook", agent.webhook), None
    return _json({"id": webhook.id, "status": "deleted"})


@router.post("/webhooks/{webhook_id}/{secret}")
async def receive(
    request: Request, webhook_id: UUID, secret: str, event: Annotated[dict[str, Any], Body()]
) -> Response:
    """Start a run with the event, or a turn of the session that it names."""
    world: World = request.app.state.world
    agent = _found("Webhook", world.agent_of_webhook(str(webhook_id), secret))
    session_id = event.pop("session_id", None)
    given = RunInput(initial_state=event)
    if session_id is None:
        run = world.dispatch(agent, given, source="event-driven")
    else:
        named = agent.workspace.sessions.get(str(session_id))
        session = _found("Session", named if named and named.agent is agent else None)
        run = world.continue_session(session, given, source="event-driven")
    return _run(world, run)


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
    response = _raw(serialize.encode_runs(world.lies, page))
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
    return _json(call.told("run_counts", counts, agent_id=str(agent_id)))


@router.get("/runs/{run_id}")
async def get_run(call: Call, run_id: UUID) -> Response:
    """Return a run, of an agent or of the platform."""
    return _run(call.world, call.run(run_id), 200)


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
    return _json(serialize.artifact_list(outputs.artifacts(call.run(run_id))))


@router.get("/runs/{run_id}/artifacts/{key:path}/url")
async def get_artifact_address(call: Call, run_id: UUID, key: str) -> Response:
    """Return the address of a file."""
    run = call.run(run_id)
    _find_artifact(run, key)
    return call.address(f"/files/runs/{run.id}/artifacts/{key}")


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
    return _json(serialize.session_record(session, call.world.now, events))


@router.post("/sessions/{session_id}/cancel")
async def cancel(call: Call, session_id: UUID) -> Response:
    """Interrupt the runs of a session and terminate it; its events stay readable."""
    session = call.session(session_id)
    call.world.cancel(session)
    return _json(serialize.session_record(session, call.world.now, []))


@router.get("/analytics/summary")
async def get_summary(
    call: Call, period: Literal["day", "week", "month", "quarter"] = "month"
) -> Response:
    """Return a period's totals and those of the one before."""
    return _json(call.analytics.summary(period, call.world.now))


@router.get("/analytics/runs/{run_id}/costs")
async def get_run_costs(call: Call, run_id: UUID) -> Response:
    """Return a run's totals by model and provider."""
    return _json(call.told("run_costs", call.analytics.run_costs(call.run(run_id))))


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
    endpoint, rows, cap = _found("Page", _WINDOWS.get(name))
    return call.window(endpoint, partial(rows, call.analytics), window, cap)


async def _signed_run(request: Request, run_id: UUID, expires: int = 0, signature: str = "") -> Run:
    """Return the run of an address that authorizes its file without a key, or answer 403."""
    world: World = request.app.state.world
    if signature != _signature(world, request.scope["path"], expires):
        raise HTTPException(403, "The signature does not match")
    if world.now.timestamp() >= expires:
        raise HTTPException(403, "The address has expired")
    found = (workspace.runs.get(str(run_id)) for workspace in world.workspaces)
    return _found("Run", next(filter(None, found), None))


SignedRun = Annotated[Run, Depends(_signed_run)]


@files.get("/runs/{run_id}/log")
async def download_log(run: SignedRun) -> Response:
    """Return the log of a run that has ended."""
    return Response(outputs.raw_log(run), media_type="text/plain")


@files.get("/runs/{run_id}/artifacts/{key:path}")
async def download_artifact(run: SignedRun, key: str) -> Response:
    """Return a file that a run published."""
    file = _find_artifact(run, key)
    return Response(file.content, media_type=file.content_type)


def _json(value: object, status: int = 200) -> Response:
    """Return a value as JSON in which money keeps every digit."""
    return _raw(serialize.encode(value), status)


def _run(world: World, run: Run, status: int = 201) -> Response:
    return _raw(serialize.encode_run(world.lies, run), status)


def _raw(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


def _events(events: list[dict[str, Any]], since: int, limit: int | None = None) -> Response:
    return _json({"events": [event for event in events if event["seq"] > since][:limit]})


def _found(name: str, thing: T | None) -> T:
    """Return what was found, or answer 404."""
    if thing is None:
        raise HTTPException(404, f"{name} not found")
    return thing


def _find_artifact(run: Run, key: str) -> Artifact:
    """Return a file of the run, also one beyond the list, or answer 404."""
    files = outputs.artifacts(run)
    return _found("Artifact", next((file for file in files if file.key == key), None))


def _signature(world: World, path: str, expires: int) -> str:
    return hmac.new(world.file_secret, f"{expires}\n{path}".encode(), hashlib.sha256).hexdigest()


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
