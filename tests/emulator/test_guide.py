"""The Runs guide's own requests, sent by curl as printed there."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from analytics.emulator import World

from .conftest import NOW, Api, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

_BLOCKS = (Path(__file__).parent / "guide.curl").read_text().strip().split("\n\n")
TRIGGER, WATCH, EVENTS, CANCEL = (block for block in _BLOCKS if block.startswith("curl"))


@pytest.fixture
def api() -> Iterator[Api]:
    """The demo's workspaces, with an agent of the guide's name."""
    with listening(World.demo(1, NOW, history_days=2)) as api:
        yield api


def send(api: Api, request: str, **variables: str) -> tuple[int, Any]:
    """Send a request from a shell; return the status and the body."""
    own = {"LEVAIN_API": api.emulator.url, "LEVAIN_API_KEY": api.workspace.api_key}
    done = subprocess.run(
        ["sh", "-ec", f"{request} -sS -w '\\n%{{http_code}}'"],
        env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*"} | own | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(body, parse_float=Decimal)


def trigger(api: Api) -> dict[str, Any]:
    status, run = send(api, TRIGGER)
    assert status == 201
    assert isinstance(run, dict)
    return run


def test_a_run_is_triggered_and_watched_to_its_end(api: Api) -> None:
    """The agent's slug is enough, and an id comes back at once; cost and tokens accumulate.

    Events are structured and at signal level; the log's URL serves it without a key, for a time.
    """
    run = trigger(api)
    agent = api.workspace.agent("support-triage")
    assert agent
    assert agent.active_version
    assert (run["status"], run["agent_id"]) == ("pending", agent.id)
    assert run["agent_version_id"] == agent.active_version.id
    records = []
    for _ in range(10):
        status, record = send(api, WATCH, RUN_ID=run["id"])
        assert status == 200
        records.append(record)
        api.world.pass_time(timedelta(seconds=3))
    events = send(api, EVENTS, RUN_ID=run["id"])[1]["events"]
    log = send(api, WATCH.replace("$RUN_ID", "$RUN_ID/log"), RUN_ID=run["id"])[1]

    seen = list(dict.fromkeys(record["status"] for record in records))
    assert seen == ["pending", "running", "succeeded"]
    for name in ("cost_usd", "tokens_in", "tokens_out"):
        values = [record[name] for record in records]
        assert values == sorted(values)
        assert values[0] == 0 < values[-1]
    assert {"ts", "level", "logger", "msg"} <= set.intersection(*map(set, events))
    assert not any(event["level"] == "DEBUG" for event in events)
    assert set(log) == {"url", "expires_in_seconds"}
    assert httpx.get(log["url"]).status_code == 200


def test_a_run_is_cancelled_by_its_session(api: Api) -> None:
    """The call terminates the session, then the run; its events stay, and it takes no message."""
    run = trigger(api)
    api.world.pass_time(timedelta(seconds=6))
    ids = {"RUN_ID": run["id"], "SESSION_ID": run["session_id"]}
    assert send(api, WATCH, **ids)[1]["status"] == "running"

    status, session = send(api, CANCEL, **ids)
    api.world.pass_time(timedelta(seconds=6))

    assert (status, session["state"], session["id"]) == (200, "terminated", run["session_id"])
    assert session["terminated_at"] is not None
    assert send(api, WATCH, **ids)[1]["status"] == "cancelled"
    assert send(api, EVENTS, **ids)[1]["events"]
    path = f"/sessions/{run['session_id']}"
    assert api.get(f"{path}/events")["events"]
    assert api.send("POST", f"{path}/messages", {"prompt": "Hello?"}).status_code == 409
