from __future__ import annotations

import asyncio
import json
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from analytics.emulator import Emulator, World, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.emulator.records import Agent, Workspace

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)  # a Tuesday
NOBODY = "6b1f0a3e-0d5c-4a53-9a7e-000000000000"  # an id that nothing has


class InProcess(httpx.BaseTransport):
    """Requests to the application itself."""

    def __init__(self, emulator: Emulator) -> None:
        self._application = httpx.ASGITransport(emulator.app)
        self._runner = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._application.handle_async_request(request)
        body = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        self._runner.close()


class Api:
    """A client of one workspace that decodes money digit for digit; in process, or by socket."""

    def __init__(
        self, emulator: Emulator, workspace: Workspace, *, by_socket: bool = False
    ) -> None:
        self.emulator = emulator
        self.world = emulator.world
        self.workspace = workspace
        self.http = httpx.Client(
            base_url=emulator.url,
            headers={"Authorization": f"Bearer {workspace.api_key}"},
            transport=None if by_socket else InProcess(emulator),
        )

    def answer(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(f"/api/v1{path}", params=params or None)

    def get(self, path: str, **params: Any) -> Any:
        response = self.answer(path, **params)
        assert response.status_code == 200, response.text
        return json.loads(response.text, parse_float=Decimal)

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.http.request(method, f"/api/v1{path}", json=body)

    def keyless(self, method: str, url: str, **content: Any) -> httpx.Response:
        """Send a request without the key."""
        return self.http.send(httpx.Request(method, url, **content))

    def post(self, path: str, body: Any = None, *, status: int = 201) -> Any:
        response = self.send("POST", path, body)
        assert response.status_code == status, response.text
        return json.loads(response.text, parse_float=Decimal)


@contextmanager
def serving(world: World) -> Iterator[Api]:
    """Serve a world in process."""
    emulator = Emulator(world)
    api = Api(emulator, world.workspaces[0])
    with closing(emulator._socket), api.http:
        yield api


@contextmanager
def listening(world: World) -> Iterator[Api]:
    """Serve a world by a socket."""
    with running(world) as emulator:
        api = Api(emulator, world.workspaces[0], by_socket=True)
        with api.http:
            yield api


@pytest.fixture(scope="session")
def demo() -> World:
    """A demo world that all tests share read-only."""
    return World.demo(1, NOW, history_days=9)


@pytest.fixture(scope="session")
def demo_api(demo: World) -> Iterator[Api]:
    with serving(demo) as api:
        yield api


@pytest.fixture
def api() -> Iterator[Api]:
    """A world of one workspace, to be filled by the test."""
    with serving(World.empty(1, NOW)) as api:
        yield api


@pytest.fixture
def agent(api: Api) -> Agent:
    """An agent without runs."""
    return api.world.add_agent(api.workspace, "Baker", "baker")


def trigger(api: Api, text: str = "Bread?", slug: str = "baker") -> dict[str, Any]:
    """Trigger a run, and return its record."""
    run: dict[str, Any] = api.post(f"/agents/{slug}/runs", {"prompt": text})
    return run
