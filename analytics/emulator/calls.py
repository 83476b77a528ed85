"""A request to the emulator: its key, its parameters, and its answer, at one moment of a world."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from urllib.parse import quote
from uuid import UUID

from fastapi import Body, Depends, HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from analytics.emulator import serialize
from analytics.emulator.aggregates import Analytics
from analytics.emulator.records import Agent, RefusedError, Run, RunInput, Session, Workspace
from analytics.emulator.world import World

T = TypeVar("T")
Interval = tuple[datetime | None, datetime | None]
DEFAULT_WINDOW = timedelta(days=30)
ADDRESS_SECONDS = 300  # that the address of a log or an artifact is good for


class LockedRoute(APIRoute):
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
        return found("Run", self.workspace.runs.get(str(run_id)))

    def agent(self, id_or_slug: str) -> Agent:
        """Return an agent, or answer 404."""
        return found("Agent", self.workspace.agent(id_or_slug))

    def session(self, session_id: UUID) -> Session:
        """Return a session, or answer 404."""
        return found("Session", self.workspace.sessions.get(str(session_id)))

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
        window: Interval,
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
        return json_of(self.told(endpoint, rows(start, end), **requested))

    def address(self, path: str) -> Response:
        """Return a time-limited address that serves a file without a key."""
        expires = int(self.world.now.timestamp()) + ADDRESS_SECONDS
        signature = _signature(self.world, path, expires)
        url = f"{self.request.base_url}{quote(path[1:])}?expires={expires}&signature={signature}"
        return json_of({"url": url, "expires_in_seconds": ADDRESS_SECONDS})


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


async def _window(start: datetime | None = None, end: datetime | None = None) -> Interval:
    return start, end


Call = Annotated[_Call, Depends(_call)]
Given = Annotated[RunInput, Depends(_given)]
Window = Annotated[Interval, Depends(_window)]


async def _signed_run(request: Request, run_id: UUID, expires: int = 0, signature: str = "") -> Run:
    """Return the run of an address that authorizes its file without a key, or answer 403."""
    world: World = request.app.state.world
    if signature != _signature(world, request.scope["path"], expires):
        raise HTTPException(403, "The signature does not match")
    if world.now.timestamp() >= expires:
        raise HTTPException(403, "The address has expired")
    runs = (workspace.runs.get(str(run_id)) for workspace in world.workspaces)
    return found("Run", next(filter(None, runs), None))


SignedRun = Annotated[Run, Depends(_signed_run)]


def json_of(value: object, status: int = 200) -> Response:
    """Return a value as JSON in which money keeps every digit."""
    return answer(serialize.encode(value), status)


def run_of(world: World, run: Run, status: int = 201) -> Response:
    """Return a run as JSON, altered by the lies that tests ordered of it."""
    return answer(serialize.encode_run(world.lies, run), status)


def answer(body: bytes, status: int = 200) -> Response:
    """Return JSON that is made already."""
    return Response(body, status, media_type="application/json")


def found(name: str, thing: T | None) -> T:
    """Return what was found, or answer 404."""
    if thing is None:
        raise HTTPException(404, f"{name} not found")
    return thing


def _signature(world: World, path: str, expires: int) -> str:
    return hmac.new(world.file_secret, f"{expires}\n{path}".encode(), hashlib.sha256).hexdigest()


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
