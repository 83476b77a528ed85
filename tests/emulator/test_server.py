"""The server: its first line, its date, its end, and its request log."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from analytics.emulator import World, running

from .conftest import NOW, Api, listening

PROGRAM = """
from datetime import UTC, datetime
from analytics.emulator import World, serve
serve(World.empty(1, datetime(2026, 11, 24, 15, 30, tzinfo=UTC)), speed=0)
"""


@pytest.fixture
def api() -> Iterator[Api]:
    """A world behind a socket, to be filled by the test."""
    with listening(World.empty(1, NOW)) as api:
        yield api


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_when_told(number: int) -> None:
    """The first line is JSON with URL and keys, nothing else is printed, and a signal ends it."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = json.loads(process.stdout.readline())
        [workspace] = line["workspaces"]
        key = {"Authorization": f"Bearer {workspace['api_key']}"}
        me = httpx.get(f"{line['url']}/api/v1/auth/me", headers=key)
        process.send_signal(number)
        rest, errors = process.communicate()

    assert list(workspace) == ["workspace_id", "workspace_name", "api_key"]
    assert me.json()["workspace_id"] == workspace["workspace_id"]
    assert me.headers["date"] == "Tue, 24 Nov 2026 15:30:00 GMT"
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_date_follows_the_worlds_clock(api: Api) -> None:
    """The Date header is the world's time, and moves with it."""
    api.world.pass_time(timedelta(days=2, seconds=1))

    response = api.answer("/auth/me")

    assert response.headers.get_list("date") == ["Thu, 26 Nov 2026 15:30:01 GMT"]


def test_requests_are_noted(api: Api) -> None:
    """Every request to the API is recorded with method, path and query."""
    api.answer("/runs/", limit=3)
    api.http.post("/api/v1/nope")

    assert api.emulator.requests == [
        ("GET", "/api/v1/runs/", "limit=3"),
        ("POST", "/api/v1/nope", ""),
    ]


def test_two_servers_stand_side_by_side() -> None:
    """Each server has a port and a world of its own, and a key opens its workspace alone."""
    with running(World.empty(1, NOW)) as one, running(World.empty(2, NOW)) as two:
        keys = [e.world.workspaces[0].api_key for e in (one, two)]
        status = [
            httpx.get(f"{e.url}/api/v1/auth/me", headers={"X-API-Key": key}).status_code
            for e, key in zip((one, two, two), (*keys, keys[0]), strict=True)
        ]

    assert status == [200, 200, 401]


def test_the_world_may_change_while_it_is_read(api: Api) -> None:
    """Answers stay whole when runs start in another thread meanwhile."""
    agent = api.world.add_agent(api.workspace, "Baker", "baker")

    def bake() -> None:
        for _ in range(300):
            api.world.meter(
                api.world.start_run(agent),
                model="m",
                provider="p",
                tokens_in=1,
                tokens_out=1,
                cost_usd=Decimal("0.1"),
            )

    with ThreadPoolExecutor(1) as pool:
        baking = pool.submit(bake)
        answers = [api.answer("/runs/", limit=200), api.answer("/analytics/agents")]
        while not baking.done():
            answers += [api.answer("/runs/", limit=200), api.answer("/analytics/agents")]
        baking.result()

    assert {answer.status_code for answer in answers} == {200}
    assert api.get("/analytics/agents")[0]["run_count"] == 300
