"""The server: its first line, its end, and answers while its world changes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

from analytics.emulator import World

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


def test_the_world_may_change_while_it_is_read(api: Api) -> None:
    """Answers stay whole when runs start in another thread meanwhile."""
    agent = api.world.add_agent(api.workspace, "Baker", "baker")

    def bake() -> None:
        for _ in range(300):
            run = api.world.start_run(agent)
            api.world.meter(
                run, model="m", provider="p", tokens_in=1, tokens_out=1, cost_usd=Decimal("0.1")
            )

    with ThreadPoolExecutor(1) as pool:
        baking = pool.submit(bake)
        answers = []
        while not baking.done() or not answers:
            answers += [api.answer("/runs/", limit=200), api.answer("/analytics/agents")]
        baking.result()

    assert {answer.status_code for answer in answers} == {200}
    assert api.get("/analytics/agents")[0]["run_count"] == 300
