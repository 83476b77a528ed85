"""Shared parts of the routes: the key's workspace, errors, windows of time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from analytics.emulator import serialize
from analytics.emulator.records import Agent, RefusedError, Run, Session, Version, Workspace
from analytics.emulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from uuid import UUID

DEFAULT_WINDOW = timedelta(days=30)

_JSON = re.compile(r"\s*application/([\w.-]+\+)?json\s*(;|$)", re.IGNORECASE)


class LockedRoute(APIRoute):
    """A route that holds the world's lock while it builds its response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, in the world's lock."""
        handle = super().get_route_handler()

        async def locked(request: Request) -> Response:
            try:
                body = await request.body()  # read before, so that no slow sender holds it
            except ClientDisconnect:
                return Response(status_code=400)  # which nobody gets
            content = _read_json(body)
            if self.body_field:
                _require_object(request, body, content)
            world: World = request.app.state.world
            with world.lock:
                world.catch_up()
                try:
                    return await handle(request)
                except RefusedError as error:
                    raise HTTPException(409, str(error)) from error
                except OverflowError as error:  # of a time or a span that no calendar holds
                    raise invalid([], str(error), None) from error

        return locked


def _read_json(body: bytes) -> object:
    """Answer 422 to a body that cannot be encoded as JSON again, such as a lone surrogate."""
    try:
        return msgspec.json.decode(body or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        item = {"type": "json_invalid", "loc": ["body"], "msg": "JSON decode error", "input": {}}
        raise RequestValidationError([item | {"ctx": {"error": str(error)}}]) from error


def _require_object(request: Request, body: bytes, content: object) -> None:
    """Answer 422 to fields that are no JSON object, or not declared to be JSON.

    FastAPI would take the fields for absent, so that a change would be answered 200 and not made.
    """
    is_json = _JSON.match(request.headers.get("Content-Type", ""))
    if content is None or (is_json and isinstance(content, dict)):
        return
    item = {
        "type": "model_attributes_type",
        "loc": ["body"],
        "msg": "Input should be a valid dictionary or object to extract fields from",
        "input": content if is_json else body.decode(),
    }
    raise RequestValidationError([item])


def router() -> APIRouter:
    """Return a router of locked routes."""
    return APIRouter(route_class=LockedRoute)


def json(value: object, status: int = 200) -> Response:
    """Return a value as JSON in which money keeps every digit."""
    return raw(serialize.encode(value), status)


def json_records(
    world: World,
    endpoint: str,
    records: list[dict[str, Any]],
    workspace: Workspace,
    bounds: tuple[datetime, datetime] | None = None,
    **requested: str,
) -> Response:
    """Return records as JSON, altered by the lies that tests ordered of this endpoint."""
    if bounds:
        start, end = map(serialize.instant, bounds)
        requested |= {"start": start, "end": end}
    return json(world.lies.alter(endpoint, records, workspace_id=workspace.id, **requested))


def raw(body: bytes, status: int = 200) -> Response:
    """Return encoded JSON."""
    return Response(body, status, media_type="application/json")


async def world(request: Request) -> World:
    """Return the served world."""
    found: World = request.app.state.world
    return found


async def workspace(request: Request) -> Workspace:
    """Return the workspace of the request's key, or answer 401."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key")
    if not key:
        raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    found = request.app.state.world.workspace_of(key)
    if found is None:
        raise HTTPException(401, "Invalid API key", {"WWW-Authenticate": "Bearer"})
    return found  # type: ignore[no-any-return]  # the application's state is untyped


TheWorld = Annotated[World, Depends(world)]
TheWorkspace = Annotated[Workspace, Depends(workspace)]


def find_run(workspace: Workspace, run_id: UUID) -> Run:
    """Return a run of the workspace, or answer 404."""
    run = workspace.runs.get(str(run_id))
    if run is None:
        raise HTTPException(404, "Run not found")
    return run


def find_agent(workspace: Workspace, id_or_slug: str) -> Agent:
    """Return an agent of the workspace, or answer 404."""
    agent = workspace.agent(id_or_slug)
    if agent is None:
        raise HTTPException(404, "Agent not found")
    return agent


def find_version(agent: Agent, number: int) -> Version:
    """Return a version of an agent, or answer 404."""
    version = next((version for version in agent.versions if version.number == number), None)
    if version is None:
        raise HTTPException(404, "Version not found")
    return version


def find_session(workspace: Workspace, session_id: UUID) -> Session:
    """Return a session of the workspace, or answer 404."""
    session = workspace.sessions.get(str(session_id))
    if session is None:
        raise HTTPException(404, "Session not found")
    return session


def invalid(where: list[str], message: str, value: object) -> RequestValidationError:
    """Return the error that FastAPI gives for a value that a check refuses."""
    item = {"type": "value_error", "loc": where, "msg": f"Value error, {message}"}
    return RequestValidationError([item | {"input": value, "ctx": {"error": message}}])


def address(request: Request, world: World, path: str) -> Response:
    """Return a time-limited address that serves a file without a key."""
    seconds = world.variants.url_ttl_seconds
    signed = world.signer.address(path, int(world.now.timestamp()) + seconds)
    base = str(request.base_url).rstrip("/")
    return json({"url": f"{base}{signed}", "expires_in_seconds": seconds})


def window(
    world: World, start: datetime | None, end: datetime | None, cap_days: int | None = None
) -> tuple[datetime, datetime]:
    """Return [start, end) in UTC, by default the last 30 days; cut to the cap."""
    until = _utc(end) if end else world.now + timedelta.resolution  # the present is part of it
    since = _utc(start) if start else until - DEFAULT_WINDOW
    if cap_days is not None and until - since > timedelta(days=cap_days):
        since = until - timedelta(days=cap_days)
    return since, until


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
